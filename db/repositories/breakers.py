"""Circuit breakers, shared by all processes and timed by the database's clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# A target whose last failure is older counts as healthy: it was not called since.
MEMORY_SECONDS = 3600
_FRESH = f"failed_at > now() - interval '{MEMORY_SECONDS} seconds'"
_COLUMNS = """
    target, failures, last_error, retry_at,
    CASE WHEN retry_at IS NULL THEN 'closed' WHEN retry_at > now() THEN 'open' ELSE 'half-open' END
        AS state,
    greatest(extract(epoch FROM greatest(retry_at, probe_until) - now()), 0)::float8
        AS wait_seconds,
    item, named, failing_since
"""
_KEY = "target = :target AND item = :item"
_READ = text(f"SELECT {_COLUMNS} FROM breakers WHERE {_KEY} AND {_FRESH}")  # noqa: S608 -- our own text
_NAMED = text(
    f"SELECT {_COLUMNS} FROM breakers WHERE named AND {_FRESH} ORDER BY target, item LIMIT :limit"  # noqa: S608 -- as above
)
_OPEN = text(
    f"""
    SELECT {_COLUMNS} FROM breakers
    WHERE retry_at IS NOT NULL AND named AND item IN ('', :item) AND {_FRESH}
    ORDER BY target, item LIMIT :limit
    """  # noqa: S608 -- as above
)
_OTHERS = text(
    f"""
    SELECT count(DISTINCT target), count(DISTINCT target) FILTER (WHERE retry_at IS NOT NULL)
    FROM breakers WHERE NOT named AND {_FRESH}
    """  # noqa: S608 -- as above
)
# Once an open breaker may be probed, one of all callers gets the row.
_PROBE = text(
    f"""
    UPDATE breakers SET probe_until = now() + make_interval(secs => :seconds)
    WHERE {_KEY} AND retry_at <= now() AND (probe_until IS NULL OR probe_until <= now())
    RETURNING target
    """  # noqa: S608 -- as above
)
_FAILURES = f"CASE WHEN known.{_FRESH} THEN known.failures + 1 ELSE 1 END"
_ITEMS = f"""
    CASE
        WHEN NOT known.{_FRESH} THEN excluded.items
        WHEN excluded.items <@ known.items OR cardinality(known.items) > 1 THEN known.items
        ELSE known.items || excluded.items
    END
