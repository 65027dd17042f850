"""Whose word counts for where a call comes from, and that what follows a body is never a header."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.callers import DANA, Signature
from tests.support.postgres import Database
from tests.support.stack import Stack, running_stack
from tests.support.submissions import dns_body

LIMIT = 4


def limited_stack(
    database: Database, temporal_address: str, folder: Path, trusted: str
) -> Iterator[Stack]:
    environ = {"RATE_LIMIT_REQUESTS_PER_MINUTE": str(LIMIT), "PAO_TRUSTED_PROXIES": trusted}
    with running_stack(
        database, temporal_address, folder, environ=environ, with_worker=False
    ) as stack:
        yield stack


@pytest.fixture
def alone(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    """Nothing is trusted to say where a call comes from."""
    yield from limited_stack(database, temporal_address, tmp_path, "")


@pytest.fixture
def behind(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    """What calls from this machine is a proxy."""
    yield from limited_stack(database, temporal_address, tmp_path, "127.0.0.0/8")


def refusals(stack: Stack) -> list[int]:
    """Call without a key, each time as if from somewhere else."""
    anybody = stack.anybody()
    return [
        anybody.get("/requests", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
        for n in range(LIMIT + 3)
    ]


def test_a_stranger_cannot_say_that_he_calls_from_elsewhere(alone: Stack) -> None:
    assert refusals(alone) == [401] * LIMIT + [429] * 3


def test_a_configured_proxy_is_believed(behind: Stack) -> None:
    assert refusals(behind) == [401] * (LIMIT + 3)


def with_trailers(stack: Stack, request: httpx.Request, trailers: dict[str, str]) -> httpx.Response:
    """Send a request in chunks, with these names after its body instead of in its head."""
    body = request.content
    head = [f"{request.method} {request.url.raw_path.decode()} HTTP/1.1"]
    head += [
        f"{name}: {value}"
        for name, value in request.headers.items()
        if name not in {"content-length", *(each.lower() for each in trailers)}
    ]
    head += ["Transfer-Encoding: chunked", f"Trailer: {', '.join(trailers)}", "Connection: close"]
    tail = [f"{name}: {value}" for name, value in trailers.items()]
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""
    sent = "\r\n".join([*head, "", ""]).encode() + chunk + b"0\r\n"
    sent += "\r\n".join([*tail, "", ""]).encode()
    with socket.create_connection(("127.0.0.1", stack.port), timeout=60) as line:
        line.sendall(sent)
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    start, _, rest = answer.partition(b"\r\n\r\n")
    return httpx.Response(int(start.split()[1]), content=rest)


def sign_request(stack: Stack, path: str, body: object, headers: dict[str, str]) -> httpx.Request:
    request = httpx.Request(
        "POST", f"{stack.url}/api/v1{path}", content=json.dumps(body), headers=headers
    )
    return next(Signature(*stack.key(DANA)).auth_flow(request))


def test_a_signature_after_the_body_signs_nothing(stack: Stack) -> None:
    request = sign_request(
        stack, "/validate/request", dns_body(), {"Content-Type": "application/json"}
    )
    authorization = request.headers["authorization"]
    assert with_trailers(stack, request, {"X-Nothing": "x"}).status_code == 200
    request = sign_request(
        stack, "/validate/request", dns_body(), {"Content-Type": "application/json"}
    )
    authorization = request.headers["authorization"]
    assert with_trailers(stack, request, {"Authorization": authorization}).status_code == 401


def test_a_key_of_idempotency_after_the_body_is_none(stack: Stack) -> None:
    answers = []
    for _ in range(2):
        request = sign_request(stack, "/requests", dns_body(), {"Content-Type": "application/json"})
        answers.append(with_trailers(stack, request, {"Idempotency-Key": "after-the-body"}))
    assert stack.rows("select 1 from idempotency_keys where key = 'after-the-body'") == []
    assert all(answer.status_code in {201, 202} for answer in answers)


def test_an_address_after_the_body_is_nobodys(behind: Stack) -> None:
    request = httpx.Request("POST", f"{behind.url}/api/v1/requests", content=b"{}")
    statuses = [
        with_trailers(behind, request, {"X-Forwarded-For": f"203.0.113.{n}"}).status_code
        for n in range(LIMIT + 2)
    ]
    assert statuses == [401] * LIMIT + [429] * 2
