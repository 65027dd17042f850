"""Faults of JIRA's REST calls: which calls they match, and the kinds that only JIRA has.

Faults are kept in the state file, so they survive a restart like the tickets do.
"""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse

from sandbox.jira.settings import LATE_INDEX
from sandbox.jira.store import TicketStore
from sandbox.kit.faults import SHARED_KINDS, Fault, FaultKind, FaultQueue, PathPattern
from sandbox.kit.intercepted import InterceptedCall, late_answer, late_work

FAULTY_PATHS = ("/rest/", "/oauth/")
_LOGIN_PAGE = (
    "<!doctype html><html><head><title>Log in</title></head><body><form method='post'>"
    "<label>User <input name='user'></label><label>Password <input type='password'></label>"
    "</form></body></html>"
)
_CAMEL_CASE = ConfigDict(
    extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
)


class JiraFaultKind(StrEnum):
    """What can go wrong."""

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


class CallMatch(BaseModel):
    """Which REST calls a fault strikes; what is left out matches all of them."""

    model_config = _CAMEL_CASE

    method: Literal["GET", "POST", "PUT", "DELETE"] | None = None
    path: PathPattern | None = None
    summary_contains: str | None = None


class JiraFault(Fault):
    """One fault."""

    model_config = _CAMEL_CASE

    kind: JiraFaultKind
    match: CallMatch = CallMatch()
    when: Literal["before", "after"] = "after"
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    retry_after: str = "30"
    message: str = "A fault that was asked for."
    login_reason: str | None = None

    def matches(self, *, method: str, path: str, body: bytes) -> bool:
        """Return whether the fault is meant for a call."""
        match = self.match
        if match.method is not None and match.method != method:
            return False
        if match.path is not None and not re.search(match.path, path):
            return False
        return match.summary_contains is None or match.summary_contains in _summary(body)


def _summary(body: bytes) -> str:
    try:
        return str(json.loads(body)["fields"]["summary"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def jira_faults(store: TicketStore) -> FaultQueue[JiraFault]:
    """Return the faults that the state file holds."""
    return FaultQueue(JiraFault, KINDS, store)


async def _status(fault: JiraFault, call: InterceptedCall) -> None:
    headers = {"X-Seraph-LoginReason": fault.login_reason} if fault.login_reason else None
    await call.answer(_error(fault.message, fault.status or 500, headers))


async def _status_after(fault: JiraFault, call: InterceptedCall) -> None:
    await call.work()
    await call.answer(_error(fault.message, fault.status or 503))


async def _rate_limit(fault: JiraFault, call: InterceptedCall) -> None:
    await call.answer(_error("Rate limit exceeded.", 429, {"Retry-After": fault.retry_after}))


def _error(message: str, status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"errorMessages": [message], "errors": {}}, status, headers=headers)


async def _html_login(fault: JiraFault, call: InterceptedCall) -> None:
    if fault.status in {301, 302, 303, 307}:
        await call.answer(RedirectResponse("/login.jsp?permissionViolation=true", fault.status))
        return
    await call.answer(HTMLResponse(_LOGIN_PAGE, fault.status or 200))


async def _slow(fault: JiraFault, call: InterceptedCall) -> None:
    seconds = 5.0 if fault.seconds is None else fault.seconds
    await (late_work if fault.when == "before" else late_answer)(call, seconds)


async def _not_json(_: JiraFault, call: InterceptedCall) -> None:
    await call.work()
    await call.answer(PlainTextResponse("created, probably", 201))


async def _late_index(fault: JiraFault, call: InterceptedCall) -> None:
    seconds = 3600.0 if fault.seconds is None else fault.seconds
    await call.forward(scope={LATE_INDEX: seconds})


KINDS: Mapping[str, FaultKind] = {
    JiraFaultKind.SLOW: FaultKind(
        "the work is done, the answer comes late (or, when: before, both late)", _slow
    ),
    JiraFaultKind.STATUS: FaultKind("no work; an error answer with this status", _status),
    JiraFaultKind.STATUS_AFTER: FaultKind(
        "the work is done; an error answer with this status (503)", _status_after
    ),
    JiraFaultKind.RATE_LIMIT: FaultKind("no work; 429 with Retry-After", _rate_limit),
    JiraFaultKind.HTML_LOGIN: FaultKind(
        "no work; a login page (200), or a redirect to one (302)", _html_login
    ),
    JiraFaultKind.NOT_JSON_201: FaultKind("the work is done; a 201 that is not JSON", _not_json),
    **SHARED_KINDS,
    JiraFaultKind.LATE_INDEX: FaultKind(
        "searches do not show tickets younger than so many seconds (all of the last hour); "
        "longer than JIRA_SEARCH_LAG (5 s in pao up), and PAO may make a ticket twice",
        _late_index,
    ),
}
