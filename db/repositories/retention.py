"""Removes expired rows; the database itself enforces the age limits."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_REFRESH = text("SELECT refresh_statistics()")
_REMOVE = text("SELECT removed_requests, removed_audit_rows FROM remove_expired(:batch)")


@dataclass(frozen=True, slots=True)
class RemovedRows:
    """How many rows one batch removed."""

    requests: int
    audit_rows: int


class RetentionRepository:
    """Removes what has expired."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def remove_expired(self, *, batch: int = 500) -> RemovedRows:
        """Remove one batch: requests that ended over 90 days ago, audit rows older than a year.

        At most ``batch`` rows (1 to 10,000) of each; repeat until both numbers are zero. Nothing
        that is not terminal is ever removed.
        """
        row = (await self._session.execute(_REMOVE, {"batch": batch})).one()
        return RemovedRows(row.removed_requests, row.removed_audit_rows)

    async def refresh_statistics(self) -> None:
        """Refresh the planner's statistics; vacuuming is left to autovacuum."""
        await self._session.execute(_REFRESH)
