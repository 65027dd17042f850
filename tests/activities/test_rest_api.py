"""The action type rest-api against servers of a few lines."""

import base64
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from temporalio.exceptions import ApplicationError

from activities.actions.rest_api import RestApiAction
from pao.core.answers import READ_BYTES
from pao.core.payloads.waits import Pending
from tests.support.actions import Stage
from tests.support.raw_servers import RawServer, answering, cutting, raw_server

SECRETS = {"token": "s3cret-token-value", "other": "an0ther-secret"}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage(RestApiAction(), secrets=SECRETS)
    yield made
    await made.close()


def config(server: RawServer, path: str = "/things", **more: Any) -> dict[str, Any]:
    return {"endpoint": {"url": f"{server.url}{path}"}, **more}


def sent(server: RawServer, number: int = -1) -> tuple[str, dict[str, str], bytes]:
    head, _, body = server.requests[number].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return first, headers, body


async def refused(stage: Stage, given: dict[str, Any], **fields: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await stage.execute(stage.request(given, **fields))
    return caught.value


async def test_templates_fill_address_headers_query_and_body(stage: Stage) -> None:
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
    stage: Stage, body: dict[str, Any], kind: str, expected: bytes
) -> None:
    with raw_server(answering()) as server:
        await stage.execute(stage.request(config(server, body=body), title='<a> "b"'))
    _, headers, content = sent(server)
    assert headers["content-type"].startswith(kind)
    assert content == expected


async def test_a_multipart_body_holds_texts_and_files_and_is_the_same_every_time(
    stage: Stage,
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
    stage: Stage, authentication: dict[str, Any], header: str, value: str
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


async def test_an_aws_signature_is_what_aws_itself_would_make(stage: Stage) -> None:
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


async def test_a_token_is_kept_and_renewed_once_when_it_is_refused(stage: Stage) -> None:
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


async def test_a_failing_token_server_means_that_nothing_was_sent(stage: Stage) -> None:
    with raw_server(cutting) as issuer, raw_server(answering()) as server:
        authentication = {
            "type": "oauth2",
            "tokenUrl": issuer.url,
            "clientId": "pao",
            "clientSecret": "{{secrets.token}}",
        }
        error = await refused(stage, config(server, authentication=authentication))
    assert (error.type, server.count) == ("ActionFailed", 0)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        ("400 Bad", "ActionFailed", False),
        ("404 No", "ActionFailed", False),
        ("429 Slow", "ActionFailed", True),
        ("409 Conflict", "ActionFailed", True),
        ("408 Late", "OutcomeUnknown", True),
        ("425 Early", "OutcomeUnknown", True),
        ("499 Gone", "OutcomeUnknown", True),
        ("500 Oops", "OutcomeUnknown", True),
        ("501 What", "OutcomeUnknown", True),
        ("503 Away", "OutcomeUnknown", True),
        ("502 Gateway", "OutcomeUnknown", True),
        ("504 Gateway", "OutcomeUnknown", True),
        ("302 Found", "OutcomeUnknown", True),
        ("307 Other", "OutcomeUnknown", True),
    ],
)
async def test_each_bad_answer_is_told_apart(
    stage: Stage, status: str, kind: str, *, retryable: bool
) -> None:
    with raw_server(answering(b"why", status=status, headers={"Location": "/"})) as server:
        error = await refused(stage, config(server))
    assert (error.type, server.count) == (kind, 1)
    assert (error.details[0]["retryable"], error.details[0]["responseBody"]) == (retryable, "why")


async def test_another_success_than_the_expected_one_may_have_done_it(stage: Stage) -> None:
    with raw_server(answering(status="200 OK")) as server:
        error = await refused(stage, config(server, expectedStatus=[201]))
        await stage.execute(stage.request(config(server, expectedStatus=[200, 201])))
    assert error.type == "OutcomeUnknown"


async def test_outputs_are_extracted_and_typed(stage: Stage) -> None:
    extract = {
        "id": "$.items[0].id",
        "size": {"path": "$.size", "type": "integer"},
        "note": {"path": "$.note", "required": False},
    }
    with raw_server(answering(b'{"items": [{"id": "T-1"}], "size": 3}')) as server:
        given = config(server, response={"extract": extract})
        result = await stage.execute(stage.request(given))
    assert {name: result.outputs[name] for name in extract} == {
        "id": "T-1",
        "size": 3,
        "note": None,
    }


