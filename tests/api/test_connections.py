"""What a connection may cost without a key, with either of uvicorn's protocols."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.connections import ConnectionLimits, Connections, bounded_protocol
from api.serving import config
from tests.support.event_loop import EventLoop
from tests.support.postgres import Database
from tests.support.stack import Stack, running_stack, wait_until

LONG = 3600.0
PATIENT = ConnectionLimits(
    most=100,
    most_per_address=100,
    head_bytes=4096,
    head_seconds=LONG,
    idle_seconds=LONG,
    write_seconds=LONG,
)
HASTY: dict[str, Any] = {"head_seconds": 0.05, "idle_seconds": 0.05, "write_seconds": 0.05}
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
PROTOCOLS = {"httptools": HttpToolsProtocol, "h11": H11Protocol}


@dataclass
class RunningServer:
    """A server with an application of a few lines, whose answers tests hold back."""

    loop: EventLoop
    protocol: type[Any]
    port: int = 0
    reasons: list[str] = field(default_factory=list)
    headers: list[dict[bytes, bytes]] = field(default_factory=list)
    left: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
        self.headers.append(dict(scope["headers"]))
        if scope["path"] == "/hold":
            await self.released.wait()
        size = 50_000_000 if scope["path"] == "/large" else 2
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while scope["path"] == "/stream" and not self.left:
            part = {"type": "http.response.body", "body": b"o" * 1_000_000, "more_body": True}
            await send(part)
            if (await receive())["type"] == "http.disconnect":
                self.left = True
        await send({"type": "http.response.body", "body": b"o" * size})

    async def start(self) -> None:
        self.released = asyncio.Event()
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        self.server = uvicorn.Server(config(self, self.protocol, lifespan="off"))
        self.serving = asyncio.create_task(self.server.serve(sockets=[listening]))
        while not self.server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self.released.set()
        self.server.should_exit = True
        await self.serving

    async def release(self) -> None:
        self.released.set()

    def connect(self, sent: bytes = b"") -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        made.sendall(sent)
        return made

    @property
    def open(self) -> int:
        return len(self.protocol.register)


def bounds(**given: Any) -> ConnectionLimits:
    return replace(PATIENT, **given)


@contextmanager
def served(
    base: type[Any], loop: asyncio.AbstractEventLoop | None = None, **limits: Any
) -> Iterator[RunningServer]:
    thread = EventLoop(loop)
    reasons: list[str] = []
    protocol = bounded_protocol(bounds(**limits), reasons.append, base)
    made = RunningServer(thread, protocol, reasons=reasons)
    thread.run(made.start())
    try:
        yield made
    finally:
        thread.run(made.stop())
        thread.close()


@pytest.fixture(params=list(PROTOCOLS.values()), ids=list(PROTOCOLS))
def base(request: Any) -> Any:
    return request.param


def rest(connection: socket.socket) -> bytes:
    """Read until the server has closed; the test's own time-out tells that it has not."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def read_error(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]["code"]


def test_a_connection_that_says_nothing_is_closed(base: Any) -> None:
    with served(base, **HASTY) as server, server.connect() as connection:
        assert rest(connection) == b""
        wait_until(lambda: not server.open)


def test_a_head_that_drips_in_is_ended(base: Any) -> None:
    # Long enough for a part of the head to arrive, which a busy machine may delay.
    with served(base, head_seconds=1.0) as server, server.connect(GET[:-4]) as connection:
        assert read_error(rest(connection)) == (408, "VALIDATION_ERROR")
    assert server.reasons == ["head late"]


def test_the_time_of_a_head_does_not_begin_anew_with_each_byte(base: Any) -> None:
    with served(base, **HASTY) as server, server.connect(GET[:-4]) as connection:
        connection.settimeout(0)

        def ended() -> bool:
            try:
                connection.send(b"a")
            except OSError:
                return True
            return False

        wait_until(ended)
        wait_until(lambda: not server.open)


def test_a_head_without_an_end_is_cut_at_its_bound(base: Any) -> None:
    sent = b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 6000
    with served(base) as server, server.connect(sent) as connection:
        status, code = read_error(rest(connection))
    assert (status, code) == (431, "PAYLOAD_TOO_LARGE")


def test_what_is_no_request_is_refused_in_the_envelope(base: Any) -> None:
    with served(base) as server, server.connect(b"\x16\x03\x01 hello\r\n\r\n") as connection:
        assert read_error(rest(connection)) == (400, "VALIDATION_ERROR")
    assert server.reasons == ["no HTTP"]


