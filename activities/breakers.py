"""Circuit breakers: a target that keeps failing is left alone for a while, by all workers.

What is shared stands in Postgres. Without Postgres each process counts for itself: calls go on.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from activities.errors import ActionError, ActionFailedError
from activities.masking import SecretRing
from db.repositories.breakers import BreakersRepository, BreakerState
from db.session import Database
from pao.core.errors import PaoError
from pao.core.judgement import LEFT_ALONE
from pao.core.payloads import timestamp

# A database that did not answer is not asked again at once: calls must not wait for it.
AWAY_SECONDS = 5.0
ANSWER_SECONDS = 1.0
# The right to try a target out ends by itself, for the case that the worker dies meanwhile.
PROBE_SECONDS = 120.0
ERROR_CHARACTERS = 300
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """After how many failures in a row a breaker opens, and for how many seconds."""

    failures: int = 5
    seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerOptions:
    """The limits of all targets, and of those that have their own.

    A breaker that was closed is believed to be so for ``believed`` seconds, which spares most calls
    a question; what another worker has opened is met no later.
    """

    usual: BreakerLimits = field(default_factory=BreakerLimits)
    own: Mapping[str, BreakerLimits] = field(default_factory=dict)
    believed: float = 1.0

    def of(self, target: str) -> BreakerLimits:
        """Give the limits of a target."""
        return self.own.get(target, self.usual)


class Store(Protocol):
    """Where breakers stand."""

    async def read(self, target: str) -> BreakerState | None:
        """Give where a target stands; None for one without failures."""
        ...

    async def begin_probe(self, target: str) -> bool:
        """Ask to be the one that tries it out."""
        ...

    async def failed(
        self, target: str, error: str, limits: BreakerLimits, *, probing: bool
    ) -> BreakerState:
        """Count a failure."""
        ...

    async def answered(self, target: str, *, probing: bool) -> None:
        """Forget the failures."""
        ...

    async def give_back(self, target: str) -> None:
        """End a probe that has found nothing out."""
        ...


class SharedStore:
    """The breakers of all processes, in Postgres. Raises ``PaoError`` or ``TimeoutError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, target: str) -> BreakerState | None:
        """Give where a target stands."""
        async with asyncio.timeout(ANSWER_SECONDS), self._database.reading() as session:
            return await BreakersRepository(session).read(target)

    async def begin_probe(self, target: str) -> bool:
        """Ask to be the one that tries it out."""
        async with self._writing() as repository:
            return await repository.begin_probe(target, seconds=PROBE_SECONDS)

    async def failed(
        self, target: str, error: str, limits: BreakerLimits, *, probing: bool
    ) -> BreakerState:
        """Count a failure."""
        async with self._writing() as repository:
            return await repository.failed(
                target, error, most=limits.failures, seconds=limits.seconds, probing=probing
            )

    async def answered(self, target: str, *, probing: bool) -> None:
        """Forget the failures."""
        async with self._writing() as repository:
            await repository.answered(target, probing=probing)

    async def give_back(self, target: str) -> None:
        """End a probe that has found nothing out."""
        async with self._writing() as repository:
            await repository.give_back(target)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[BreakersRepository]:
        async with asyncio.timeout(ANSWER_SECONDS), self._database.unit_of_work() as session:
            yield BreakersRepository(session)


@dataclass(slots=True)
class _Own:
    """What this process counts of a target by itself."""

    failures: int = 0
    error: str = ""
    retry_at: float | None = None
    probing: bool = False


class OwnStore:
    """The breakers of this process alone, for while Postgres is away."""

    def __init__(self) -> None:
        self._targets: dict[str, _Own] = {}

    async def read(self, target: str) -> BreakerState | None:
        """Give where a target stands."""
        own = self._targets.get(target)
        return _shown(target, own) if own else None

    async def begin_probe(self, target: str) -> bool:
        """Ask to be the one that tries it out."""
        own = self._targets.get(target)
        if own is None or own.probing:
            return False
        own.probing = True
        return True

    async def failed(
        self, target: str, error: str, limits: BreakerLimits, *, probing: bool
    ) -> BreakerState:
        """Count a failure."""
        own = self._targets.setdefault(target, _Own())
        own.failures, own.error = own.failures + 1, error
        if probing or (own.retry_at is None and own.failures >= limits.failures):
            own.retry_at, own.probing = time.monotonic() + limits.seconds, False
        return _shown(target, own)

    async def answered(self, target: str, *, probing: bool) -> None:
        """Forget the failures."""
        own = self._targets.get(target)
        if own is not None and (own.retry_at is None or probing):
            del self._targets[target]

    async def give_back(self, target: str) -> None:
        """End a probe that has found nothing out."""
        if own := self._targets.get(target):
            own.probing = False


