"""The last run of each kind of maintenance, for its next run and for monitoring."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import MaintenanceRun

_NOTE = text(
    """
    INSERT INTO upkeep AS known (name, finished_at, result, totals, position)
    VALUES (:name, now(), :result, :counted, :position)
    ON CONFLICT (name) DO UPDATE SET
        finished_at = excluded.finished_at,
        result = excluded.result,
        position = excluded.position,
        totals = (
            SELECT coalesce(jsonb_object_agg(key, total), '{}')
            FROM (
                SELECT key, sum(value::numeric) AS total
                FROM (
                    SELECT * FROM jsonb_each_text(known.totals)
                    UNION ALL SELECT * FROM jsonb_each_text(excluded.totals)
                ) AS counts
                GROUP BY key
            ) AS sums
        )
    """
).bindparams(
    bindparam("result", type_=JSONB()),
    bindparam("counted", type_=JSONB()),
    bindparam("position", type_=JSONB(none_as_null=True)),
)


@dataclass(frozen=True, slots=True)
class MaintenanceRunRecord:
    """The last run of one kind of maintenance, and the totals over all of its runs."""

    finished_at: datetime
    result: dict[str, Any] = field(default_factory=dict)
    totals: dict[str, Any] = field(default_factory=dict)
    position: dict[str, Any] | None = None


class MaintenanceRunsRepository:
    """Keeps one row per kind of maintenance."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def last(self, name: str) -> MaintenanceRunRecord | None:
        """Read the last run; ``None`` when there was none yet."""
        row = await self._session.get(MaintenanceRun, name)
        if row is None:
            return None
        return MaintenanceRunRecord(row.finished_at, row.result, row.totals, row.position)

    async def note(
        self, name: str, counts: dict[str, int], *, position: dict[str, Any] | None = None
    ) -> None:
        """Store the result of a run; its counts are added to the totals."""
        values = {"name": name, "result": counts, "counted": counts, "position": position}
        await self._session.execute(_NOTE, values)