"""
# Failures of one item alone never open the shared breaker, only the item's. Calls without an item
# count separately.
_ENOUGH = "(:item <> '' OR cardinality({items}) > 1 OR '' = ANY ({items}))"
# A failure while the breaker is open, of a call admitted before, changes nothing; the failure of a
# probe keeps it open for another period.
_COUNT_FAILURE = text(
    f"""
    INSERT INTO breakers AS known
        (target, item, named, failures, items, last_error, failing_since, retry_at)
    VALUES (
        :target, :item, :named, 1, ARRAY[:caused_by]::text[], :error, now(),
        CASE
            WHEN :most <= 1 AND (:item <> '' OR :caused_by = '')
                THEN now() + make_interval(secs => :seconds)
        END
    )
    ON CONFLICT (target, item) DO UPDATE SET
        failures = {_FAILURES},
        items = {_ITEMS},
        named = known.named OR excluded.named,
        last_error = excluded.last_error,
        failed_at = now(),
        failing_since = CASE WHEN known.{_FRESH} THEN known.failing_since ELSE now() END,
        retry_at = CASE
            WHEN known.retry_at IS NOT NULL AND known.{_FRESH} AND NOT :probing THEN known.retry_at
            WHEN :probing OR ({_FAILURES} >= :most AND {_ENOUGH.format(items=_ITEMS)})
                THEN now() + make_interval(secs => :seconds)
        END,
        probe_until = CASE WHEN NOT :probing AND known.{_FRESH} THEN known.probe_until END
    RETURNING {_COLUMNS}
    """  # noqa: S608 -- as above
)
_REMOVE_EXPIRED = text(
    f"""
    WITH old AS (
        SELECT target, item FROM breakers WHERE NOT {_FRESH}
        ORDER BY failed_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    DELETE FROM breakers USING old
    WHERE breakers.target = old.target AND breakers.item = old.item
    RETURNING 1
    """  # noqa: S608 -- as above
)
# An answer to a call that was admitted before the breaker opened says nothing about now.
_RESET = text(f"DELETE FROM breakers WHERE {_KEY} AND (retry_at IS NULL OR :probing)")  # noqa: S608 -- as above
_RELEASE_PROBE = text(f"UPDATE breakers SET probe_until = NULL WHERE {_KEY}")  # noqa: S608 -- as above
# How many expired rows are removed with each counted failure.
_REMOVED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class BreakerKey:
    """The calls that are counted: all to ``target``, or those of one catalog item."""

    target: str
    item: str = ""

    @property
    def values(self) -> dict[str, str]:
        """The key as statements take it."""
        return {"target": self.target, "item": self.item}


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The state of a breaker: ``closed``, ``open`` or ``half-open``; when it is probed next."""

    target: str
    failures: int
    last_error: str | None
    retry_at: datetime | None
    state: str
    wait_seconds: float | None
    item: str = ""
    named: bool = False
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerFailure:
    """A failure: of which item's call (empty for none), and whether the target may be named."""

    error: str
    caused_by: str = ""
    named: bool = True
    probing: bool = False


@dataclass(frozen=True, slots=True)
class OtherTargets:
    """How many targets without a public name have failures, and how many breakers are open."""

    failing: int
    left_alone: int


class BreakersRepository:
    """Reads and updates breakers; without a row, or with an old one, there are no failures."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def read(self, key: BreakerKey) -> BreakerState | None:
        """Return the state of a breaker."""
        row = (await self._session.execute(_READ, key.values)).first()
        return BreakerState(*row) if row else None

    async def named(self, *, limit: int = 200) -> Sequence[BreakerState]:
        """Return the breakers of targets that documents or the configuration name."""
        return [BreakerState(*row) for row in await self._session.execute(_NAMED, {"limit": limit})]

    async def open(self, item: str, *, limit: int = 200) -> Sequence[BreakerState]:
        """Return the open breakers that all items share, and those of one item."""
        values = {"item": item, "limit": limit}
        return [BreakerState(*row) for row in await self._session.execute(_OPEN, values)]

    async def others(self) -> OtherTargets:
        """Count the other targets."""
        return OtherTargets(*(await self._session.execute(_OTHERS)).one())

    async def begin_probe(self, key: BreakerKey, *, seconds: float) -> bool:
        """Return whether this call becomes the one probe of an open breaker; the right expires."""
        values = {**key.values, "seconds": seconds}
        return (await self._session.execute(_PROBE, values)).first() is not None

    async def record_failure(
        self, key: BreakerKey, failure: BreakerFailure, *, most: int, seconds: float
    ) -> BreakerState:
        """Count a failure; the ``most``-th in a row opens the breaker for so many seconds.

        The breaker that all items share opens only if the failures belong to at least two items, or
        to a call without an item.
        """
        values = {
            **key.values,
            "error": failure.error,
            "caused_by": failure.caused_by,
            "named": failure.named,
            "probing": failure.probing,
            "most": most,
            "seconds": seconds,
        }
        state = BreakerState(*(await self._session.execute(_COUNT_FAILURE, values)).one())
        await self.remove_expired(batch=_REMOVED_AT_ONCE)
        return state

    async def record_answer(self, key: BreakerKey, *, probing: bool) -> None:
        """Reset the failures: the target has answered."""
        await self._session.execute(_RESET, {**key.values, "probing": probing})

    async def release_probe(self, key: BreakerKey) -> None:
        """Release a probe that ended without a result."""
        await self._session.execute(_RELEASE_PROBE, key.values)

    async def remove_expired(self, *, batch: int) -> int:
        """Remove a batch of breakers without a recent failure; return how many."""
        return len((await self._session.execute(_REMOVE_EXPIRED, {"limit": batch})).all())
