"""Faults of GitLab's REST calls: which calls they match, and the kinds that only GitLab has."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field
from starlette.responses import HTMLResponse, JSONResponse

from sandbox.kit.faults import GARBAGE, SHARED_KINDS, Fault, FaultKind, FaultQueue, PathPattern
from sandbox.kit.intercepted import InterceptedCall

FAULTY_PATHS = ("/api/v4/",)


class GitLabFaultKind(StrEnum):
    """What can go wrong."""

    STATUS = "status"
    HTML = "html"
    GARBAGE = "garbage"
    CUT = "cut"
    DRIP = "drip"
    HUGE = "huge"


class GitLabFault(Fault):
    """One fault of the calls whose path matches."""

    kind: GitLabFaultKind
    path: PathPattern
    status: Annotated[int, Field(ge=200, le=599)] = 500
    message: str = ""

    def matches(self, *, method: str, path: str, body: bytes) -> bool:
        """Return whether the fault is meant for a call."""
        del method, body
        return re.search(self.path, path) is not None


def gitlab_faults() -> FaultQueue[GitLabFault]:
    """Return an empty queue."""
    return FaultQueue(GitLabFault, _KINDS)


async def _status(fault: GitLabFault, call: InterceptedCall) -> None:
    await call.answer(JSONResponse({"message": fault.message}, fault.status))


async def _html(_: GitLabFault, call: InterceptedCall) -> None:
    await call.answer(HTMLResponse("<!doctype html><title>Sign in</title>"))


_KINDS: Mapping[str, FaultKind] = {
    GitLabFaultKind.STATUS: FaultKind("no work; an error answer with this status", _status),
    GitLabFaultKind.HTML: FaultKind("no work; a page instead of JSON", _html),
    GitLabFaultKind.GARBAGE: GARBAGE,
    GitLabFaultKind.CUT: SHARED_KINDS["cut-after"],
    GitLabFaultKind.DRIP: SHARED_KINDS["drip"],
    GitLabFaultKind.HUGE: SHARED_KINDS["huge"],
}
