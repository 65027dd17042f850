"""Table ``decisions``: what people decided about a request, refused decisions included."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT, MOMENT


class DecisionRow(SQLModel, table=True):
    """A row of ``decisions``; readers get it as a ``DecisionRecord``."""

    __tablename__ = "decisions"

    request_id: UUID = Field(primary_key=True, foreign_key="requests.id", ondelete="CASCADE")
    decision_id: str = Field(primary_key=True, sa_type=Text)
    decision: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=MOMENT)
    by: str = Field(sa_type=Text)
    via: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    accepted: bool
    outcome: str = Field(sa_type=Text)
    message: str | None = Field(default=None, sa_type=Text)
    changes: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    code: str | None = Field(default=None, sa_type=Text)
    details: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    run_id: str | None = Field(default=None, sa_type=Text)
    mirror_at: datetime = Field(sa_type=MOMENT)
    mirror_seq: int
