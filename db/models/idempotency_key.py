"""Table ``idempotency_keys``: which request a caller's key belongs to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class IdempotencyKey(SQLModel, table=True):
    """A row of ``idempotency_keys``; it lives as long as its request."""

    __tablename__ = "idempotency_keys"

    caller_id: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    body_digest: bytes = Field(sa_type=LargeBinary)
    request_id: UUID = Field(foreign_key="requests.id", ondelete="CASCADE")
    created_at: datetime = Field(sa_type=MOMENT)
