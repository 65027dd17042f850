"""Contents of catalog files, so that new rules can check them without asking the source."""

from collections.abc import Collection, Mapping

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import CatalogBlobRow, CatalogFileRow

# A content has at most one megabyte, most have a few thousand bytes.
_AT_ONCE = 50
_IDS_AT_ONCE = 5_000


class CatalogBlobsRepository:
    """Stores and reads contents by Git's id."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def stored_ids(self, ids: Collection[str]) -> frozenset[str]:
        """Return which of these are stored."""
        wanted, stored = sorted(ids), set[str]()
        for start in range(0, len(wanted), _IDS_AT_ONCE):
            in_batch = col(CatalogBlobRow.id).in_(wanted[start : start + _IDS_AT_ONCE])
            stored.update(
                await self._session.scalars(select(col(CatalogBlobRow.id)).where(in_batch))
            )
        return frozenset(stored)

    async def read(self, ids: Collection[str]) -> dict[str, bytes]:
        """Return contents by id; those that are not stored are left out."""
        row = CatalogBlobRow
        wanted = sorted(ids)
        contents: dict[str, bytes] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            in_batch = col(row.id).in_(wanted[start : start + _AT_ONCE])
            query = select(col(row.id), col(row.content)).where(in_batch)
            contents |= {one[0]: one[1] for one in await self._session.execute(query)}
        return contents

    async def store(self, contents: Mapping[str, bytes]) -> None:
        """Store contents whose ids were checked; what is stored already stays."""
        rows = [{"id": blob, "content": contents[blob]} for blob in sorted(contents)]
        for start in range(0, len(rows), _AT_ONCE):
            statement = insert(CatalogBlobRow).values(rows[start : start + _AT_ONCE])
            await self._session.execute(statement.on_conflict_do_nothing())

    async def forget_unused(self, others: Collection[str] = ()) -> None:
        """Remove every content that no file of the catalog has, except these ``others``."""
        row = CatalogBlobRow
        used = select(col(CatalogFileRow.path)).where(col(CatalogFileRow.sha) == col(row.id))
        statement = delete(row).where(~used.exists(), col(row.id).not_in(others))
        await self._session.execute(statement)