def test_a_connection_that_is_idle_after_an_answer_is_closed(base: Any) -> None:
    limits = HASTY | {"head_seconds": LONG}
    with served(base, **limits) as server, server.connect(GET) as connection:
        assert rest(connection).startswith(b"HTTP/1.1 200")
        wait_until(lambda: not server.open)


def test_a_second_head_that_drips_in_is_ended(base: Any) -> None:
    limits = HASTY | {"idle_seconds": LONG}
    with served(base) as server, server.connect(GET) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        server.protocol.limits = bounds(**limits)
        connection.sendall(GET[:-4])
        assert b"HTTP/1.1 408" in rest(connection)


def test_a_call_in_hand_may_take_longer_than_a_head(base: Any) -> None:
    call = GET.replace(b"/ ", b"/hold ")
    with served(base) as server, server.connect(call) as slow:
        wait_until(lambda: server.headers)
        server.protocol.limits = bounds(**HASTY)
        slow.sendall(GET[:-4])
        with server.connect(GET[:-4]) as other:
            rest(other)
        server.loop.run(server.release())
        assert b"200" in slow.recv(1000)


def test_a_client_that_does_not_read_its_answer_is_cut_off(base: Any) -> None:
    limits = HASTY | {"head_seconds": LONG, "idle_seconds": LONG}
    call = GET.replace(b"/ ", b"/large ")
    with served(base, **limits) as server, server.connect(call):
        wait_until(lambda: server.headers)
        wait_until(lambda: not server.open)


def test_idle_connections_make_room_for_new_ones(base: Any) -> None:
    with served(base, most=3) as server:
        idle = [server.connect() for _ in range(30)]
        with server.connect(GET) as honest:
            assert honest.recv(1000).startswith(b"HTTP/1.1 200")
        assert server.open <= 3
        assert rest(idle[0]) == b""
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("most", (503, "SERVICE_UNAVAILABLE")), ("most_per_address", (429, "RATE_LIMIT_EXCEEDED"))],
)
def test_calls_in_hand_keep_their_places_and_more_are_told_to_wait(
    base: Any, limit: str, expected: tuple[int, str]
) -> None:
    call = GET.replace(b"/ ", b"/hold ")
    bound: dict[str, Any] = {limit: 2}
    with served(base, **bound) as server:
        busy = [server.connect(call) for _ in range(2)]
        wait_until(lambda: len(server.headers) == 2)
        with server.connect() as refused:
            assert read_error(rest(refused)) == expected
        server.loop.run(server.release())
        for connection in busy:
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        with server.connect(GET) as later:
            assert later.recv(1000).startswith(b"HTTP/1.1 200")
        for connection in busy:
            connection.close()


def test_a_client_that_asks_twice_and_never_reads_is_gone_to_the_first_answer_too(
    base: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "api.connections")
    # `pao api` runs on it. Its transports take a write after the end for a programming error.
    loop = uvloop.new_event_loop()
    asked = GET.replace(b"/", b"/stream", 1) + GET
    with served(base, loop, write_seconds=0.05) as server, server.connect(asked):
        wait_until(lambda: server.left)
        wait_until(lambda: not server.open)
    logged = [(record.levelname, record.name) for record in caplog.records]
    assert [one for one in logged if one[0] == "ERROR"] == []
    assert logged.count(("DEBUG", "api.connections")) == 1


def test_trailers_never_become_headers(base: Any) -> None:
    sent = (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1\r\na\r\n0\r\nX-Pao-Secret: trailer\r\n\r\n"
    )
    with served(base) as server, server.connect(sent) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    assert b"x-pao-secret" not in server.headers[0]


def test_trailers_without_an_end_are_cut(base: Any) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    with served(base) as server, server.connect(head) as connection:
        connection.settimeout(0)
        trailer = b"0\r\nX-Long: "

        def cut() -> bool:
            nonlocal trailer
            try:
                connection.send(trailer)
            except BlockingIOError:
                return False
            except OSError:
                return True
            trailer = b"a" * 1000
            return False

        wait_until(cut)
        wait_until(lambda: not server.open)


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_is_no_head_however_large_it_is(base: Any, chunked: object) -> None:
    body = b"".join(b"3e8\r\n" + b"a" * 1000 + b"\r\n" for _ in range(500)) + b"0\r\n\r\n"
    kind = b"Transfer-Encoding: chunked"
    if not chunked:
        body = b"a" * 500_000
        kind = b"Content-Length: 500000"
    head = b"POST / HTTP/1.1\r\nHost: a\r\n" + kind + b"\r\n\r\n"
    with served(base) as server, server.connect(head) as connection:
        for start in range(0, len(body), 4999):
            connection.sendall(body[start : start + 4999])
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


