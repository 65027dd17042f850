"""The action type rest-api against servers of a few lines."""

import base64
import json
import socket
from email import message_from_string
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from activities.actions.rest import bodies
from activities.actions.rest.config import CallBody, RestApiConfig
from activities.configuration_validators import validator_for
from tests.support.actions import ActionRunner
from tests.support.raw_servers import answering, cutting, raw_server
from tests.support.rest_calls import SECRETS, config, refused, sent


async def test_templates_fill_address_headers_query_and_body(stage: ActionRunner) -> None:
    given = {
        "headers": {"X-Title": "{{fields.title}}"},
        "query": {"q": "{{fields.title}}", "size": "{{fields.size}}", "none": None},
        "body": {
            "type": "json",
            "contentTemplate": {"n": "{{fields.size}}", "t": "{{fields.title}}"},
        },
    }
    with raw_server(answering(b'{"id": "T-1"}', status="201 Created")) as server:
        given |= config(server, "/a/{{fields.title}}/b")
        result = await stage.execute(stage.request(given, title='x/../y "&z', size=7))
    first, headers, body = sent(server)
    assert first.startswith("POST /a/x%2F..%2Fy%20%22%26z/b?q=x%2F..%2Fy")
    assert first.endswith("&size=7 HTTP/1.1")
    assert headers["x-title"] == 'x/../y "&z'
    assert json.loads(body) == {"n": 7, "t": 'x/../y "&z'}
    assert result.outputs == {"status": 201, "body": {"id": "T-1"}}


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (
            {"contentTemplate": '{"t": "{{fields.title}}"}'},
            "application/json",
            b'{"t": "<a> \\"b\\""}',
        ),
        (
            {"type": "xml", "contentTemplate": "<t>{{fields.title}}</t>"},
            "application/xml",
            b"<t>&lt;a&gt; &quot;b&quot;</t>",
        ),
        ({"type": "text", "contentTemplate": "{{fields.title}}"}, "text/plain", b'<a> "b"'),
        (
            {"type": "form", "contentTemplate": {"t": "{{fields.title}}", "n": [1, True]}},
            "application/x-www-form-urlencoded",
            b"t=%3Ca%3E+%22b%22&n=1&n=true",
        ),
        (
            {"type": "form", "contentTemplate": "t={{fields.title}}"},
            "application/x-www-form-urlencoded",
            b"t=%3Ca%3E%20%22b%22",
        ),
    ],
)
async def test_a_value_stays_a_value_in_every_kind_of_body(
    stage: ActionRunner, body: dict[str, Any], kind: str, expected: bytes
) -> None:
    with raw_server(answering()) as server:
        await stage.execute(stage.request(config(server, body=body), title='<a> "b"'))
    _, headers, content = sent(server)
    assert headers["content-type"].startswith(kind)
    assert content == expected


async def test_a_multipart_body_holds_texts_and_files_and_is_the_same_every_time(
    stage: ActionRunner,
) -> None:
    parts = {"note": "{{fields.title}}", "f": {"filename": "a.txt", "content": "x{{fields.size}}"}}
    body = {"type": "multipart", "contentTemplate": parts}
    with raw_server(answering()) as server:
        request = stage.request(config(server, body=body, idempotencyHeader="Key"), title="t")
        await stage.execute(request)
        await stage.again(request)
    _, headers, content = sent(server)
    assert headers["content-type"].startswith("multipart/form-data; boundary=pao-")
    assert b'name="f"; filename="a.txt"' in content
    assert b"x1\r\n" in content
    assert b'name="note"\r\n\r\nt\r\n' in content
    assert sent(server, 0)[2] == content


def test_no_value_leaves_its_part_of_a_multipart_body() -> None:
    def sent_with(title: str) -> tuple[bytes | None, str]:
        parts = {
            "note": title,
            "none": {"filename": "b.txt", "content": None},
            "f": {"filename": title, "content": "x"},
        }
        body = CallBody(type="multipart", contentTemplate=parts)
        content, headers = bodies.build_content(body, "pao-0123456789ab")
        return content, headers["Content-Type"]

    # Whoever corrects a field for a retry has seen the mark, and may have seen the first body.
    for known in ("pao-0123456789ab", sent_with("t")[1].partition("boundary=")[2]):
        part = f'\r\n--{known}\r\nContent-Disposition: form-data; name="admin"\r\n\r\ntrue'
        content, kind = sent_with(part)
        message = message_from_string(f"Content-Type: {kind}\r\n\r\n{(content or b'').decode()}")
        names = [one.get_param("name", header="content-disposition") for one in message.walk()]
        assert names == [None, "note", "f"]


@pytest.mark.parametrize("parts", [{}, {"a": None, "f": {"filename": "f", "content": None}}])
def test_without_a_part_there_is_no_multipart_body(parts: dict[str, Any]) -> None:
    body = CallBody(type="multipart", contentTemplate=parts)
    assert bodies.build_content(body, "pao-0123456789ab") == (None, {})


def test_a_null_in_a_list_of_a_form_is_left_out() -> None:
    given = {"tag": ["a", None, "", 0], "none": [None], "null": None}
    body = CallBody.model_validate({"type": "form", "contentTemplate": given})
    assert bodies.build_content(body, "mark")[0] == b"tag=a&tag=&tag=0"


