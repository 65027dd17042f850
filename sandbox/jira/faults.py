"""Fault injection for the stand-in's REST calls: the kinds of faults, and where they apply.

Faults are kept in the state file, so they survive a restart like the tickets do.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.jira.store import Store
from sandbox.jira.world import LATE_INDEX
from sandbox.kit.intercepted import (
    InterceptedCall,
    cut_after_work,
    drip,
    huge_answer,
    late_answer,
    late_work,
)

_SUFFER = ("/rest/", "/oauth/")
_LOGIN_PAGE = (
    "<!doctype html><html><head><title>Log in</title></head><body><form method='post'>"
    "<label>User <input name='user'></label><label>Password <input type='password'></label>"
    "</form></body></html>"
)


class FaultKind(StrEnum):
    """What can go wrong; the words say whether JIRA does the work."""

    SLOW = "slow"
    STATUS = "status"
    STATUS_AFTER = "status-after"
    RATE_LIMIT = "rate-limit"
    HTML_LOGIN = "html-login"
    NOT_JSON_201 = "not-json-201"
    CUT_BEFORE = "cut-before"
    CUT_AFTER = "cut-after"
    DRIP = "drip"
    HUGE = "huge"
    LATE_INDEX = "late-index"


MEANING: dict[FaultKind, str] = {
    FaultKind.SLOW: "the work is done, the answer comes late (or, when: before, both late)",
    FaultKind.STATUS: "no work; an error answer with this status",
    FaultKind.STATUS_AFTER: "the work is done; an error answer with this status (503)",
    FaultKind.RATE_LIMIT: "no work; 429 with Retry-After",
    FaultKind.HTML_LOGIN: "no work; a login page (200), or a redirect to one (302)",
    FaultKind.NOT_JSON_201: "the work is done; a 201 that is not JSON",
    FaultKind.CUT_BEFORE: "no work; the connection is cut",
    FaultKind.CUT_AFTER: "the work is done; the connection is cut before the answer",
    FaultKind.DRIP: "the work is done; the answer comes one byte a second",
    FaultKind.HUGE: "the work is done; the answer is 10 MB long",
    FaultKind.LATE_INDEX: (
        "searches do not show tickets younger than so many seconds (all of the last hour); "
        "longer than JIRA_SEARCH_LAG (5 s in pao up), and PAO may make a ticket twice"
    ),
}


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class Match(_Model):
    """Which REST calls a fault strikes; what is left out matches all of them."""

    method: Literal["GET", "POST", "PUT", "DELETE"] | None = None
    path: str | None = Field(default=None, description="Regular expression, found in the path.")
    summary_contains: str | None = None

    @field_validator("path")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as exc:
            raise ValueError(f"not a regular expression: {exc}") from None
        return value

    def covers(self, *, method: str, path: str, summary: str) -> bool:
        """Return whether a call is meant."""
        if self.method is not None and self.method != method:
            return False
        if self.path is not None and not re.search(self.path, path):
            return False
        return self.summary_contains is None or self.summary_contains in summary


class Fault(_Model):
    """One fault; ``times`` is how often it strikes (None: until it is cleared).

    ``seconds`` is how long a slow answer takes, or the pause between two bytes of a drip.
    """

    kind: FaultKind
    match: Match = Match()
    times: Annotated[int, Field(ge=1)] | None = 1
    seconds: Annotated[float, Field(ge=0, le=3600)] | None = None
    when: Literal["before", "after"] = "after"
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    retry_after: str = "30"
    message: str = "A fault that was asked for."
    login_reason: str | None = None


@dataclass(frozen=True, slots=True)
class StoredFault:
    """A fault with its id and how many strikes are left (None: endless)."""

    id: int
    fault: Fault
    remaining: int | None

    def document(self) -> dict[str, Any]:
        """Return it as JSON for the faults API."""
        body = self.fault.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {"id": self.id, **body, "times": self.fault.times, "remaining": self.remaining}


class FaultBook:
    """The faults in force, oldest first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[StoredFault]:
        """Return all faults in force."""
        return [
            StoredFault(number, Fault.model_validate(document), remaining)
            for number, document, remaining in self._store.faults()
        ]

    def add(self, fault: Fault) -> int:
        """Put a fault in force and return its id."""
        return self._store.add_fault(fault.model_dump(mode="json"), times=fault.times)

    def clear(self, fault_id: int | None = None) -> None:
        """Lift one fault, or all."""
        self._store.clear_faults(fault_id)

    def strike(self, *, method: str, path: str, summary: str) -> Fault | None:
        """Return the oldest fault that covers the call, and count it as used."""
        for stored in self.all():
            covered = stored.fault.match.covers(method=method, path=path, summary=summary)
            if covered and self._store.use_fault(stored.id):
                return stored.fault
        return None


