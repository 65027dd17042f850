"""Table ``request_events``: the stream of a request that readers follow; its log among it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT, MOMENT


class RequestEvent(SQLModel, table=True):
    """A row of ``request_events``; within one request ``id`` grows in the order of commits."""

    __tablename__ = "request_events"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    request_id: UUID = Field(foreign_key="requests.id", ondelete="CASCADE")
    run_id: str = Field(sa_type=Text)
    seq: int
    kind: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=MOMENT)
    identity: str | None = Field(default=None, sa_type=Text)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
