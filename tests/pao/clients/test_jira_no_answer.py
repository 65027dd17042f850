"""Calls to JIRA that nobody answers, or not with HTTP that makes sense; what is told of them."""

import base64
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from pao.clients.jira import (
    BasicAuth,
    JiraClient,
    JiraError,
    JiraOutcomeUnknownError,
    JiraUnreachableError,
)
from sandbox.jira.settings import JiraSandboxSettings
from tests.support.jira import jira_sandbox
from tests.support.jira_raw import FIELDS, failure


class RawServer:
    """Accepts connections and lets a function misbehave on each of them."""

    def __init__(self, misbehave: Callable[[socket.socket], None]) -> None:
        self._misbehave = misbehave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            self._misbehave(connection)

    def close(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@contextlib.contextmanager
def raw_server(misbehave: Callable[[socket.socket], None]) -> Iterator[RawServer]:
    server = RawServer(misbehave)
    try:
        yield server
    finally:
        server.close()


def answering(text: str) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(text.replace("\n", "\r\n").encode())


async def test_a_connection_that_is_refused_never_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = await failure(f"http://127.0.0.1:{port}")
    assert isinstance(error, JiraUnreachableError)
    assert "refused" in error.message


async def test_a_name_that_does_not_exist_never_left() -> None:
    error = await failure("http://jira.invalid", total_timeout=20.0)
    assert isinstance(error, JiraUnreachableError)


async def test_a_connection_that_nobody_accepts_never_left() -> None:
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            filler = waiting.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(full.getsockname())
        error = await failure(f"http://127.0.0.1:{full.getsockname()[1]}")
    assert isinstance(error, JiraUnreachableError)
    assert "no connection could be made in time" in error.message


async def test_a_tls_handshake_that_never_ends_meets_the_deadline() -> None:
    over = threading.Event()

    def stay_silent(_: socket.socket) -> None:
        over.wait(10)

    with raw_server(stay_silent) as server:
        error = await failure(server.url.replace("http:", "https:"), connect_timeout=10.0)
        over.set()
    assert isinstance(error, JiraUnreachableError)


def dripping_head(server_over: threading.Event) -> Callable[[socket.socket], None]:
    def drip(connection: socket.socket) -> None:
        for byte in b"HTTP/1.1 201 Created\r\nX-Slow: " + b"z" * 1000:
            connection.sendall(bytes([byte]))
            if server_over.wait(0.1):
                return

    return drip


async def test_a_head_that_drips_byte_by_byte_meets_the_deadline() -> None:
    over = threading.Event()
    with raw_server(dripping_head(over)) as server:
        error = await failure(server.url)
        over.set()
    assert isinstance(error, JiraOutcomeUnknownError)
    assert "in time" in error.message


async def test_an_answer_without_a_length_that_drips_is_no_answer() -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 201 Created\r\n\r\n{"key":"PLATFORM-1","id":"1"}')
        while not over.wait(0.1):
            connection.sendall(b" ")

    with raw_server(drip) as server:
        error = await failure(server.url)
        over.set()
    assert isinstance(error, JiraOutcomeUnknownError)


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1 201 Created\nContent-Length: 500\n\n{",
        "HTTP/1.1 201 Created\nContent-Length: 2\n\n{}",
        'HTTP/1.1 201 Created\nContent-Length: 28\n\n{"key":"../../x", "id":"ten"}',
        "HTTP/1.1 200 OK\nContent-Length: 29\n\n" + '{"key":"PLATFORM-1","id":"1"}',
        "HTTP/1.1 201 Created\nContent-Encoding: gzip\nContent-Length: 4\n\nnope",
        "not HTTP at all\n\n",
    ],
)
async def test_an_answer_that_makes_no_sense_leaves_the_outcome_unknown(head: str) -> None:
    with raw_server(answering(head)) as server:
        assert isinstance(await failure(server.url), JiraOutcomeUnknownError)


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("http://[broken", "an invalid URL"),
        ("https://ann:pw@sso.example.com/login?token=s3cret", "https://sso.example.com/login, as"),
    ],
)
async def test_a_redirect_says_where_it_leads_and_proves_nothing(location: str, place: str) -> None:
    head = f"HTTP/1.1 302 Found\nLocation: {location}\nContent-Length: 0\n\n"
    with raw_server(answering(head)) as server:
        error = await failure(server.url)
    assert isinstance(error, JiraOutcomeUnknownError)
    assert error.status == 302
    assert place in error.message
    assert "s3cret" not in error.message


TOKEN = "s3cret/Token+value"
PAIR = base64.b64encode(f"ann:{TOKEN}".encode()).decode()


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        PAIR,
        TOKEN.upper(),
        TOKEN.encode().hex(),
        base64.b64encode(TOKEN.encode()).decode(),
        quote(quote(TOKEN, safe=""), safe=""),
        "".join(f"&#{ord(letter)};" for letter in TOKEN),
        "".join(f"\\u{ord(letter):04x}" for letter in TOKEN),
        json.dumps(json.dumps({"token": TOKEN})),
    ],
)
async def test_credentials_do_not_come_back_in_any_form(tmp_path: Path, form: str) -> None:
    with jira_sandbox(tmp_path, settings=JiraSandboxSettings(username="ann", token=TOKEN)) as jira:
        jira.fault("status", status=400, message=f"You sent {form}.")
        jira.fault("status", status=503, message=f"You sent {form}.")
        instance = jira.instance(auth=BasicAuth("ann", SecretStr(TOKEN)))
        async with JiraClient(instance) as client:
            for _ in range(2):
                with pytest.raises(JiraError) as caught:
                    await client.create_issue(FIELDS)
                error = caught.value
                told = f"{error.message} {error.body}"
                assert not any(one in told for one in (form, TOKEN, PAIR))
                assert form not in str(getattr(error, "error_messages", ""))


async def test_credentials_and_nul_that_a_proxy_echoes_do_not_reach_the_error() -> None:
    body = '{"errorMessages":["token sandbox-token \\u0000"],"errors":{}} cGFvOnNhbmRib3gtdG9rZW4='
    head = f"HTTP/1.1 400 Bad\nContent-Length: {len(body)}\n\n{body}"
    plain = body.removesuffix(" cGFvOnNhbmRib3gtdG9rZW4=")
    for text in (head, f"HTTP/1.1 400 Bad\nContent-Length: {len(plain)}\n\n{plain}"):
        with raw_server(answering(text)) as server:
            error = await failure(server.url)
        for shown in (error.message, error.body or ""):
            assert "sandbox-token" not in shown
            assert "cGFvOnNhbmRib3gtdG9rZW4=" not in shown
            assert "\x00" not in shown
