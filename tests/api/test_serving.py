"""How an API process ends: it serves on through its drain time, then answers what is in hand."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from api.auth.raw import PEER
from api.connections import ConnectionLimits, bounded_protocol
from api.serving import DrainingServer, config
from tests.support.event_loop import EventLoop
from tests.support.stack import wait_until

LONG = 3600.0


async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


class Running:
    """A server in a loop of its own that notes what it is told."""

    def __init__(self, drain: float) -> None:
        self.loop = EventLoop()
        self.told: list[str] = []
        self._drain = drain
        self.loop.run(self._start())

    async def _start(self) -> None:
        protocol = bounded_protocol(ConnectionLimits(), lambda _: None)
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.server = DrainingServer(
            config(application, protocol, lifespan="off"),
            on_drain=self._note("stopping"),
            on_end=self._note("ending"),
            grace=1.0,
            drain=self._drain,
        )
        self.serving = asyncio.create_task(self.server.serve(sockets=[listening]))
        while not self.server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
            await asyncio.sleep(0.005)

    def _note(self, what: str) -> Callable[[], None]:
        return lambda: self.told.append(what)

    def send(self, number: int) -> None:
        self.loop.run(self._send(number))

    async def _send(self, number: int) -> None:
        self.server.handle_exit(number, None)

    async def close(self) -> None:
        self.server.should_exit = True
        await self.serving


@contextmanager
def running(drain: float) -> Iterator[Running]:
    made = Running(drain)
    try:
        yield made
    finally:
        made.loop.run(made.close())
        made.loop.close()


def test_a_server_serves_on_until_its_drain_time_is_over_and_a_second_signal_ends_it() -> None:
    with running(LONG) as process:
        process.send(signal.SIGTERM)
        assert process.told == ["stopping"]
        for _ in range(3):
            assert httpx.get(process.url, trust_env=False).status_code == 204
        assert not process.serving.done()
        process.send(signal.SIGTERM)
        wait_until(process.serving.done)
        assert process.told == ["stopping", "stopping", "ending"]


def test_the_drain_time_ends_by_itself() -> None:
    with running(0.01) as process:
        process.send(signal.SIGTERM)
        wait_until(process.serving.done)


@pytest.mark.parametrize(("number", "drain"), [(signal.SIGTERM, 0.0), (signal.SIGINT, LONG)])
def test_without_a_drain_time_and_for_a_person_the_end_comes_at_once(
    number: int, drain: float
) -> None:
    with running(drain) as process:
        process.send(number)
        wait_until(process.serving.done)
        assert process.told[-1] == "ending"


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.1.2.3", "203.0.113.9, ::ffff:10.1.9.9", "203.0.113.9"),
        ("::ffff:10.2.0.1", "203.0.113.9", "::ffff:10.2.0.1"),
    ],
)
async def test_a_proxy_is_believed_as_the_socket_spells_it(
    peer: str, said: str, client: str
) -> None:
    seen: list[Scope] = []

    async def note(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    protocol = bounded_protocol(ConnectionLimits(), lambda _: None)
    app: Any = config(note, protocol, proxies=["10.1.0.0/16"]).app
    headers = [(b"x-forwarded-for", said.encode())]
    await app({"type": "http", "client": (peer, 1), "headers": headers}, None, None)
    assert (seen[0]["client"][0], seen[0][PEER]) == (client, peer)


def test_a_connection_cannot_leave_its_bounds_for_another_protocol() -> None:
    headers: dict[str, Any] = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    with running(0.0) as process:
        assert httpx.get(process.url, headers=headers, trust_env=False).status_code == 204
