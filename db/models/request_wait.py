"""Table ``request_waits``: when a request waited for people, and why; kept by triggers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class RequestWait(SQLModel, table=True):
    """A row of ``request_waits``; ``ended_at`` is None while it waits."""

    __tablename__ = "request_waits"

    request_id: UUID = Field(primary_key=True, foreign_key="requests.id", ondelete="CASCADE")
    since: datetime = Field(primary_key=True, sa_type=MOMENT)
    ended_at: datetime | None = Field(default=None, sa_type=MOMENT)
    kind: str = Field(sa_type=Text)
    action_id: str | None = Field(default=None, sa_type=Text)
    code: str | None = Field(default=None, sa_type=Text)
    cause: str | None = Field(default=None, sa_type=Text)
