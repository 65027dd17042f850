"""The last good catalog: kept so that it can be served while its source is away."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import CatalogItemRow


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


class CatalogRepository:
    """Stores and reads the last good catalog."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def upsert_all(self, items: Sequence[StoredItem]) -> None:
        """Store these items as they are now; others stay as they were."""
        if not items:
            return
        # Ordered, so that two pods that store the same catalog at once cannot lock each other out.
        rows = [asdict(item) for item in sorted(items, key=lambda item: item.id)]
        given = insert(CatalogItemRow).values(rows)
        changes = {name: given.excluded[name] for name in rows[0] if name != "id"}
        await self._session.execute(
            given.on_conflict_do_update(
                index_elements=["id"], set_={**changes, "loaded_at": func.now()}
            )
        )

    async def remove_others(self, ids: Collection[str]) -> list[str]:
        """Remove every item that is not among ``ids``; gives the ids of those removed."""
        gone = (
            delete(CatalogItemRow)
            .where(col(CatalogItemRow.id).not_in(ids))
            .returning(col(CatalogItemRow.id))
        )
        return sorted((await self._session.scalars(gone)).all())

    async def all(self) -> list[StoredItem]:
        """Read every item, in the order of their ids."""
        query = select(CatalogItemRow).order_by(col(CatalogItemRow.id))
        return [_item(row) for row in await self._session.scalars(query)]

    async def get(self, item_id: str) -> StoredItem | None:
        """Read one item; ``None`` when there is none of that id."""
        row = await self._session.get(CatalogItemRow, item_id)
        return None if row is None else _item(row)

    async def loaded_at(self) -> datetime | None:
        """Tell when the catalog was stored last; ``None`` when it never was."""
        return await self._session.scalar(select(func.max(col(CatalogItemRow.loaded_at))))


def _item(row: CatalogItemRow) -> StoredItem:
    return StoredItem(
        id=row.id,
        kind=row.kind,
        version=row.version,
        name=row.name,
        category=row.category,
        owner_team=row.owner_team,
        definition=row.definition,
        file_path=row.file_path,
        sha=row.sha,
        stale=row.stale,
    )
