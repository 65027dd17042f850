"""One call on its way to a stand-in, and the faults that any server can have.

Faults with an answer of the server's own (a status, a rate limit, a login page) stay with the
stand-in, which knows how that server words them.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.kit.connection import CUT_EXTENSION

_HUGE = 10 * 1024 * 1024
_CHUNK = 64 * 1024


class InterceptedCall:
    """A call that the application has not answered yet, and the ways to answer it.

    ``body`` is what was read of it already, so that the application can read it again; None where
    nothing was read.
    """

    def __init__(
        self,
        app: ASGIApp,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        body: bytes | None = None,
    ) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self._body = body
        self.send = send

    async def forward(
        self, send: Send | None = None, *, scope: Mapping[str, Any] | None = None
    ) -> None:
        """Let the application respond; ``scope`` extends what it receives of the call."""
        await self._app({**self._scope, **(scope or {})}, self._replay(), send or self.send)

    async def work(self) -> tuple[Message, bytes]:
        """Let the application do the work, and withhold its response."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.forward(keep)
        return messages[0], b"".join(message.get("body", b"") for message in messages[1:])

    async def answer(self, response: ASGIApp) -> None:
        """Respond in place of the application."""
        await response(self._scope, self._replay(), self.send)

    async def pause(self, seconds: float) -> None:
        """Wait that long, or until the caller has hung up."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hung_up(), seconds)

    async def cut(self) -> None:
        """Close the TCP connection without an answer."""
        self._scope["extensions"][CUT_EXTENSION]()
        await self._hung_up()

    async def _hung_up(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def _replay(self) -> Receive:
        if self._body is None:
            return self._receive
        unread: list[Message] = [{"type": "http.request", "body": self._body, "more_body": False}]

        async def receive() -> Message:
            return unread.pop() if unread else await self._receive()

        return receive


async def late_answer(call: InterceptedCall, seconds: float) -> None:
    """Do the work, and answer so much later."""
    start, body = await call.work()
    await call.pause(seconds)
    await call.send(start)
    await call.send({"type": "http.response.body", "body": body})


async def late_work(call: InterceptedCall, seconds: float) -> None:
    """Begin the work so much later; it continues when the caller hangs up, as on a real server."""
    await asyncio.sleep(seconds)
    await call.forward()


async def cut_after_work(call: InterceptedCall) -> None:
    """Do the work, and cut the connection in place of an answer."""
    await call.work()
    await call.cut()


async def text_after_work(call: InterceptedCall, text: str) -> None:
    """Do the work, and answer with its status and a text where JSON belongs."""
    start, _ = await call.work()
    await call.answer(PlainTextResponse(text, start["status"]))


async def drip(call: InterceptedCall, seconds: float) -> None:
    """Do the work, and answer byte by byte with so long a pause after each."""
    start, body = await call.work()
    await call.send(start)
    for byte in body:
        piece = bytes([byte])
        await call.send({"type": "http.response.body", "body": piece, "more_body": True})
        await call.pause(seconds)
    await call.send({"type": "http.response.body", "body": b""})


async def huge_answer(call: InterceptedCall) -> None:
    """Do the work, and answer with 10 MB of blanks after the body."""
    start, body = await call.work()
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    await call.send({**start, "headers": headers})
    await call.send({"type": "http.response.body", "body": body, "more_body": True})
    for _chunk in range(_HUGE // _CHUNK):
        await call.send({"type": "http.response.body", "body": b" " * _CHUNK, "more_body": True})
    await call.send({"type": "http.response.body", "body": b""})