class FaultMiddleware:
    """Lets REST calls suffer the faults in force; pages and the faults API never do."""

    def __init__(self, app: ASGIApp, book: FaultBook) -> None:
        self._app = app
        self._book = book

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call, with the fault that covers it, if any."""
        if scope["type"] != "http" or not scope["path"].startswith(_SUFFER):
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        fault = self._book.strike(
            method=scope["method"], path=scope["path"], summary=_summary(body)
        )
        call = InterceptedCall(self._app, scope, receive, send, body=body)
        await (call.pass_on() if fault is None else _EFFECTS[fault.kind](fault, call))


async def _status(fault: Fault, call: InterceptedCall) -> None:
    headers = {"X-Seraph-LoginReason": fault.login_reason} if fault.login_reason else None
    body = {"errorMessages": [fault.message], "errors": {}}
    await call.answer(JSONResponse(body, fault.status or 500, headers=headers))


async def _status_after(fault: Fault, call: InterceptedCall) -> None:
    await call.work()
    body = {"errorMessages": [fault.message], "errors": {}}
    await call.answer(JSONResponse(body, fault.status or 503))


async def _rate_limit(fault: Fault, call: InterceptedCall) -> None:
    body = {"errorMessages": ["Rate limit exceeded."], "errors": {}}
    await call.answer(JSONResponse(body, 429, headers={"Retry-After": fault.retry_after}))


async def _html_login(fault: Fault, call: InterceptedCall) -> None:
    if fault.status in {301, 302, 303, 307}:
        await call.answer(RedirectResponse("/login.jsp?permissionViolation=true", fault.status))
        return
    await call.answer(HTMLResponse(_LOGIN_PAGE, fault.status or 200))


async def _slow(fault: Fault, call: InterceptedCall) -> None:
    seconds = 5.0 if fault.seconds is None else fault.seconds
    await (late_work if fault.when == "before" else late_answer)(call, seconds)


async def _not_json(_: Fault, call: InterceptedCall) -> None:
    await call.work()
    await call.answer(PlainTextResponse("created, probably", 201))


async def _drip(fault: Fault, call: InterceptedCall) -> None:
    await drip(call, 1.0 if fault.seconds is None else fault.seconds)


async def _late_index(fault: Fault, call: InterceptedCall) -> None:
    seconds = 3600.0 if fault.seconds is None else fault.seconds
    await call.pass_on(scope={LATE_INDEX: seconds})


_EFFECTS: dict[FaultKind, Callable[[Fault, InterceptedCall], Awaitable[None]]] = {
    FaultKind.SLOW: _slow,
    FaultKind.STATUS: _status,
    FaultKind.STATUS_AFTER: _status_after,
    FaultKind.RATE_LIMIT: _rate_limit,
    FaultKind.HTML_LOGIN: _html_login,
    FaultKind.NOT_JSON_201: _not_json,
    FaultKind.CUT_BEFORE: lambda _, call: call.cut(),
    FaultKind.CUT_AFTER: lambda _, call: cut_after_work(call),
    FaultKind.DRIP: _drip,
    FaultKind.HUGE: lambda _, call: huge_answer(call),
    FaultKind.LATE_INDEX: _late_index,
}


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return body


def _summary(body: bytes) -> str:
    try:
        return str(json.loads(body)["fields"]["summary"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
