"""Every way in which a call to JIRA ends badly, over real sockets."""

import asyncio
import base64
import contextlib
import json
import logging
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from pao.clients.jira import (
    BasicAuth,
    Deadline,
    JiraClient,
    JiraError,
    JiraFlavour,
    JiraInstance,
    JiraOutcomeUnknownError,
    JiraRefusedError,
    JiraUnreachableError,
)
from pao.core.answers import READ_BYTES
from sandbox.jira.world import Settings
from tests.support.jira import JiraSandbox, jira_sandbox

TOTAL = 0.4
FIELDS: dict[str, Any] = {
    "project": {"key": "PLATFORM"},
    "issuetype": {"name": "Task"},
    "summary": "A database",
    "labels": ["pao-1"],
}


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


def instance(url: str, **changes: Any) -> JiraInstance:
    values: dict[str, Any] = {
        "name": "main",
        "base_url": url,
        "flavour": JiraFlavour.DATACENTER,
        "auth": BasicAuth("pao", SecretStr("sandbox-token")),
        "default_project": "PLATFORM",
        "total_timeout": TOTAL,
        "connect_timeout": 0.2,
    }
    return JiraInstance(**{**values, **changes})


async def failure(url: str, **changes: Any) -> JiraError:
    async with JiraClient(instance(url, **changes)) as client:
        with pytest.raises(JiraError) as caught:
            await client.create_issue(FIELDS)
    return caught.value


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JiraSandbox]:
    with jira_sandbox(tmp_path_factory.mktemp("jira")) as started:
        yield started


@pytest.fixture
def sandbox(running: JiraSandbox) -> JiraSandbox:
    running.reset()
    return running


@pytest.fixture(params=list(JiraFlavour))
async def patient(
    sandbox: JiraSandbox, request: pytest.FixtureRequest
) -> AsyncIterator[JiraClient]:
    """For answers that do come, however busy the machine is."""
    async with JiraClient(sandbox.instance(flavour=request.param)) as made:
        yield made


@pytest.fixture(params=list(JiraFlavour))
async def client(sandbox: JiraSandbox, request: pytest.FixtureRequest) -> AsyncIterator[JiraClient]:
    async with JiraClient(instance(sandbox.url, flavour=request.param)) as made:
        yield made


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("slow", True),
        ("not-json-201", True),
        ("cut-before", False),
        ("cut-after", True),
        ("drip", True),
        ("huge", True),
    ],
)
async def test_no_readable_answer_leaves_the_outcome_unknown_and_a_look_tells_it(
    client: JiraClient, sandbox: JiraSandbox, *, kind: str, made: bool
) -> None:
    sandbox.fault(kind)
    with pytest.raises(JiraOutcomeUnknownError) as caught:
        await client.create_issue(FIELDS)
    assert '"main"' in caught.value.message
    assert caught.value.retryable
    found = await client.find_by_label("pao-1")
    assert (found is not None) is made


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (403, False), (404, False), (409, True), (429, True)]
)
async def test_an_error_answer_is_a_refusal_with_jiras_words(
    client: JiraClient, sandbox: JiraSandbox, *, status: int, retryable: bool
) -> None:
    sandbox.fault("status", status=status, message="No, because.")
    with pytest.raises(JiraRefusedError) as caught:
        await client.create_issue(FIELDS)
    assert caught.value.status == status
    assert caught.value.retryable is retryable
    assert "No, because." in caught.value.message
    assert caught.value.error_messages == ("No, because.",)


@pytest.mark.parametrize("status", [408, 499, 500, 502, 503, 504])
@pytest.mark.parametrize("kind", ["status", "status-after"])
async def test_what_does_not_prove_that_nothing_was_done_leaves_the_outcome_unknown(
    patient: JiraClient, sandbox: JiraSandbox, status: int, kind: str
) -> None:
    made = await patient.create_issue(FIELDS)
    changes: dict[str, Callable[[], Any]] = {
        "/issue$": lambda: patient.create_issue(FIELDS),
        "/comment$": lambda: patient.add_comment(made.key, "a comment"),
        "/issueLink$": lambda: patient.link_issues(made.key, made.key),
        "/attachments$": lambda: patient.attach(made.key, ("a.txt", b"a", "text/plain")),
    }
    for path, change in changes.items():
        sandbox.fault(
            kind, status=status, match={"method": "POST", "path": path}, message="Down, sorry."
        )
        with pytest.raises(JiraOutcomeUnknownError, match=f"HTTP {status}: Down, sorry") as caught:
            await change()
        assert caught.value.retryable
        assert caught.value.judged.counts is (status >= 500)


async def test_a_question_that_is_answered_by_an_error_counts_for_the_breaker(
    patient: JiraClient, sandbox: JiraSandbox
) -> None:
    for status, counts in ((503, True), (500, True), (429, False), (401, False), (408, False)):
        sandbox.fault("status", status=status, match={})
        with pytest.raises(JiraRefusedError) as caught:
            await patient.find_by_label("pao-1")
        assert caught.value.judged.counts is counts