def _shown(target: str, own: _Own) -> BreakerState:
    if own.retry_at is None:
        return BreakerState(target, own.failures, own.error, None, "closed", None)
    wait = max(own.retry_at - time.monotonic(), 0.0)
    at = datetime.now(UTC) + timedelta(seconds=wait)
    return BreakerState(target, own.failures, own.error, at, "open" if wait else "half-open", wait)


@dataclass(slots=True)
class Passage:
    """One call that was let through; ``failure`` is set where its answer says that it failed."""

    failure: str | None = None


class Breakers:
    """The breakers as calls meet them; one per process, shared by all its tasks."""

    def __init__(self, shared: Store | None = None, options: BreakerOptions | None = None) -> None:
        self._shared = shared
        self._own = OwnStore()
        self._options = options or BreakerOptions()
        self._away_until = 0.0
        self._believed: dict[str, tuple[float, BreakerState | None]] = {}

    @asynccontextmanager
    async def guard(self, target: str, secrets: SecretRing | None = None) -> AsyncIterator[Passage]:
        """Let a call through, or fail it at once; what becomes of the call moves the breaker.

        It counts as failed by ``passage.failure``, or by an error that counts by the one table
        (pao/core/judgement.py). An answer of any other kind is a sign of life; what we refused by
        ourselves, or cut off from our side, says nothing.
        """
        probing = await self._admit(target)
        passage = Passage()
        hide = (secrets or SecretRing()).hide
        try:
            yield passage
        except ActionError as error:
            if error.silent and passage.failure is None:
                if probing:
                    await self._give_back(target)
                raise
            failure = passage.failure or _blamed(error)
            passage.failure = hide(failure) if failure else None
            await self._judge(target, passage, probing=probing)
            raise
        except BaseException:
            if probing:
                await self._give_back(target)
            raise
        await self._judge(target, passage, probing=probing)

    async def _admit(self, target: str) -> bool:
        """Raise where the breaker is open; tells whether this call tries the target out."""
        state = await self._state(target)
        if state is None or state.state == "closed":
            return False
        if state.state == "half-open" and await self._begin_probe(target):
            return True
        raise ActionFailedError(_refusal(state), judged=LEFT_ALONE)

    async def _state(self, target: str) -> BreakerState | None:
        read_at, state = self._believed.get(target, (0.0, None))
        closed = state is None or state.state == "closed"
        if closed and time.monotonic() - read_at < self._options.believed:
            return state
        store = self._store()
        try:
            state = await store.read(target)
        except (PaoError, TimeoutError):
            state = await self._own_store().read(target)
        self._believed[target] = (time.monotonic(), state)
        return state

    async def _begin_probe(self, target: str) -> bool:
        try:
            return await self._store().begin_probe(target)
        except (PaoError, TimeoutError):
            return await self._own_store().begin_probe(target)

    async def _judge(self, target: str, passage: Passage, *, probing: bool) -> None:
        if passage.failure is not None:
            await self._failed(target, passage.failure, probing=probing)
        elif probing or self._has_failed(target):
            await self._answered(target, probing=probing)

    async def _failed(self, target: str, error: str, *, probing: bool) -> None:
        limits, text = self._options.of(target), error[:ERROR_CHARACTERS]
        try:
            state = await self._store().failed(target, text, limits, probing=probing)
        except (PaoError, TimeoutError):
            state = await self._own_store().failed(target, text, limits, probing=probing)
        self._believed[target] = (time.monotonic(), state)
        if state.state == "open":
            _log.warning("%s keeps failing and is left alone: %s", target, text)

    async def _answered(self, target: str, *, probing: bool) -> None:
        try:
            await self._store().answered(target, probing=probing)
        except (PaoError, TimeoutError):
            await self._own_store().answered(target, probing=probing)
        self._believed[target] = (time.monotonic(), None)

    async def _give_back(self, target: str) -> None:
        try:
            await asyncio.shield(self._store().give_back(target))
        except (PaoError, TimeoutError):
            await self._own_store().give_back(target)

    def _has_failed(self, target: str) -> bool:
        _, state = self._believed.get(target, (0.0, None))
        return state is not None

    def _store(self) -> Store:
        if self._shared is None or time.monotonic() < self._away_until:
            return self._own
        return self._shared

    def _own_store(self) -> Store:
        """Give the process's own breakers, and leave Postgres alone for a while."""
        self._away_until = time.monotonic() + AWAY_SECONDS
        return self._own


def _blamed(error: ActionError) -> str | None:
    """Give the text of an error that tells of the target's state, None for any other."""
    return error.message if error.counts else None


def _refusal(state: BreakerState) -> str:
    wait = state.wait_seconds or 0.0
    at = timestamp(datetime.now(UTC) + timedelta(seconds=wait))
    return (
        f"{state.target} has failed {state.failures} times in a row and is left alone for now: "
        f"nothing was sent. It is tried again at {at} (in {max(wait, 1):.0f} s); retry then. "
        f"Its last error: {state.last_error}"
    )
