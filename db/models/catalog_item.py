"""Table ``catalog_items``: the last good catalog, for when its source is unavailable."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT, MOMENT


class CatalogItemRow(SQLModel, table=True):
    """A row of ``catalog_items``; ``stale`` when its file was refused or gone at the last sync.

    ``removed_at`` is set while it is not in service: rows are never deleted.
    """

    __tablename__ = "catalog_items"

    id: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(sa_type=Text)
    version: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    category: str | None = Field(default=None, sa_type=Text)
    owner_team: str | None = Field(default=None, sa_type=Text)
    definition: dict[str, Any] = Field(sa_type=DOCUMENT)
    file_path: str = Field(sa_type=Text)
    sha: str | None = Field(default=None, sa_type=Text)
    stale: bool = False
    generation: int = Field(default=0, sa_type=BigInteger)
    loaded_at: datetime = Field(sa_type=MOMENT)
    removed_at: datetime | None = Field(default=None, sa_type=MOMENT)
