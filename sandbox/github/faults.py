"""Faults of GitHub's REST calls: which calls they match, and the kinds that only GitHub has."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import HTMLResponse

from sandbox.github.base import GitHubResponseError
from sandbox.kit.faults import GARBAGE, SHARED_KINDS, Fault, FaultKind, FaultQueue, PathPattern
from sandbox.kit.intercepted import InterceptedCall, late_answer

Push = Callable[..., Any]
"""Commits files to a branch of a repository, as somebody else would."""

FAULTY_PATHS = ("/repos/", "/app/", "/api/v3/", "/codeload/")
_SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


class GitHubFaultKind(StrEnum):
    """What can go wrong."""

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


class GitHubFault(Fault):
    """One fault; ``skip`` lets so many matching calls pass before it strikes."""

    kind: GitHubFaultKind
    method: str | None = None
    path: PathPattern = ""
    skip: Annotated[int, Field(ge=0)] = 0
    seconds: Annotated[float, Field(ge=0, le=3600)] = 1.0
    status: Annotated[int, Field(ge=200, le=599)] = 500
    retry_after: str = "30"
    message: str = "A fault that was asked for."
    repository: str = ""
    branch: str = "main"
    files: dict[str, str | None] = Field(default_factory=dict)

    @property
    def calls_to_skip(self) -> int:
        """How many matching calls pass before it strikes."""
        return self.skip

    def matches(self, *, method: str, path: str, body: bytes) -> bool:
        """Return whether the fault is meant for a call."""
        del body
        return self.method in {None, method} and re.search(self.path, path) is not None

    def document(self, *, remaining: int | None, skipped: int) -> dict[str, Any]:
        """Return it as JSON; ``times`` and ``skip`` count down."""
        return {**self.model_dump(mode="json"), "times": remaining, "skip": self.skip - skipped}


def github_faults(push: Push) -> FaultQueue[GitHubFault]:
    """Return an empty queue; ``push`` is what overtakes a call."""

    async def overtake(fault: GitHubFault, call: InterceptedCall) -> None:
        push(fault.repository, fault.branch, fault.files, message="A moment earlier")
        await call.forward()

    overtaken = FaultKind(
        "somebody else pushes these files to the branch just before the work", overtake
    )
    return FaultQueue(GitHubFault, {**_KINDS, GitHubFaultKind.OVERTAKEN: overtaken})


async def _status(fault: GitHubFault, call: InterceptedCall) -> None:
    await call.answer(GitHubResponseError(fault.status, fault.message).response)


async def _status_after(fault: GitHubFault, call: InterceptedCall) -> None:
    await call.work()
    await _status(fault, call)


async def _rate_limit(fault: GitHubFault, call: InterceptedCall) -> None:
    response = GitHubResponseError(403, "API rate limit exceeded for user ID 1.").response
    response.headers.update({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fault.retry_after})
    await call.answer(response)


async def _secondary_limit(fault: GitHubFault, call: InterceptedCall) -> None:
    response = GitHubResponseError(429, _SECONDARY).response
    response.headers.update({"Retry-After": fault.retry_after})
    await call.answer(response)


async def _html(fault: GitHubFault, call: InterceptedCall) -> None:
    status = 200 if fault.status == 500 else fault.status  # noqa: PLR2004 -- the field's default
    await call.answer(HTMLResponse("<!doctype html><title>Unicorn!</title>", status))


_KINDS: Mapping[str, FaultKind] = {
    GitHubFaultKind.SLOW: FaultKind(
        "the work is done, the answer comes late",
        lambda fault, call: late_answer(call, fault.seconds),
    ),
    GitHubFaultKind.STATUS: FaultKind("no work; an error answer with this status", _status),
    GitHubFaultKind.STATUS_AFTER: FaultKind(
        "the work is done; an error answer with this status", _status_after
    ),
    GitHubFaultKind.RATE_LIMIT: FaultKind(
        "no work; 403 with the primary rate limit used up", _rate_limit
    ),
    GitHubFaultKind.SECONDARY_LIMIT: FaultKind(
        "no work; 429 with Retry-After, for too many changes", _secondary_limit
    ),
    GitHubFaultKind.HTML: FaultKind(
        "no work; a page instead of JSON, with this status (200)", _html
    ),
    GitHubFaultKind.GARBAGE: GARBAGE,
    **SHARED_KINDS,
}
