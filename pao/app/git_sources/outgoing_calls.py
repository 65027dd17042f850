"""Calls of sources: checked, traced, counted, with errors of sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any

from catalog.sources.source import PollSkippedError, SourceUnavailableError, SourceUsage
from pao.clients.outgoing import (
    HttpClient,
    OutgoingCall,
    OutgoingError,
    OutgoingResponse,
)
from pao.core.answers import whole_number
from pao.runtime import tracing

CALL_SECONDS = 30.0
# An archive of a large repository is packed while it is sent.
ARCHIVE_SECONDS = 120.0
_LEAST_SHARE = 0.1
_LONG = 32 * 1024 * 1024


@dataclass(slots=True)
class Allowance:
    """Our remaining calls according to the forge; unknown until it has answered once."""

    limit: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None

    def learn(self, headers: Mapping[str, str]) -> None:
        """Read an answer's headers, of GitHub or GitLab."""
        for prefix in ("x-ratelimit", "ratelimit"):
            limit, remaining, reset = (
                whole_number(headers.get(f"{prefix}-{name}", ""))
                for name in ("limit", "remaining", "reset")
            )
            if limit is not None and remaining is not None and reset is not None:
                self.limit, self.remaining = limit, remaining
                self.resets_at = datetime.fromtimestamp(reset, UTC)
                return

    def spare(self, forge: str) -> None:
        """Raise ``PollSkippedError`` if a poll should not use the few remaining calls."""
        if self.limit is None or self.remaining is None or self.resets_at is None:
            return
        if self.remaining >= self.limit * _LEAST_SHARE or self.resets_at <= datetime.now(UTC):
            return
        seconds = ceil((self.resets_at - datetime.now(UTC)).total_seconds())
        raise PollSkippedError(
            f"{forge} leaves {self.remaining} of {self.limit} calls for the next {seconds} s"
        )


class OutgoingCalls:
    """Sends for one source; ``calls`` counts what it has sent."""

    def __init__(self, client: HttpClient, target: str, *, seconds: float = CALL_SECONDS) -> None:
        self._client = client
        self._seconds = seconds
        self._target = target
        self.allowance = Allowance()
        self.calls = 0

    async def send(  # noqa: PLR0913 -- what a call consists of, each part named
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        max_body: int,
        redirects: int = 0,
    ) -> OutgoingResponse:
        """Send once; raises ``SourceUnavailableError`` if no complete response came."""
        call = OutgoingCall(
            method=method,
            url=url,
            headers=headers,
            content=content,
            max_body=max_body,
            redirects=redirects,
        )
        seconds = ARCHIVE_SECONDS if max_body > _LONG else self._seconds
        self.calls += 1
        with tracing.client_span(self._target, method=method, system="http"):
            try:
                answer = await self._client.send(call, seconds=seconds)
            except OutgoingError as error:
                raise SourceUnavailableError(f"{self._target}: {error.message}") from error
        self.allowance.learn(answer.headers)
        return answer

    def usage(self) -> SourceUsage:
        """Return how many calls were made, and how many remain."""
        return SourceUsage(self.calls, self.allowance.remaining, self.allowance.limit)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def text(value: Any, key: str) -> str | None:
    """Return a remembered text; None if another version wrote something else."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else None
