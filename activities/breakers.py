"""Circuit breakers: workers stop calling a target that keeps failing, for a while.

The state is shared in Postgres. Without Postgres each process counts for itself.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from cachetools import TTLCache

from activities.action_errors import ActionError, ActionFailedError
from activities.breaker_stores import (
    MOST_KEPT,
    BreakerLimits,
    BreakerStore,
    LocalBreakerStore,
    SharedBreakerStore,
)
from activities.call_origin import acting_item, is_named
from activities.target_shares import TargetShares
from db.repositories.breakers import MEMORY_SECONDS, BreakerFailure, BreakerKey, BreakerState
from pao.core.errors import PaoError
from pao.core.failure_classes import INTERRUPTED, SUSPENDED
from pao.core.timestamps import timestamp
from pao.runtime.masking import SecretMasks

ERROR_CHARACTERS = 300
T = TypeVar("T")
_log = logging.getLogger(__name__)

__all__ = ["BreakerLimits", "BreakerOptions", "BreakerPermit", "Breakers", "SharedBreakerStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerOptions:
    """The limits of all targets, and of those that have their own.

    A closed breaker is assumed to stay closed for ``trust_seconds``, which saves most calls a
    query. A database that did not answer is not asked again for ``local_seconds``: calls must not
    wait for it. ``titles`` are what people call targets, where that differs.
    """

    limits: BreakerLimits = field(default_factory=BreakerLimits)
    limits_by_target: Mapping[str, BreakerLimits] = field(default_factory=dict)
    trust_seconds: float = 1.0
    local_seconds: float = 5.0
    titles: Mapping[str, str] = field(default_factory=dict)

    def of(self, target: str) -> BreakerLimits:
        """Return the limits of a target."""
        return self.limits_by_target.get(target, self.limits)


@dataclass(slots=True)
class BreakerPermit:
    """One admitted call; ``failure`` is set where its response is a failure."""

    failure: str | None = None


class Breakers:
    """Guards calls with breakers; one per process, shared by all its tasks.

    The calls of each item to a target have a breaker, and all calls to it together have one.
    """

    def __init__(
        self,
        shared: BreakerStore | None = None,
        options: BreakerOptions | None = None,
        shares: TargetShares | None = None,
    ) -> None:
        self._shared = shared
        self._local = LocalBreakerStore()
        self._options = options or BreakerOptions()
        self._shares = shares or TargetShares()
        self._local_until = 0.0
        self._cached: TTLCache[BreakerKey, tuple[float, BreakerState | None]] = TTLCache(
            MOST_KEPT, MEMORY_SECONDS
        )

    @property
    def remembered(self) -> int:
        """How many breakers are cached."""
        return len(self._cached)

    @asynccontextmanager
    async def guard(
        self, target: str, secrets: SecretMasks | None = None
    ) -> AsyncIterator[BreakerPermit]:
        """Admit a call or fail it at once; its outcome updates the breaker.

        A call has failed if ``permit.failure`` is set, or if its error counts by the table in
        pao/core/failure_classes.py. Any other answer closes the breaker; a call that was refused
        or cut off by PAO itself changes nothing.
        """
        item, permit = acting_item(), BreakerPermit()
        hide = (secrets or SecretMasks()).hide
        async with AsyncExitStack() as stack:
            if item:
                await stack.enter_async_context(self._guard_key(BreakerKey(target, item), permit))
            await stack.enter_async_context(self._guard_key(BreakerKey(target), permit))
            await stack.enter_async_context(self._shares.slot(target))
            try:
                yield permit
            except ActionError as error:
                permit.failure = permit.failure or _failure_text(error)
                raise
            finally:
                permit.failure = hide(permit.failure) if permit.failure else None

    @asynccontextmanager
    async def _guard_key(self, key: BreakerKey, permit: BreakerPermit) -> AsyncIterator[None]:
        """Admit a call through one breaker, and record its outcome."""
        probing = await self._admit(key)
        try:
            yield
        except ActionError as error:
            if error.silent and permit.failure is None:
                if probing:
                    await self._release_probe(key)
                raise
            await self._record_outcome(key, permit, probing=probing)
            raise
        except BaseException:
            if probing:
                await self._release_probe(key)
            raise
        await self._record_outcome(key, permit, probing=probing)

    async def _admit(self, key: BreakerKey) -> bool:
        """Return whether this call is the probe of the breaker; raises if the breaker is open."""
        state = await self._state(key)
        if state is None or state.state == "closed":
            return False
        if state.state == "half-open" and await self._begin_probe(key):
            return True
        title = self._options.titles.get(key.target, key.target)
        raise ActionFailedError(_refusal(title, state), judged=SUSPENDED)

    async def _state(self, key: BreakerKey) -> BreakerState | None:
        read_at, state = self._cached.get(key, (0.0, None))
        closed = state is None or state.state == "closed"
        if closed and time.monotonic() - read_at < self._options.trust_seconds:
            return state
        store = self._store()
        try:
            state = await store.read(key)
        except (PaoError, TimeoutError):
            state = await self._local_store().read(key)
        self._cached[key] = (time.monotonic(), state)
        return state

    async def _begin_probe(self, key: BreakerKey) -> bool:
        """Claim the probe, and release it if the call is cancelled meanwhile."""
        claim = asyncio.ensure_future(self._claim_probe(key))
        try:
            return await asyncio.shield(claim)
        except asyncio.CancelledError:
            if await claim:
                await self._release_probe(key)
            raise

    async def _claim_probe(self, key: BreakerKey) -> bool:
        try:
            return await self._store().begin_probe(key)
        except (PaoError, TimeoutError):
            return await self._local_store().begin_probe(key)

    async def _record_outcome(
        self, key: BreakerKey, permit: BreakerPermit, *, probing: bool
    ) -> None:
        if permit.failure is not None:
            await self._record_failure(key, permit.failure, probing=probing)
        elif probing or self._has_failed(key):
            await self._record_answer(key, probing=probing)

    async def _record_failure(self, key: BreakerKey, error: str, *, probing: bool) -> None:
        limits = self._options.of(key.target)
        failure = BreakerFailure(
            error=error[:ERROR_CHARACTERS],
            caused_by=acting_item(),
            named=is_named(key.target),
            probing=probing,
        )
        state = await self._update(key, lambda store: store.record_failure(key, failure, limits))
        self._cached[key] = (time.monotonic(), state)
        if state.state == "open":
            whose = f" for {key.item}" if key.item else ""
            _log.warning("the circuit breaker for %s is open%s: %s", key.target, whose, error)

    async def _record_answer(self, key: BreakerKey, *, probing: bool) -> None:
        await self._update(key, lambda store: store.record_answer(key, probing=probing))
        self._cached[key] = (time.monotonic(), None)

    async def _release_probe(self, key: BreakerKey) -> None:
        await self._update(key, lambda store: asyncio.shield(store.release_probe(key)))

    async def _update(self, key: BreakerKey, change: Callable[[BreakerStore], Awaitable[T]]) -> T:
        """Change the shared store, or this process's own while Postgres is unavailable.

        What Postgres stores replaces what this process has counted, a probe included.
        """
        store = self._store()
        try:
            result = await change(store)
        except (PaoError, TimeoutError):
            return await change(self._local_store())
        if store is not self._local:
            await self._local.forget(key)
        return result

    def _has_failed(self, key: BreakerKey) -> bool:
        _, state = self._cached.get(key, (0.0, None))
        return state is not None

    def _store(self) -> BreakerStore:
        if self._shared is None or time.monotonic() < self._local_until:
            return self._local
        return self._shared

    def _local_store(self) -> BreakerStore:
        """Return this process's store, and use it for a while without asking Postgres."""
        self._local_until = time.monotonic() + self._options.local_seconds
        return self._local


def _failure_text(error: ActionError) -> str | None:
    """Return what a failure says about the target; None if it says nothing.

    In PAO's own words: an answer may repeat what one requester sent, and this text is shown to
    others, in health to everybody.
    """
    if not error.counts:
        return None
    if error.http_status is not None:
        return f"It answered {error.http_status}."
    said = error.judged.answer if error.judged else INTERRUPTED.answer
    return f"It gave {said}." if said.startswith("no") else f"It gave: {said}."


def _refusal(title: str, state: BreakerState) -> str:
    wait = state.wait_seconds or 0.0
    at = timestamp(datetime.now(UTC) + timedelta(seconds=wait))
    whose = f" for the item {state.item}" if state.item else ""
    return (
        f"The circuit breaker for {title} is open{whose} after {state.failures} failures in a row; "
        f"nothing was sent. Retry after {at} (in {max(wait, 1):.0f} s). Last error: "
        f"{state.last_error}"
    )
