"""Fault injection for REST calls: the kinds of faults, and which calls they apply to."""

import re
import threading
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.github.base import RefusalError
from sandbox.kit.intercepted import (
    InterceptedCall,
    cut_after_work,
    drip,
    huge_answer,
    late_answer,
    text_after_work,
)
from sandbox.kit.record import Record

Push = Callable[..., Any]
"""Commits files to a branch of a repository, as somebody else would."""

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
        """Return whether a call is meant."""
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
        call = InterceptedCall(self._record.of(self._app), scope, receive, send)
        fault = self._book.strike(scope["method"], scope["path"])
        if fault is not None and fault.kind is FaultKind.OVERTAKEN:
            self._push(fault.repository, fault.branch, fault.files, message="A moment earlier")
        await (call.pass_on() if fault is None else _EFFECTS[fault.kind](fault, call))


def _is_rest(path: str) -> bool:
    return path.startswith(("/repos/", "/app/", "/api/v3/", "/codeload/"))


async def _status(fault: Fault, call: InterceptedCall) -> None:
    await call.answer(RefusalError(fault.status, fault.message).response)


async def _status_after(fault: Fault, call: InterceptedCall) -> None:
    await call.work()
    await _status(fault, call)


async def _rate_limit(fault: Fault, call: InterceptedCall) -> None:
    response = RefusalError(403, "API rate limit exceeded for user ID 1.").response
    response.headers.update({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fault.retry_after})
    await call.answer(response)


async def _secondary_limit(fault: Fault, call: InterceptedCall) -> None:
    response = RefusalError(429, _SECONDARY).response
    response.headers.update({"Retry-After": fault.retry_after})
    await call.answer(response)


async def _html(fault: Fault, call: InterceptedCall) -> None:
    status = 200 if fault.status == 500 else fault.status  # noqa: PLR2004 -- the field's default
    await call.answer(HTMLResponse("<!doctype html><title>Unicorn!</title>", status))


_EFFECTS: dict[FaultKind, Callable[[Fault, InterceptedCall], Awaitable[None]]] = {
    FaultKind.SLOW: lambda fault, call: late_answer(call, fault.seconds),
    FaultKind.STATUS: _status,
    FaultKind.STATUS_AFTER: _status_after,
    FaultKind.RATE_LIMIT: _rate_limit,
    FaultKind.SECONDARY_LIMIT: _secondary_limit,
    FaultKind.HTML: _html,
    FaultKind.GARBAGE: lambda _, call: text_after_work(call, "{\x00 it worked, probably"),
    FaultKind.CUT_BEFORE: lambda _, call: call.cut(),
    FaultKind.CUT_AFTER: lambda _, call: cut_after_work(call),
    FaultKind.DRIP: lambda fault, call: drip(call, fault.seconds),
    FaultKind.HUGE: lambda _, call: huge_answer(call),
    # What it is about has happened before: the middleware has pushed the files.
    FaultKind.OVERTAKEN: lambda _, call: call.pass_on(),
}
