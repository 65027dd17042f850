"""Circuit breakers as all processes share them, by the one clock of the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_COLUMNS = """
    target, failures, last_error, retry_at,
    CASE WHEN retry_at IS NULL THEN 'closed' WHEN retry_at > now() THEN 'open' ELSE 'half-open' END
        AS state,
    greatest(extract(epoch FROM greatest(retry_at, probe_until) - now()), 0)::float8 AS wait_seconds
"""
_READ = text(f"SELECT {_COLUMNS} FROM circuit_breakers WHERE target = :target")  # noqa: S608 -- our own columns
_ALL = text(f"SELECT {_COLUMNS} FROM circuit_breakers ORDER BY target LIMIT :limit")  # noqa: S608 -- as above
# Of all who come when an open breaker's time is over, one gets the row.
_PROBE = text(
    """
    UPDATE circuit_breakers SET probe_until = now() + make_interval(secs => :seconds)
    WHERE target = :target AND retry_at <= now() AND (probe_until IS NULL OR probe_until <= now())
    RETURNING target
    """
)
# A failure while the breaker is open, of a call that was let through before, moves nothing; the
# failure of a probe opens it for another while.
_FAILED = text(
    f"""
    INSERT INTO circuit_breakers AS known (target, failures, last_error, retry_at)
    VALUES (
        :target, 1, :error,
        CASE WHEN :most <= 1 THEN now() + make_interval(secs => :seconds) END
    )
    ON CONFLICT (target) DO UPDATE SET
        failures = known.failures + 1,
        last_error = excluded.last_error,
        failed_at = now(),
        retry_at = CASE
            WHEN known.retry_at IS NOT NULL AND NOT :probing THEN known.retry_at
            WHEN known.failures + 1 >= :most OR :probing
                THEN now() + make_interval(secs => :seconds)
        END,
        probe_until = CASE WHEN NOT :probing THEN known.probe_until END
    RETURNING {_COLUMNS}
    """  # noqa: S608 -- as above
)
# An answer of a call that was let through before the breaker opened says nothing about now.
_ANSWERED = text(
    "DELETE FROM circuit_breakers WHERE target = :target AND (retry_at IS NULL OR :probing)"
)
_GIVEN_BACK = text("UPDATE circuit_breakers SET probe_until = NULL WHERE target = :target")


@dataclass(frozen=True, slots=True)
class BreakerState:
    """Where one target stands: ``closed``, ``open`` or ``half-open``; when it is tried next."""

    target: str
    failures: int
    last_error: str | None
    retry_at: datetime | None
    state: str
    wait_seconds: float | None


class BreakersRepository:
    """Reads and moves breakers; a target that has no row has not failed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def read(self, target: str) -> BreakerState | None:
        """Give where a target stands."""
        row = (await self._session.execute(_READ, {"target": target})).first()
        return BreakerState(*row) if row else None

    async def all(self, *, limit: int = 200) -> Sequence[BreakerState]:
        """Give the targets that failed last."""
        return [BreakerState(*row) for row in await self._session.execute(_ALL, {"limit": limit})]

    async def begin_probe(self, target: str, *, seconds: float) -> bool:
        """Ask to be the one call that tries a target out; the right to it ends by itself."""
        values = {"target": target, "seconds": seconds}
        return (await self._session.execute(_PROBE, values)).first() is not None

    async def failed(
        self, target: str, error: str, *, most: int, seconds: float, probing: bool
    ) -> BreakerState:
        """Count a failure; the ``most``-th in a row opens the breaker for so many seconds."""
        values = {
            "target": target,
            "error": error,
            "most": most,
            "seconds": seconds,
            "probing": probing,
        }
        return BreakerState(*(await self._session.execute(_FAILED, values)).one())

    async def answered(self, target: str, *, probing: bool) -> None:
        """Forget a target's failures: it has answered."""
        await self._session.execute(_ANSWERED, {"target": target, "probing": probing})

    async def give_back(self, target: str) -> None:
        """End a probe that has found nothing out."""
        await self._session.execute(_GIVEN_BACK, {"target": target})
