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
    memory: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    commit: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    beside: list[dict[str, Any]] = Field(default_factory=list, sa_type=DOCUMENT)
    asked_at: datetime | None = Field(default=None, sa_type=MOMENT)
    error_cause: str | None = Field(default=None, sa_type=Text)
    error_since: datetime | None = Field(default=None, sa_type=MOMENT)
    error_until: datetime | None = Field(default=None, sa_type=MOMENT)
    held: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    outdated: str | None = Field(default=None, sa_type=Text)
    notice: str | None = Field(default=None, sa_type=Text)
    ownership: list[dict[str, Any]] = Field(default_factory=list, sa_type=DOCUMENT)
    untold: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
