"""The catalog in Postgres, as it is served: its items.

Its state as a whole is in catalog_state.py, what was found in the files in catalog_files.py.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import CatalogItemRow, CatalogStateRow

LEASE = "catalog"
"""The lease of the process that syncs the catalog."""

_AT_ONCE = 100
_IN_SERVICE = col(CatalogItemRow.removed_at).is_(None)
# Parts of an outline that are taken out of the definition.
_EXTRACTED = frozenset({"metadata", "deprecation", "components"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredItem:
    """A catalog document that passed validation, and where it came from.

    ``stale`` says that its file was refused at the last sync and this is the version before.
    """

    id: str
    kind: str
    version: str
    name: str
    category: str | None
    owner_team: str | None
    definition: dict[str, Any]
    file_path: str
    sha: str | None = None
    stale: bool = False
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOutline:
    """What lists show of an item: everything but its form and its actions."""

    id: str
    kind: str
    version: str
    name: str
    category: str | None
    owner_team: str | None
    file_path: str
    sha: str | None
    stale: bool
    generation: int
    metadata: dict[str, Any]
    deprecation: dict[str, Any] | None
    components: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class ServedFile:
    """Which file an item in service comes from, and as which content."""

    path: str
    sha: str | None
    stale: bool
    generation: int


class CatalogRepository:
    """Stores and reads the catalog in service."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def next_generation(self) -> int:
        """Return the generation of this transaction's changes; other writers wait until it ends."""
        increment = update(CatalogStateRow).values(generation=CatalogStateRow.generation + 1)
        generation = await self._session.scalar(
            increment.returning(col(CatalogStateRow.generation))
        )
        return int(generation or 0)

    async def upsert_all(self, items: Sequence[StoredItem]) -> None:
        """Store these items as they are now; others stay as they were."""
        # Ordered, so that two concurrent writers of the same catalog cannot deadlock.
        rows = [asdict(item) for item in sorted(items, key=lambda item: item.id)]
        for start in range(0, len(rows), _AT_ONCE):
            statement = insert(CatalogItemRow).values(rows[start : start + _AT_ONCE])
            changes = {name: statement.excluded[name] for name in rows[0] if name != "id"}
            await self._session.execute(
                statement.on_conflict_do_update(
                    index_elements=["id"],
                    set_={**changes, "loaded_at": func.now(), "removed_at": None},
                )
            )

    async def mark(self, ids: Collection[str], *, stale: bool, generation: int) -> None:
        """Mark these items as stale, or as good again."""
        if ids:
            statement = update(CatalogItemRow).where(col(CatalogItemRow.id).in_(ids))
            await self._session.execute(statement.values(stale=stale, generation=generation))

    async def remove(self, ids: Collection[str], *, generation: int) -> None:
        """Take these items out of service; their rows stay, marked."""
        if ids:
            statement = update(CatalogItemRow).where(
                col(CatalogItemRow.id).in_(ids), col(CatalogItemRow.removed_at).is_(None)
            )
            await self._session.execute(
                statement.values(removed_at=func.now(), generation=generation)
            )

    async def served_files(self) -> dict[str, ServedFile]:
        """Return for every item in service the file that it comes from."""
        row = CatalogItemRow
        query = select(
            col(row.id), col(row.file_path), col(row.sha), col(row.stale), col(row.generation)
        ).where(_IN_SERVICE)
        return {one[0]: ServedFile(*one[1:]) for one in await self._session.execute(query)}

    async def outlines(self, ids: Collection[str] | None = None) -> list[ItemOutline]:
        """Read what lists need, of all items or of these."""
        row = CatalogItemRow
        names = [name for name in ItemOutline.__slots__ if name not in _EXTRACTED]
        definition = col(row.definition)
        query = select(
            *(getattr(row, name) for name in names),
            definition["metadata"].label("metadata"),
            definition["lifecycle"]["deprecation"].label("deprecation"),
            definition["components"].label("components"),
        ).where(_IN_SERVICE)
        if ids is not None:
            query = query.where(col(row.id).in_(ids))
        return [ItemOutline(**one) for one in (await self._session.execute(query)).mappings()]

    async def definitions(self, ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """Read the documents of these items, by id; those that are not in service are left out."""
        row = CatalogItemRow
        query = select(col(row.id), col(row.definition)).where(_IN_SERVICE, col(row.id).in_(ids))
        return {one[0]: one[1] for one in await self._session.execute(query)}

    async def get(self, item_id: str) -> StoredItem | None:
        """Read one item; ``None`` when there is none of that id."""
        row = await self._session.get(CatalogItemRow, item_id)
        return None if row is None or row.removed_at is not None else _from_row(row)


def _from_row(row: CatalogItemRow) -> StoredItem:
    return StoredItem(**{name: getattr(row, name) for name in StoredItem.__slots__})