async def test_a_refusal_names_field_by_field_what_is_wrong(client: JiraClient) -> None:
    with pytest.raises(JiraRefusedError) as caught:
        await client.create_issue({"project": {"key": "NOPE"}, "issuetype": {"name": "Task"}})
    assert set(caught.value.errors) == {"project", "summary"}
    assert "summary: You must specify a summary of the issue." in caught.value.message
    assert caught.value.body is not None


async def test_a_rate_limit_fails_at_once_and_shows_retry_after(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    sandbox.fault("rate-limit", retryAfter="120")
    with pytest.raises(JiraRefusedError) as caught:
        await client.create_issue(FIELDS)
    assert (caught.value.status, caught.value.retry_after) == (429, "120")
    assert caught.value.retryable
    assert "Retry-After: 120" in caught.value.message
    assert sandbox.tickets() == []


@pytest.mark.parametrize("status", [200, 302])
async def test_a_login_page_is_never_a_success(
    client: JiraClient, sandbox: JiraSandbox, status: int
) -> None:
    sandbox.fault("html-login", status=status)
    with pytest.raises(JiraOutcomeUnknownError, match="login page") as caught:
        await client.create_issue(FIELDS)
    assert caught.value.status == status
    sandbox.fault("html-login", status=status, match={})
    with pytest.raises(JiraRefusedError, match="login"):
        await client.find_by_label("pao-1")


async def test_a_captcha_says_how_to_get_rid_of_it(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    sandbox.fault("status", status=403, loginReason="AUTHENTICATION_DENIED")
    with pytest.raises(JiraRefusedError, match="captcha"):
        await client.create_issue(FIELDS)


async def test_an_api_that_is_gone_points_at_the_flavour(sandbox: JiraSandbox) -> None:
    sandbox.fault("status", status=410, message="Removed.")
    assert "flavour" in (await failure(sandbox.url)).message


@pytest.mark.parametrize("kind", ["slow", "cut-before", "drip"])
async def test_a_question_without_an_answer_changed_nothing(
    client: JiraClient, sandbox: JiraSandbox, kind: str
) -> None:
    sandbox.fault(kind, match={})
    with pytest.raises(JiraUnreachableError, match="Nothing was changed"):
        await client.find_by_label("pao-1")


async def test_a_huge_answer_to_a_question_is_refused(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    sandbox.fault("huge", match={})
    with pytest.raises(JiraRefusedError, match="larger than 4 MB") as caught:
        await client.find_by_label("pao-1")
    assert caught.value.body is not None
    assert len(caught.value.body) <= READ_BYTES


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


async def test_speaking_tls_to_a_server_that_has_none_never_left(sandbox: JiraSandbox) -> None:
    error = await failure(sandbox.url.replace("http:", "https:"))
    assert isinstance(error, JiraUnreachableError)
    assert "TLS" in error.message


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
        ("http://[broken", "a place that is no URL"),
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
    with jira_sandbox(tmp_path, settings=Settings(username="ann", token=TOKEN)) as jira:
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


async def test_nothing_is_sent_after_the_caller_was_cancelled(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    blockers = [asyncio.create_task(client.find_by_label("x")) for _ in range(40)]
    sandbox.fault("slow", match={"path": "/search"}, times=None)
    late = asyncio.create_task(client.create_issue(FIELDS))
    await asyncio.sleep(0)
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    await asyncio.gather(*blockers, return_exceptions=True)
    assert sandbox.tickets() == []


async def test_a_call_that_waited_too_long_for_its_turn_is_never_sent(
    sandbox: JiraSandbox,
) -> None:
    sandbox.fault("slow", match={"path": "/search"}, times=None, seconds=5)
    async with JiraClient(instance(sandbox.url)) as client:
        blockers = [asyncio.create_task(client.find_by_label("x")) for _ in range(32)]
        brief = Deadline.after(TOTAL / 2)
        late = asyncio.create_task(client.create_issue(FIELDS, deadline=brief))
        results = await asyncio.gather(*blockers, late, return_exceptions=True)
    assert all(isinstance(result, JiraUnreachableError) for result in results)
    assert sandbox.tickets() == []


async def test_the_call_after_a_cut_one_works(client: JiraClient, sandbox: JiraSandbox) -> None:
    sandbox.fault("cut-after")
    with pytest.raises(JiraOutcomeUnknownError):
        await client.create_issue(FIELDS)
    assert (await client.create_issue(FIELDS)).key == "PLATFORM-2"


async def test_no_log_line_holds_the_token_or_the_ticket(
    client: JiraClient, sandbox: JiraSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await client.create_issue({**FIELDS, "description": "a-secret-of-somebody"})
    assert sandbox.settings.token not in caplog.text
    assert "a-secret-of-somebody" not in caplog.text


async def test_the_deadline_holds_for_the_event_loop_too(sandbox: JiraSandbox) -> None:
    # This ends although the answer takes an hour.
    sandbox.fault("slow", seconds=3600)
    await failure(sandbox.url)