def test_a_content_type_of_a_file_is_one_line() -> None:
    parts = {"f": {"filename": "a", "content": "x", "contentType": "text/csv\r\nX-Admin: true"}}
    given = {
        "endpoint": {"url": "https://files.example.com"},
        "body": {"type": "multipart", "contentTemplate": parts},
    }
    [problem] = validator_for(RestApiConfig)(given)
    assert problem.place == ("body", "contentTemplate", "f", "contentType")
    assert "line break" in problem.message


@pytest.mark.parametrize(
    ("authentication", "header", "value"),
    [
        (
            {"type": "basic", "username": "ann", "password": "{{secrets.token}}"},
            "authorization",
            "basic " + base64.b64encode(b"ann:s3cret-token-value").decode().lower(),
        ),
        (
            {"type": "bearer", "token": "{{secrets.token}}"},
            "authorization",
            "bearer s3cret-token-value",
        ),
        ({"type": "api-key", "key": "{{secrets.token}}"}, "x-api-key", "s3cret-token-value"),
    ],
)
async def test_credentials_reach_the_target_and_nobody_else(
    stage: ActionRunner, authentication: dict[str, Any], header: str, value: str
) -> None:
    def echo(connection: socket.socket, request: bytes) -> None:
        answering(json.dumps({"you": request.decode()}).encode(), status="400 No")(
            connection, request
        )

    with raw_server(echo) as server:
        error = await refused(stage, config(server, authentication=authentication))
    assert sent(server)[1][header] == value
    told = f"{error.message} {error.details}"
    assert "s3cret" not in told
    assert base64.b64encode(b"ann:s3cret-token-value").decode() not in told
    assert "********" in told


async def test_an_aws_signature_is_what_aws_itself_would_make(stage: ActionRunner) -> None:
    given: dict[str, Any] = {
        "authentication": {
            "type": "aws-sigv4",
            "accessKeyId": "AKIDEXAMPLE",
            "secretAccessKey": "{{secrets.token}}",
            "region": "eu-west-1",
        },
        "query": {"b": "2 3", "a": "1"},
        "body": {"contentTemplate": {"x": 1}},
    }
    with raw_server(answering()) as server:
        await stage.execute(stage.request(config(server, **given)))
    first, headers, body = sent(server)
    names = headers["authorization"].partition("signedheaders=")[2].partition(",")[0].split(";")
    url = f"{server.url}{first.split()[1]}"
    again = AWSRequest(
        method="POST",
        url=url,
        data=body,
        headers={name: headers[name] for name in names if name not in {"host", "x-amz-date"}},
    )
    again.context["timestamp"] = headers["x-amz-date"].upper()
    signer = SigV4Auth(Credentials("AKIDEXAMPLE", SECRETS["token"]), "execute-api", "eu-west-1")
    again.headers["X-Amz-Date"] = headers["x-amz-date"].upper()
    canonical = signer.canonical_request(again)
    expected = signer.signature(signer.string_to_sign(again, canonical), again)
    assert headers["authorization"].endswith(expected)


async def test_a_token_is_kept_and_renewed_once_when_it_is_refused(stage: ActionRunner) -> None:
    given_out: list[str] = []

    def issue(connection: socket.socket, request: bytes) -> None:
        given_out.append(f"token-number-{len(given_out)}")
        answer = {"access_token": given_out[-1], "expires_in": 3600}
        answering(json.dumps(answer).encode())(connection, request)

    good = {"token-number-0"}

    def serve(connection: socket.socket, request: bytes) -> None:
        known = any(f"Bearer {one}\r\n".encode() in request for one in good)
        answering(status="200 OK" if known else "401 No")(connection, request)

    with raw_server(issue) as issuer, raw_server(serve) as server:
        authentication = {
            "type": "oauth2",
            "tokenUrl": issuer.url,
            "clientId": "pao",
            "clientSecret": "{{secrets.token}}",
            "scope": "things",
        }
        request = stage.request(config(server, authentication=authentication))
        await stage.execute(request)
        await stage.execute(request)
        assert issuer.count == 1
        good.clear()
        good.add("token-number-1")
        await stage.execute(request)
        assert issuer.count == 2
        good.clear()
        error = await refused(stage, request.plan[0].config)
    assert issuer.count == 3
    assert error.details[0]["httpStatus"] == 401
    assert b"grant_type=client_credentials&scope=things" in issuer.requests[0]


async def test_a_failing_token_server_means_that_nothing_was_sent(stage: ActionRunner) -> None:
    with raw_server(cutting) as issuer, raw_server(answering()) as server:
        authentication = {
            "type": "oauth2",
            "tokenUrl": issuer.url,
            "clientId": "pao",
            "clientSecret": "{{secrets.token}}",
        }
        error = await refused(stage, config(server, authentication=authentication))
    assert (error.type, server.count) == ("ActionFailed", 0)


async def test_a_path_that_is_none_is_told_before_anything_is_sent(stage: ActionRunner) -> None:
    with raw_server(answering()) as server:
        error = await refused(stage, config(server, response={"extract": {"id": "$["}}))
    assert (error.type, server.count) == ("ActionFailed", 0)
    assert "JSONPath" in error.message


async def test_a_secret_that_is_not_set_is_named_and_nothing_is_sent(stage: ActionRunner) -> None:
    with raw_server(answering()) as server:
        error = await refused(stage, config(server, headers={"X": "{{secrets.absent}}"}))
    assert server.count == 0
    assert "absent (PAO_SECRET_ABSENT)" in error.message
