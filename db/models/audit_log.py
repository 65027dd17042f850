"""Table ``audit_logs``: who did what; append-only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT, MOMENT


class AuditLog(SQLModel, table=True):
    """A row of ``audit_logs``; it outlives the request that it names.

    ``source_system`` says who wrote it: ``api``, ``workflow``, ``superseded`` (a run whose write
    did not count) or ``database`` (a change by hand that the trigger noticed). ``position`` and
    ``hash`` are its place in the chain of its request, given by a trigger.
    """

    __tablename__ = "audit_logs"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    request_id: UUID | None = None
    action_id: str | None = Field(default=None, sa_type=Text)
    correlation_id: UUID | None = None
    event_type: str = Field(sa_type=Text)
    event_data: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    actor: str = Field(sa_type=Text)
    via: str = Field(sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=MOMENT)
    source_system: str = Field(sa_type=Text)
    run_id: str | None = Field(default=None, sa_type=Text)
    seq: int | None = None
    identity: str | None = Field(default=None, sa_type=Text)
    recorded_at: datetime = Field(sa_type=MOMENT)
    position: int = Field(sa_type=BigInteger)
    hash: bytes = Field(sa_type=LargeBinary)
