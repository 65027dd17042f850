"""What people have cleaned up by hand: written once, never changed."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import CleanupDone


class CleanupsRepository:
    """Records and reads which cleanup entries are done."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def done(self, request_ids: Iterable[str]) -> dict[tuple[str, str], CleanupDone]:
        """Return the done entries of some requests, by request and entry."""
        wanted = [UUID(one) for one in request_ids]
        query = select(CleanupDone).where(col(CleanupDone.request_id).in_(wanted))
        rows = await self._session.scalars(query)
        return {(str(row.request_id), row.entry_id): row for row in rows}

    async def find(self, request_id: str, entry_id: str) -> CleanupDone | None:
        """Return the record of one done entry."""
        return await self._session.get(CleanupDone, (UUID(request_id), entry_id))

    async def mark(self, request_id: str, entry_id: str, *, by: str, note: str) -> bool:
        """Record that an entry is done; return False if it was recorded before."""
        values = {
            "request_id": UUID(request_id),
            "entry_id": entry_id,
            "done_by": by,
            "note": note,
        }
        statement = insert(CleanupDone).values(values).on_conflict_do_nothing()
        marked = await self._session.execute(statement.returning(col(CleanupDone.entry_id)))
        return marked.first() is not None