class Line:
    """A connection that notes that it was closed."""

    closed = False

    def evict(self) -> None:
        self.closed = True


def test_of_those_that_wait_the_oldest_makes_room() -> None:
    register = Connections(ConnectionLimits(most=3, most_per_address=3), lambda _: None)
    first, second, third, fourth, fifth = (Line() for _ in range(5))
    for line in (first, second, third):
        assert register.admit(line, "192.0.2.1") is None
    register.mark_busy(first)
    register.mark_busy(third)
    register.mark_idle(first)
    assert register.admit(fourth, "192.0.2.2") is None
    assert register.admit(fifth, "192.0.2.3") is None
    assert [line.closed for line in (first, second, third, fourth)] == [True, True, False, False]


A, B = "192.0.2.1", "192.0.2.2"


def test_an_address_that_has_its_share_takes_nobody_elses() -> None:
    register = Connections(ConnectionLimits(most=10, most_per_address=2), lambda _: None)
    other, own, *more = (Line() for _ in range(4))
    for line, address in ((other, B), (own, A), (more[0], A), (more[1], A)):
        assert register.admit(line, address) is None
    assert (other.closed, own.closed, len(register)) == (False, True, 3)


def test_a_proxy_has_no_share_of_one_address() -> None:
    limits = ConnectionLimits(most=10, most_per_address=1, proxies=("192.0.2.0/31",))
    register = Connections(limits, lambda _: None)
    lines = [Line() for _ in range(4)]
    for line, address in zip(lines, (A, A, f"::ffff:{A}", f"::ffff:{A}"), strict=True):
        assert register.admit(line, address) is None
    assert not any(line.closed for line in lines)


def test_a_call_is_taken_for_the_forwarded_address_from_a_trusted_proxy_only(
    database: Database, temporal_address: str, tmp_path: Path
) -> None:
    def statuses(trusted: str) -> list[int]:
        environ = {"RATE_LIMIT_REQUESTS_PER_MINUTE": "2", "PAO_TRUSTED_PROXIES": trusted}
        with running_stack(
            database, temporal_address, tmp_path, environ=environ, with_worker=False
        ) as stack:
            url = f"{stack.url}/api/v1/catalog"
            return [
                httpx.get(
                    url, headers={"X-Forwarded-For": f"203.0.113.{number}"}, trust_env=False
                ).status_code
                for number in (1, 1, 1, 2)
            ]

    assert statuses("127.0.0.0/8") == [401, 401, 429, 401]
    assert statuses("") == [401, 401, 429, 429]


def test_files_that_the_process_needs_itself_are_kept_free() -> None:
    assert ConnectionLimits(most=5000).within(1024).most == 824
    assert ConnectionLimits(most=500).within(65_536).most == 500


@pytest.mark.parametrize("size", [40_000, 66_000, 70_000, 300_000])
@pytest.mark.parametrize("pieces", [1, 2])
def test_a_request_line_that_is_too_long_is_refused_in_the_envelope(
    stack: Stack, size: int, pieces: int
) -> None:
    line = b"GET /api/v1/version?" + b"a" * size + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stack.port), timeout=60) as connection:
        for part in (line[: len(line) // pieces], line[len(line) // pieces :]):
            with contextlib.suppress(OSError):
                connection.sendall(part)
        assert read_error(rest(connection)) == (431, "PAYLOAD_TOO_LARGE")


def test_a_head_that_came_whole_but_is_too_large_is_refused_in_the_envelope(
    stack: Stack,
) -> None:
    with httpx.Client(base_url=f"{stack.url}/api/v1", trust_env=False) as anybody:
        large = anybody.get("/version", headers={"X-Large": "a" * 40_000})
        long = anybody.get(f"/version?{'a' * 40_000}")
        many = anybody.get("/version", headers=[(f"X-{n}", "a") for n in range(150)])
        usual = anybody.get("/version", headers={"X-Large": "a" * 20_000})
    assert [one.status_code for one in (large, long, many, usual)] == [431, 431, 431, 200]
    assert large.json()["error"]["code"] == many.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert large.headers["Connection"] == "close"