@pytest.mark.parametrize("body", [b"{}", b'{"id": 3}', b"no json", b"", b"[]"])
async def test_an_answer_that_breaks_its_promise_leaves_the_outcome_unknown(
    stage: Stage, body: bytes
) -> None:
    with raw_server(answering(body)) as server:
        given = config(server, response={"extract": {"id": {"path": "$.id", "type": "string"}}})
        error = await refused(stage, given)
    assert error.type == "OutcomeUnknown"
    assert "$.id" in error.message


async def test_a_path_that_is_none_is_told_before_anything_is_sent(stage: Stage) -> None:
    with raw_server(answering()) as server:
        error = await refused(stage, config(server, response={"extract": {"id": "$["}}))
    assert (error.type, server.count) == ("ActionFailed", 0)
    assert "JSONPath" in error.message


async def test_a_secret_that_is_not_set_is_named_and_nothing_is_sent(stage: Stage) -> None:
    with raw_server(answering()) as server:
        error = await refused(stage, config(server, headers={"X": "{{secrets.absent}}"}))
    assert server.count == 0
    assert "absent (PAO_SECRET_ABSENT)" in error.message


async def test_what_a_target_gives_back_of_a_secret_is_masked(stage: Stage) -> None:
    with raw_server(
        answering(b'{"token": "s3cret-token-value", "as": "an0ther-secret!"}')
    ) as server:
        given = config(server, headers={"A": "{{secrets.token}}", "B": "{{secrets.other}}"})
        result = await stage.execute(stage.request(given))
    assert result.outputs["body"] == {"token": "********", "as": "********!"}


async def test_of_ten_megabytes_a_bounded_part_is_kept(stage: Stage) -> None:
    with raw_server(answering(b"x" * 10_000_000)) as server:
        result = await stage.execute(stage.request(config(server)))
    assert len(result.outputs["body"]) == 64 * 1024
    assert result.outputs["bodyTruncated"]


# After a cut connection


async def test_the_same_key_is_sent_on_every_attempt(stage: Stage) -> None:
    with raw_server(cutting) as server:
        request = stage.request(config(server, idempotencyHeader="Idempotency-Key"))
        for attempt in (stage.execute, stage.again):
            with pytest.raises(ApplicationError) as caught:
                await attempt(request)
            assert caught.value.type == "OutcomeUnknown"
        told = await stage.look(request)
    assert server.count == 2
    assert sent(server, 0)[1]["idempotency-key"] == sent(server, 1)[1]["idempotency-key"]
    assert (told.answer, "same Idempotency-Key" in told.reason) == ("unknown", True)


async def test_without_look_and_key_a_doubtful_call_is_never_made_again(stage: Stage) -> None:
    with raw_server(cutting) as server:
        request = stage.request(config(server))
        with pytest.raises(ApplicationError, match="invalid HTTP"):
            await stage.execute(request)
        with pytest.raises(ApplicationError, match="Look in the target by hand"):
            await stage.again(request)
    assert server.count == 1


async def test_a_call_that_was_refused_may_be_made_again(stage: Stage) -> None:
    with raw_server(answering(status="400 No")) as server:
        request = stage.request(config(server))
        for attempt in (stage.execute(request), stage.again(request, unclear=False)):
            with pytest.raises(ApplicationError, match="answered 400"):
                await attempt
    assert server.count == 2


async def test_the_effect_is_found_by_the_look_of_the_document(stage: Stage) -> None:
    made: list[bytes] = []

    def serve(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"POST"):
            made.append(request)
            cutting(connection, request)
            return
        found = b'{"items": [{"id": "T-1"}]}' if made else b'{"items": []}'
        answering(found)(connection, request)

    with raw_server(serve) as server:
        look = {
            "url": f"{server.url}/things/{{{{fields.title}}}}",
            "query": {"name": "{{fields.title}}"},
            "found": {"path": "$.items[0].id"},
        }
        given = config(server, look=look, response={"extract": {"id": "$.items[0].id"}})
        request = stage.request(given)
        assert (await stage.look(request)).answer == "absent"
        with pytest.raises(ApplicationError):
            await stage.execute(request)
        result = await stage.again(request)
    assert (result.adopted, result.outputs["id"], len(made)) == (True, "T-1", 1)


