"""Table ``web_drafts``: forms of the pages that are being filled in."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT, MOMENT


class WebDraft(SQLModel, table=True):
    """A row of ``web_drafts``; ``request_id`` is set once the draft is submitted."""

    __tablename__ = "web_drafts"

    id: UUID = Field(primary_key=True)
    user_id: str = Field(sa_type=Text)
    catalog_item_id: str = Field(sa_type=Text)
    item_version: str = Field(sa_type=Text)
    texts: dict[str, Any] = Field(sa_type=DOCUMENT)
    sealed: dict[str, Any] = Field(sa_type=DOCUMENT, repr=False)
    saved: int = Field(sa_type=BigInteger)
    repeats: UUID | None = Field(default=None, foreign_key="requests.id", ondelete="SET NULL")
    request_id: UUID | None = Field(default=None, foreign_key="requests.id", ondelete="CASCADE")
    created_at: datetime = Field(sa_type=MOMENT)
    changed_at: datetime = Field(sa_type=MOMENT)
