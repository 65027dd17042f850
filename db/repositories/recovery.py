"""How far the recovery of a restored database is: the row ``recovery`` of ``upkeep``."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import MaintenanceRun

NAME = "recovery"
RESTORED, REBUILDING, UNANSWERED, DONE = "restored", "rebuilding", "unanswered", "done"
"""The states, in their order."""

_NOTE = """
INSERT INTO public.upkeep (name, finished_at, result, totals)
VALUES ('recovery', now(), jsonb_build_object(
    'state', CAST(:state AS text), 'backup', CAST(:backup AS text),
    'unanswered', CAST(:unanswered AS integer)
), '{}')
ON CONFLICT (name) DO UPDATE SET finished_at = excluded.finished_at, result = excluded.result
"""


@dataclass(frozen=True, slots=True)
class Recovery:
    """The state of a recovery; ``backup`` is the time of the restored backup."""

    state: str
    backup: str | None = None
    unanswered: int = 0

    @property
    def problem(self) -> str | None:
        """Why requests cannot be accepted yet; None if they can."""
        match self.state:
            case "restored":
                return (
                    f"the database was restored from a backup of {self.backup}: run"
                    " `pao db rebuild`"
                )
            case "rebuilding":
                return (
                    "requests are being rebuilt from Temporal; if that was interrupted, run"
                    " `pao db rebuild` again"
                )
            case "unanswered":
                return (
                    f"{self.unanswered} requests did not answer when they were rebuilt from"
                    " Temporal: run `pao db rebuild` again, or with --open"
                )
        return None


class RecoveryRepository:
    """Reads and stores the state of a recovery."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def read(self) -> Recovery:
        """Return the state; a database that was never restored is done."""
        row = await self._session.get(MaintenanceRun, NAME)
        if row is None:
            return Recovery(DONE)
        result = row.result
        return Recovery(
            str(result.get("state", DONE)), result.get("backup"), int(result.get("unanswered", 0))
        )

    async def note(self, state: str, *, backup: str | None = None, unanswered: int = 0) -> None:
        """Store the state."""
        values = {"state": state, "backup": backup, "unanswered": unanswered}
        await self._session.execute(text(_NOTE), values)