async def test_nothing_is_made_when_the_look_fails(stage: Stage) -> None:
    with raw_server(answering(status="500 Broken")) as server:
        look = {"url": f"{server.url}/look", "found": {"path": "$.id"}}
        request = stage.request(config(server, look=look))
        with pytest.raises(ApplicationError, match="look for an earlier effect"):
            await stage.again(request)
    assert all(one.startswith(b"GET") for one in server.requests)


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("$.id", b"<html><form>Log in</form></html>", {"Content-Type": "text/html"}),
        ("$", b"<!doctype html><title>Log in</title>", {}),
        ("$.id", b"no JSON", {}),
        ("$.id", b"", {}),
        ("$.id", b'{"id": "T-1", "pad": "' + b"x" * READ_BYTES + b'"}', {}),
    ],
)
async def test_a_look_that_cannot_be_read_proves_nothing(
    stage: Stage, path: str, body: bytes, headers: dict[str, str]
) -> None:
    with raw_server(answering(body, headers=headers)) as server:
        look = {"url": f"{server.url}/look", "found": {"path": path}}
        request = stage.request(config(server, look=look))
        assert (await stage.look(request)).answer == "unknown"
        with pytest.raises(ApplicationError, match="it proves nothing"):
            await stage.again(request)
    assert all(one.startswith(b"GET") for one in server.requests)


async def test_a_look_that_is_answered_with_204_has_found_nothing(stage: Stage) -> None:
    with raw_server(answering(b"", status="204 Nothing")) as server:
        look = {"url": f"{server.url}/look", "found": {"path": "$.id"}}
        assert (await stage.look(stage.request(config(server, look=look)))).answer == "absent"


async def test_no_output_is_read_from_an_answer_that_is_too_large(stage: Stage) -> None:
    with raw_server(answering(b'{"id": 1, "pad": "' + b"x" * READ_BYTES + b'"}')) as server:
        extract = {"id": {"path": "$.id", "required": False}}
        request = stage.request(config(server, response={"extract": extract}))
        with pytest.raises(ApplicationError, match="larger than 4 MB"):
            await stage.execute(request)


# Asynchronous calls


def working(*states: str) -> Any:
    """Accept a POST, then answer with one state after the other, the last one for ever."""
    left = list(states)

    def serve(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"POST"):
            answering(b"{}", status="202 Accepted", headers={"Location": "/jobs/1"})(
                connection, request
            )
            return
        state = left.pop(0) if len(left) > 1 else left[0]
        if state == "cut":
            cutting(connection, request)
        elif state.isdecimal():
            answering(status=f"{state} Odd")(connection, request)
        else:
            answering(json.dumps({"state": state, "id": "T-1"}).encode())(connection, request)

    return serve


FOLLOWING = {
    "until": {"path": "$.state", "values": ["ready"]},
    "failWhen": {"path": "$.state", "values": ["broken"]},
    "every": 0.05,
}


async def test_an_accepted_call_is_followed_until_it_is_done_whatever_happens_between(
    stage: Stage,
) -> None:
    with raw_server(working("queued", "cut", "503", "ready")) as server:
        given = config(server, response={"extract": {"id": "$.id"}})
        given |= {
            "async": FOLLOWING,
            "authentication": {"type": "bearer", "token": "{{secrets.token}}"},
        }
        request = stage.request(given)
        started = await stage.execute(request)
        assert started.pending == Pending("follow", {"url": f"{server.url}/jobs/1"})
        result = await stage.follow(request, started.pending)
    assert (result.outputs["id"], result.pending) == ("T-1", None)
    posts = [one for one in server.requests if one.startswith(b"POST")]
    assert len(posts) == 1
    assert sent(server)[1]["authorization"] == "bearer s3cret-token-value"


async def test_a_call_that_is_never_done_ends_with_its_time(stage: Stage) -> None:
    with raw_server(working("queued")) as server:
        request = stage.request(config(server) | {"async": {**FOLLOWING, "timeout": 0.2}})
        started = await stage.execute(request)
        assert started.pending
        with pytest.raises(ApplicationError, match="not done after") as caught:
            await stage.follow(request, started.pending)
    assert caught.value.type == "OutcomeUnknown"


async def test_credentials_do_not_go_to_a_status_address_elsewhere(stage: Stage) -> None:
    with raw_server(answering(b'{"state": "ready"}')) as other:
        accepted = answering(status="202 Accepted", headers={"Location": f"{other.url}/x"})
        with raw_server(accepted) as server:
            given = config(server, headers={"X-Key": "{{secrets.other}}"})
            given |= {
                "async": FOLLOWING,
                "authentication": {"type": "bearer", "token": "{{secrets.token}}"},
            }
            request = stage.request(given)
            started = await stage.execute(request)
            assert started.pending
            await stage.follow(request, started.pending)
    assert b"secret" not in other.requests[0]
    assert b"s3cret" not in other.requests[0]
