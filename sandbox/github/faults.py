"""Faults on demand: what a REST call can be made to suffer, and where it strikes."""

import asyncio
import contextlib
import re
import threading
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.github.base import RefusalError
from sandbox.github.record import Record
from sandbox.jira.faults import CUT_EXTENSION

Push = Callable[..., Any]
"""Commits files to a branch of a repository, as somebody else would."""

_HUGE = 10 * 1024 * 1024
_CHUNK = 64 * 1024
_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


class FaultKind(StrEnum):
    """What can go wrong; the words say whether GitHub does the work."""

    SLOW = "slow"
    STATUS = "status"
    STATUS_AFTER = "status-after"
    RATE_LIMIT = "rate-limit"
    SECONDARY_LIMIT = "secondary-limit"
    HTML = "html"
    GARBAGE = "garbage"
    CUT_BEFORE = "cut-before"
    CUT_AFTER = "cut-after"
    DRIP = "drip"
    HUGE = "huge"
    OVERTAKEN = "overtaken"


MEANING: dict[FaultKind, str] = {
    FaultKind.SLOW: "the work is done, the answer comes late",
    FaultKind.STATUS: "no work; an error answer with this status",
    FaultKind.STATUS_AFTER: "the work is done; an error answer with this status",
    FaultKind.RATE_LIMIT: "no work; 403 with the primary rate limit used up",
    FaultKind.SECONDARY_LIMIT: "no work; 429 with Retry-After, for too many changes",
    FaultKind.HTML: "no work; a page instead of JSON, with this status (200)",
    FaultKind.GARBAGE: "the work is done; an answer that is not JSON",
    FaultKind.CUT_BEFORE: "no work; the connection is cut",
    FaultKind.CUT_AFTER: "the work is done; the connection is cut before the answer",
    FaultKind.DRIP: "the work is done; the answer comes one byte a second",
    FaultKind.HUGE: "the work is done; the answer is 10 MB long",
    FaultKind.OVERTAKEN: "somebody else pushes these files to the branch just before the work",
}


