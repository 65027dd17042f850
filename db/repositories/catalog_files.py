"""Results of checking the files of the catalog, so that no file is checked twice."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import CatalogFileRow

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it was checked; ``facts`` is ``None`` where it was refused.

    ``sha`` is the hash of its content, ``judged_by`` names the rules; ``mode`` and ``problem`` come
    from the source, for what is not a file or cannot be read.
    """

    path: str
    sha: str
    judged_by: str
    facts: dict[str, Any] | None
    findings: list[dict[str, Any]]
    mode: str = "100644"
    problem: str | None = None


class CatalogFilesRepository:
    """Stores and reads these results."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def all(self) -> dict[str, StoredFile]:
        """Read every file, by its path."""
        names = [col(getattr(CatalogFileRow, name)) for name in StoredFile.__slots__]
        rows = await self._session.execute(select(*names))
        return {row[0]: StoredFile(*row) for row in rows}

    async def upsert_all(self, files: Sequence[StoredFile]) -> None:
        """Store these files as they are now; others stay as they were."""
        rows = [asdict(file) for file in files]
        for start in range(0, len(rows), _AT_ONCE):
            statement = insert(CatalogFileRow).values(rows[start : start + _AT_ONCE])
            changes = {name: statement.excluded[name] for name in rows[0] if name != "path"}
            await self._session.execute(
                statement.on_conflict_do_update(index_elements=["path"], set_=changes)
            )

    async def remove(self, paths: Collection[str]) -> None:
        """Remove these files."""
        if paths:
            statement = delete(CatalogFileRow).where(col(CatalogFileRow.path).in_(paths))
            await self._session.execute(statement)
