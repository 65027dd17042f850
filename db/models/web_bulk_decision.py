"""Table ``web_bulk_decisions``: decisions about many requests at once, made on the pages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT, MOMENT


class WebBulkDecision(SQLModel, table=True):
    """A row of ``web_bulk_decisions``; ``results`` has the outcome by request."""

    __tablename__ = "web_bulk_decisions"

    id: UUID = Field(primary_key=True)
    user_id: str = Field(sa_type=Text)
    cause: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    requests: list[UUID] = Field(sa_type=ARRAY(Uuid))
    results: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    created_at: datetime = Field(sa_type=MOMENT)
