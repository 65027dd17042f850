"""Storage of circuit breakers: in Postgres for all workers, or in this process alone."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from cachetools import TTLCache

from db.repositories.breakers import (
    MEMORY_SECONDS,
    BreakerFailure,
    BreakerKey,
    BreakersRepository,
    BreakerState,
)
from db.session import Database

ANSWER_SECONDS = 1.0
# A probe expires in case its worker dies.
PROBE_SECONDS = 120.0
# Templates may choose hosts, so their number is unlimited.
MOST_KEPT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """How many failures in a row open a breaker, and for how many seconds."""

    failures: int = 5
    seconds: float = 30.0


class BreakerStore(Protocol):
    """Stores the state of breakers."""

    async def read(self, key: BreakerKey) -> BreakerState | None:
        """Return the state of a breaker; None without failures."""
        ...

    async def begin_probe(self, key: BreakerKey) -> bool:
        """Claim the probe of a half-open breaker."""
        ...

    async def record_failure(
        self, key: BreakerKey, failure: BreakerFailure, limits: BreakerLimits
    ) -> BreakerState:
        """Count a failure."""
        ...

    async def record_answer(self, key: BreakerKey, *, probing: bool) -> None:
        """Forget the failures."""
        ...

    async def release_probe(self, key: BreakerKey) -> None:
        """Release a probe without a result."""
        ...


class SharedBreakerStore:
    """The breakers of all processes, in Postgres. Raises ``PaoError`` or ``TimeoutError``."""

    def __init__(self, database: Database, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._database = database
        self._answer_seconds = answer_seconds

    async def read(self, key: BreakerKey) -> BreakerState | None:
        """Return the state of a breaker."""
        async with asyncio.timeout(self._answer_seconds), self._database.reading() as session:
            return await BreakersRepository(session).read(key)

    async def begin_probe(self, key: BreakerKey) -> bool:
        """Claim the probe of a half-open breaker."""
        async with self._writing() as repository:
            return await repository.begin_probe(key, seconds=PROBE_SECONDS)

    async def record_failure(
        self, key: BreakerKey, failure: BreakerFailure, limits: BreakerLimits
    ) -> BreakerState:
        """Count a failure."""
        async with self._writing() as repository:
            return await repository.record_failure(
                key, failure, most=limits.failures, seconds=limits.seconds
            )

    async def record_answer(self, key: BreakerKey, *, probing: bool) -> None:
        """Forget the failures."""
        async with self._writing() as repository:
            await repository.record_answer(key, probing=probing)

    async def release_probe(self, key: BreakerKey) -> None:
        """Release a probe without a result."""
        async with self._writing() as repository:
            await repository.release_probe(key)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[BreakersRepository]:
        async with asyncio.timeout(self._answer_seconds), self._database.unit_of_work() as session:
            yield BreakersRepository(session)


@dataclass(slots=True)
class _LocalBreaker:
    """The failures that this process has counted."""

    failures: int = 0
    error: str = ""
    items: set[str] = field(default_factory=set)
    retry_at: float | None = None
    probe_until: float = 0.0

    def opens(self, key: BreakerKey, limits: BreakerLimits) -> bool:
        """Return whether the failures are enough, as they are in Postgres."""
        several = bool(key.item) or len(self.items) > 1 or "" in self.items
        return self.retry_at is None and self.failures >= limits.failures and several


class LocalBreakerStore:
    """The breakers of this process alone, while Postgres is unavailable."""

    def __init__(self, *, probe_seconds: float = PROBE_SECONDS) -> None:
        self._probe_seconds = probe_seconds
        self._breakers: TTLCache[BreakerKey, _LocalBreaker] = TTLCache(MOST_KEPT, MEMORY_SECONDS)

    async def read(self, key: BreakerKey) -> BreakerState | None:
        """Return the state of a breaker."""
        breaker = self._breakers.get(key)
        return _to_state(key, breaker) if breaker else None

    async def begin_probe(self, key: BreakerKey) -> bool:
        """Claim the probe of a half-open breaker."""
        breaker = self._breakers.get(key)
        if breaker is None or breaker.retry_at is None:
            # It was half-open in Postgres, which became unavailable; this call may probe.
            return True
        if time.monotonic() < breaker.probe_until:
            return False
        breaker.probe_until = time.monotonic() + self._probe_seconds
        return True

    async def record_failure(
        self, key: BreakerKey, failure: BreakerFailure, limits: BreakerLimits
    ) -> BreakerState:
        """Count a failure."""
        # Stored again, to restart its time to live.
        breaker = self._breakers[key] = self._breakers.get(key) or _LocalBreaker()
        breaker.failures, breaker.error = breaker.failures + 1, failure.error
        if len(breaker.items) < 2:  # noqa: PLR2004 -- of two items, or of one
            breaker.items.add(failure.caused_by)
        if failure.probing or breaker.opens(key, limits):
            breaker.retry_at, breaker.probe_until = time.monotonic() + limits.seconds, 0.0
        return _to_state(key, breaker)

    async def record_answer(self, key: BreakerKey, *, probing: bool) -> None:
        """Forget the failures."""
        breaker = self._breakers.get(key)
        if breaker is not None and (breaker.retry_at is None or probing):
            self._breakers.pop(key, None)

    async def release_probe(self, key: BreakerKey) -> None:
        """Release a probe without a result."""
        if breaker := self._breakers.get(key):
            breaker.probe_until = 0.0

    async def forget(self, key: BreakerKey) -> None:
        """Forget a breaker: Postgres has taken over."""
        self._breakers.pop(key, None)


def _to_state(key: BreakerKey, breaker: _LocalBreaker) -> BreakerState:
    if breaker.retry_at is None:
        return BreakerState(
            key.target, breaker.failures, breaker.error, None, "closed", None, key.item
        )
    wait = max(breaker.retry_at - time.monotonic(), 0.0)
    at = datetime.now(UTC) + timedelta(seconds=wait)
    state = "open" if wait else "half-open"
    return BreakerState(key.target, breaker.failures, breaker.error, at, state, wait, key.item)
