"""Table ``request_actions``: the state of each action of a request."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT, MOMENT, one_of
from pao.core.states import ActionStatus


class RequestAction(SQLModel, table=True):
    """A row of ``request_actions``; ``config`` still holds templates."""

    __tablename__ = "request_actions"

    request_id: UUID = Field(primary_key=True, foreign_key="requests.id", ondelete="CASCADE")
    action_id: str = Field(primary_key=True, sa_type=Text)
    action_index: int
    type: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    config: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    status: ActionStatus = Field(default=ActionStatus.PENDING, sa_type=one_of(ActionStatus))
    attempt: int = 0
    outputs: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    external_reference: str | None = Field(default=None, sa_type=Text)
    url: str | None = Field(default=None, sa_type=Text)
    cleanup: str | None = Field(default=None, sa_type=Text)
    resource_type: str | None = Field(default=None, sa_type=Text)
    adopted: bool = False
    error: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    outcome_unknown: bool = False
    partial: list[dict[str, Any]] | None = Field(default=None, sa_type=DOCUMENT)
    former: list[dict[str, Any]] | None = Field(default=None, sa_type=DOCUMENT)
    left_behind: list[dict[str, Any]] | None = Field(default=None, sa_type=DOCUMENT)
    moves: int = 0
    doubt_since: datetime | None = Field(default=None, sa_type=MOMENT)
    pending: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    started_run_id: str | None = Field(default=None, sa_type=Text)
    started_seq: int | None = None
    ever_started: bool | None = None
    started_at: datetime | None = Field(default=None, sa_type=MOMENT)
    finished_at: datetime | None = Field(default=None, sa_type=MOMENT)
    note: str | None = Field(default=None, sa_type=Text)
    waiting: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    ticket_status: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
