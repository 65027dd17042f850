"""AWS signs what it decodes: its own canonical form, computed here from what was sent."""

import hashlib
import hmac
import re
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.support.actions import ActionRunner
from tests.support.raw_servers import answering, raw_server
from tests.support.rest_calls import SECRETS

KEYS = {
    "type": "aws-sigv4",
    "accessKeyId": "AKIDEXAMPLE",
    "secretAccessKey": "{{secrets.token}}",
    "region": "us-east-1",
}


async def signed(stage: ActionRunner, target: str, *, service: str, **more: Any) -> bytes:
    """Return what was sent to a target."""
    with raw_server(answering(b"{}")) as server:
        config = {
            "endpoint": {"url": f"{server.url}{target}", "method": "GET"},
            "authentication": {**KEYS, "service": service},
            **more,
        }
        await stage.execute(stage.request(config, title="b c"))
        return server.requests[0]


def is_valid(request: bytes, *, service: str) -> bool:
    """Verify a signature as AWS documents it."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    pairs = (one.partition("=") for one in query.split("&") if one)
    encoded = sorted(f"{_encoded(unquote(k))}={_encoded(unquote(v))}" for k, _, v in pairs)
    segments = path.split("/")
    told = re.search(r"SignedHeaders=([^,]+), Signature=(\w+)", headers["authorization"])
    assert told
    canonical = [
        method,
        "/".join(_encoded(unquote(one) if service == "s3" else one) for one in segments),
        "&".join(encoded),
        *(f"{name}:{headers[name]}" for name in told[1].split(";")),
        "",
        told[1],
        hashlib.sha256(body).hexdigest(),
    ]
    date = headers["x-amz-date"]
    scope = [date[:8], "us-east-1", service, "aws4_request"]
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", date, "/".join(scope), digest])
    key = f"AWS4{SECRETS['token']}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest() == told[2]


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


@pytest.mark.parametrize(
    "target",
    [
        "/x?at=2024-01-01T10:00:00Z",
        "/x?ids=a,b",
        "/x?p=/a/b",
        "/x?p=a@b",
        "/x?name=it's(1)*!",
        "/x?a=b=c",
        "/x?q=%7E&q=~",
        "/x?q=a+b%2Bc&b=%C3%A9&flag&a=",
        "/x?q={{fields.title}}#part",
        "/a b:c,d/%C3%A9?b=2&a=1",
    ],
)
@pytest.mark.parametrize("service", ["execute-api", "s3"])
async def test_an_address_is_signed_as_aws_reads_it(
    stage: ActionRunner, target: str, service: str
) -> None:
    assert is_valid(await signed(stage, target, service=service), service=service)


async def test_a_query_of_its_own_is_signed_and_means_the_same(stage: ActionRunner) -> None:
    query = {"q": "a b:c,d/e'()*~+", "list": ["1", "2"]}
    request = await signed(stage, "/x", service="execute-api", query=query)
    assert is_valid(request, service="execute-api")
    assert b"/x?q=a%20b%3Ac%2Cd%2Fe%27%28%29%2A~%2B&list=1&list=2 HTTP/1.1" in request


async def test_s3_is_told_the_digest_of_the_body(stage: ActionRunner) -> None:
    request = await signed(stage, "/bucket/a%20b.txt", service="s3")
    told = f"x-amz-content-sha256: {hashlib.sha256(b'').hexdigest()}"
    assert told.encode() in request.lower()
    assert b"GET /bucket/a%20b.txt HTTP/1.1" in request
