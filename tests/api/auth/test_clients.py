"""Client programs that we did not write, against a real server."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import requests
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from httpx_aws_auth import AwsCredentials, AwsSigV4Auth
from requests_aws4auth import AWS4Auth

from api.auth.keys import NewKey
from tests.api.auth.node_signers import node_signers
from tests.api.auth.signed_server import SignedServer, signed_server
from tests.api.auth.signing import REGION, SERVICE

BODY = '{"catalogItemId": "kafka-topic", "fields": {"name": "caf\u00e9"}}'

Client = Callable[[NewKey, str, str | None], Any]
"""Sends a GET, or a POST where a body is given; answers the decoded JSON."""


@pytest.fixture
def server() -> Iterator[SignedServer]:
    with signed_server() as running:
        yield running


def curl(key: NewKey, url: str, body: str | None) -> Any:
    program = shutil.which("curl")
    assert program, "install curl 7.75 or newer"
    signing = ["--aws-sigv4", f"aws:amz:{REGION}:{SERVICE}"]
    user = ["--user", f"{key.access_key_id}:{key.secret}"]
    data = ["--header", "Content-Type: application/json", "--data", body] if body else []
    return _run([program, "--silent", "--max-time", "20", *signing, *user, *data, url])


def awscurl(key: NewKey, url: str, body: str | None) -> Any:
    place = ["--service", SERVICE, "--region", REGION]
    keys = ["--access_key", key.access_key_id, "--secret_key", key.secret]
    data = ["--request", "POST", "--data", body] if body else []
    return _run([sys.executable, "-m", "awscurl.awscurl", *place, *keys, *data, url])


def botocore(key: NewKey, url: str, body: str | None) -> Any:
    request = _botocore_request(url, body)
    SigV4Auth(Credentials(key.access_key_id, key.secret), SERVICE, REGION).add_auth(request)
    return json.loads(URLLib3Session().send(request.prepare()).text)


def httpx_signed_by_botocore(key: NewKey, url: str, body: str | None) -> Any:
    request = _botocore_request(url, body)
    SigV4Auth(Credentials(key.access_key_id, key.secret), SERVICE, REGION).add_auth(request)
    headers = dict(request.headers.items())
    return httpx.request(request.method, url, content=body, headers=headers).json()


def httpx_aws_auth(key: NewKey, url: str, body: str | None) -> Any:
    auth = AwsSigV4Auth(AwsCredentials(key.access_key_id, key.secret), REGION, SERVICE)
    return httpx.request("POST" if body else "GET", url, content=body, auth=auth).json()


def requests_aws4auth(key: NewKey, url: str, body: str | None) -> Any:
    auth = AWS4Auth(key.access_key_id, key.secret, REGION, SERVICE)
    data = body.encode() if body else None
    return requests.request("POST" if body else "GET", url, data=data, auth=auth, timeout=60).json()


def aws4(key: NewKey, url: str, body: str | None) -> Any:
    return _node("aws4_client.cjs", key, url, body)


def smithy(key: NewKey, url: str, body: str | None) -> Any:
    return _node("smithy_client.cjs", key, url, body)


CLIENTS: list[Client] = [
    curl,
    awscurl,
    botocore,
    httpx_signed_by_botocore,
    httpx_aws_auth,
    requests_aws4auth,
    aws4,
    smithy,
]
TARGETS = [
    ("/api/v1/requests", "/api/v1/requests", []),
    ("/r?status=failed&limit=5&a=1&a=0", "/r", ["status=failed", "limit=5", "a=1", "a=0"]),
    ("/r?Param-3=1&Param=2&param=3", "/r", ["Param-3=1", "Param=2", "param=3"]),
    ("/r?q=a+b", "/r", ["q=a b"]),
    ("/r?q=a%2Bb", "/r", ["q=a+b"]),
    ("/r?q=a%20b&z=~-._", "/r", ["q=a b", "z=~-._"]),
    ("/r?q=100%25&b=%26%3D", "/r", ["q=100%", "b=&="]),
    ("/r?t=10:00&p=/x", "/r", ["t=10:00", "p=/x"]),
    ("/caf%C3%A9/%E2%82%AC?n=%E2%82%AC", "/caf\u00e9/\u20ac", ["n=\u20ac"]),
    ("/a%20b/100%25", "/a b/100%", []),
    ("/caf%C3%A9/c:d", "/caf\u00e9/c:d", []),
    ("/a+b/c:d@e,f;g/(x)'y'!*", "/a+b/c:d@e,f;g/(x)'y'!*", []),
]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_a_client_is_understood_whatever_it_asks_for(server: SignedServer, client: Client) -> None:
    def ask(target: str) -> Any:
        return client(server.office.key, server.url + target, None)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, [target for target, _, _ in TARGETS]))
    for (target, path, pairs), answer in zip(TARGETS, answers, strict=True):
        assert answer.get("id") == "ada", (target, answer)
        assert answer["query"] == [pair.split("=", 1) for pair in pairs], target
        assert answer["path"] == path, target


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_a_clients_body_arrives_as_signed(server: SignedServer, client: Client) -> None:
    answer = client(server.office.key, f"{server.url}/api/v1/requests?b=2&a=1", BODY)
    assert answer.get("id") == "ada", answer
    assert answer["body"] == BODY


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_a_client_with_a_wrong_secret_is_refused(server: SignedServer, client: Client) -> None:
    key = server.office.key
    wrong = NewKey(access_key_id=key.access_key_id, secret="wrong", sealed_secret="")
    answer = client(wrong, f"{server.url}/api/v1/requests", None)
    assert answer["error"].startswith("signature mismatch"), answer


def test_a_presigned_url_is_opened_by_a_program_that_signs_nothing(server: SignedServer) -> None:
    key = server.office.key
    for target, path, _ in TARGETS:
        request = AWSRequest("GET", server.url + target)
        credentials = Credentials(key.access_key_id, key.secret)
        SigV4QueryAuth(credentials, SERVICE, REGION, expires=60).add_auth(request)
        answer = httpx.get(request.url).json()
        assert answer.get("id") == "ada", (target, answer)
        assert answer["path"] == path, target


def test_smithys_presigned_url_holds(server: SignedServer) -> None:
    url = f"{server.url}/caf%C3%A9?status=failed&q=a%20b%2B"
    answer = _node("smithy_client.cjs", server.office.key, url, None, "presign")
    assert answer.get("id") == "ada", answer
    assert ["q", "a b+"] in answer["query"]


def test_a_repeated_call_that_acts_is_refused_over_the_wire(server: SignedServer) -> None:
    url = f"{server.url}/api/v1/requests"
    request = _botocore_request(url, BODY)
    key = server.office.key
    SigV4Auth(Credentials(key.access_key_id, key.secret), SERVICE, REGION).add_auth(request)
    headers = dict(request.headers.items())
    assert httpx.post(url, content=BODY, headers=headers).status_code == 200
    again = httpx.post(url, content=BODY, headers=headers)
    assert again.status_code == 401
    assert "send an Idempotency-Key" in again.json()["error"]


def _botocore_request(url: str, body: str | None) -> AWSRequest:
    headers = {"Content-Type": "application/json"} if body else {}
    data = body.encode() if body else b""
    return AWSRequest("POST" if body else "GET", url, data=data, headers=headers)


def _node(script: str, key: NewKey, url: str, body: str | None, *more: str) -> Any:
    arguments = (url, key.access_key_id, key.secret, REGION, SERVICE, body or "", *more)
    return json.loads(node_signers().run(script, *arguments))


def _run(command: list[str]) -> Any:
    done = subprocess.run(  # noqa: S603 -- the programs under test, with our arguments
        command, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)