class Fault(BaseModel):
    """One fault; it strikes ``times`` calls (None: all) whose method and path match.

    ``seconds`` is how long a slow answer takes, or the pause between two bytes of a drip.
    ``skip`` lets so many matching calls pass before it strikes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    method: str | None = None
    path: str = Field(default="", description="Regular expression, found in the path")
    times: Annotated[int, Field(ge=1)] | None = 1
    skip: Annotated[int, Field(ge=0)] = 0
    seconds: Annotated[float, Field(ge=0, le=3600)] = 1.0
    status: Annotated[int, Field(ge=200, le=599)] = 500
    retry_after: str = "30"
    message: str = "A fault that was asked for."
    repository: str = ""
    branch: str = "main"
    files: dict[str, str | None] = Field(default_factory=dict)

    def covers(self, method: str, path: str) -> bool:
        """Tell whether a call is meant."""
        return self.method in {None, method} and re.search(self.path, path) is not None


class FaultBook:
    """The faults in force, oldest first; they end with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def all(self) -> list[Fault]:
        """Return all faults in force."""
        with self._lock:
            return list(self._faults)

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Lift all faults."""
        with self._lock:
            self._faults.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """Return the oldest fault that covers the call, and count it as used."""
        with self._lock:
            for index, fault in enumerate(self._faults):
                if not fault.covers(method, path):
                    continue
                if fault.skip:
                    self._faults[index] = fault.model_copy(update={"skip": fault.skip - 1})
                    continue
                self._use(index, fault)
                return fault
        return None

    def _use(self, index: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times == 1:
            del self._faults[index]
            return
        self._faults[index] = fault.model_copy(update={"times": fault.times - 1})


class IncomingCall:
    """One call, and the ways in which it can be answered."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self.send = send

    async def pass_on(self) -> None:
        """Let the application answer."""
        await self._app(self._scope, self._receive, self.send)

    async def work(self) -> tuple[Message, bytes]:
        """Let the application do the work, and keep its answer back."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(self._scope, self._receive, keep)
        return messages[0], b"".join(message.get("body", b"") for message in messages[1:])

    async def answer(self, response: Response) -> None:
        """Answer instead of the application."""
        await response(self._scope, self._receive, self.send)

    async def pause(self, seconds: float) -> None:
        """Wait that long, or until the caller has hung up: then nobody waits for the answer."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hung_up(), seconds)

    async def cut(self) -> None:
        """Close the TCP connection without an answer."""
        self._scope["extensions"][CUT_EXTENSION]()
        await self._hung_up()

    async def _hung_up(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


class FaultMiddleware:
    """Keeps a record of the REST calls, and lets them suffer the faults in force."""

    def __init__(self, app: ASGIApp, book: FaultBook, record: Record, push: Push) -> None:
        self._app = app
        self._push = push
        self._book = book
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call, with the fault that covers it, if any."""
        if scope["type"] != "http" or not _is_rest(scope["path"]):
            await self._app(scope, receive, send)
            return
        call = IncomingCall(self._record.of(self._app), scope, receive, send)
        fault = self._book.strike(scope["method"], scope["path"])
        if fault is not None and fault.kind is FaultKind.OVERTAKEN:
            self._push(fault.repository, fault.branch, fault.files, message="A moment earlier")
        await (call.pass_on() if fault is None else _SUFFERING[fault.kind](fault, call))


def _is_rest(path: str) -> bool:
    return path.startswith(("/repos/", "/app/", "/api/v3/"))


async def _slow(fault: Fault, call: IncomingCall) -> None:
    start, body = await call.work()
    await call.pause(fault.seconds)
    await call.send(start)
    await call.send({"type": "http.response.body", "body": body})


async def _status(fault: Fault, call: IncomingCall) -> None:
    await call.answer(RefusalError(fault.status, fault.message).response)


async def _status_after(fault: Fault, call: IncomingCall) -> None:
    await call.work()
    await _status(fault, call)


async def _rate_limit(fault: Fault, call: IncomingCall) -> None:
    response = RefusalError(403, "API rate limit exceeded for user ID 1.").response
    response.headers.update({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fault.retry_after})
    await call.answer(response)


async def _secondary_limit(fault: Fault, call: IncomingCall) -> None:
    response = RefusalError(429, _SECONDARY).response
    response.headers.update({"Retry-After": fault.retry_after})
    await call.answer(response)


async def _html(fault: Fault, call: IncomingCall) -> None:
    status = 200 if fault.status == 500 else fault.status  # noqa: PLR2004 -- the field's default
    await call.answer(HTMLResponse("<!doctype html><title>Unicorn!</title>", status))


async def _garbage(_: Fault, call: IncomingCall) -> None:
    start, _body = await call.work()
    await call.answer(PlainTextResponse("{\x00 it worked, probably", start["status"]))


async def _cut_before(_: Fault, call: IncomingCall) -> None:
    await call.cut()


async def _cut_after(_: Fault, call: IncomingCall) -> None:
    await call.work()
    await call.cut()


async def _drip(fault: Fault, call: IncomingCall) -> None:
    start, body = await call.work()
    await call.send(start)
    for byte in body:
        piece = bytes([byte])
        await call.send({"type": "http.response.body", "body": piece, "more_body": True})
        await call.pause(fault.seconds)
    await call.send({"type": "http.response.body", "body": b""})


async def _huge(_: Fault, call: IncomingCall) -> None:
    start, _body = await call.work()
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    await call.send({**start, "headers": headers})
    for _chunk in range(_HUGE // _CHUNK):
        await call.send({"type": "http.response.body", "body": b" " * _CHUNK, "more_body": True})
    await call.send({"type": "http.response.body", "body": b"{}"})


async def _overtaken(_: Fault, call: IncomingCall) -> None:
    await call.pass_on()


_SUFFERING: dict[FaultKind, Callable[[Fault, IncomingCall], Awaitable[Any]]] = {
    FaultKind.SLOW: _slow,
    FaultKind.STATUS: _status,
    FaultKind.RATE_LIMIT: _rate_limit,
    FaultKind.SECONDARY_LIMIT: _secondary_limit,
    FaultKind.HTML: _html,
    FaultKind.GARBAGE: _garbage,
    FaultKind.STATUS_AFTER: _status_after,
    FaultKind.CUT_BEFORE: _cut_before,
    FaultKind.CUT_AFTER: _cut_after,
    FaultKind.DRIP: _drip,
    FaultKind.HUGE: _huge,
    FaultKind.OVERTAKEN: _overtaken,
}
