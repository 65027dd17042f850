"""Requests of the client and their responses."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

# Lists of runs and whole directories; a single run is 20 kB.
MAX_BODY = 4 * 1024 * 1024


class GitHubResponse(Protocol):
    """An answer: header names in lower case, the body as far as it was read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""
        ...

    @property
    def body(self) -> bytes:
        """The body."""
        ...

    @property
    def truncated(self) -> bool:
        """Whether the body is longer than what was read of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubRequest:
    """One HTTP request. ``effect`` is set where it changes something."""

    doing: str
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)
    effect: bool = False
    max_body: int = MAX_BODY
    redirects: int = 0


Send = Callable[[GitHubRequest], Awaitable[GitHubResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubCall:
    """One call of the REST API: its path below the API's address, and what it carries.

    ``doing`` completes "GitHub could not ...". ``expected`` are the statuses of success. ``accept``
    is the media type of the answer; ``known`` is the entity tag of an earlier one.
    """

    doing: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    expected: frozenset[int] = frozenset({200})
    effect: bool = False
    accept: str = "application/vnd.github+json"
    known: str | None = None
    max_body: int = MAX_BODY
    redirects: int = 0
