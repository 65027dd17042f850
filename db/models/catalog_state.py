"""Table ``catalog_state``: one row with the state of the catalog as a whole."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT, MOMENT, WORDS


class CatalogStateRow(SQLModel, table=True):
    """The row of ``catalog_state``: the newest generation, and the last sync with the source."""

    __tablename__ = "catalog_state"

    singleton: bool = Field(default=True, primary_key=True)
    generation: int = Field(default=0, sa_type=BigInteger)
    source: str | None = Field(default=None, sa_type=Text)
    revision: str | None = Field(default=None, sa_type=Text)
    synced_at: datetime | None = Field(default=None, sa_type=MOMENT)
    error: str | None = Field(default=None, sa_type=Text)
    refused: list[dict[str, Any]] = Field(sa_type=DOCUMENT)
    digest: str | None = Field(default=None, sa_type=Text)
    changed_at: datetime | None = Field(default=None, sa_type=MOMENT)
    superseded: list[str] = Field(default_factory=list, sa_type=WORDS)
