"""Table ``requests``: one submitted request and its state."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT, MOMENT, WORDS, one_of
from pao.core.states import RequestStatus


class Request(SQLModel, table=True):
    """A row of ``requests``; ``fields`` may hold sealed secrets: mask them before showing them."""

    __tablename__ = "requests"

    id: UUID = Field(primary_key=True)
    parent_id: UUID | None = Field(default=None, foreign_key="requests.id")
    component_id: str | None = Field(default=None, sa_type=Text)
    catalog_item_id: str = Field(sa_type=Text)
    catalog_item_version: str = Field(sa_type=Text)
    catalog_item_name: str = Field(sa_type=Text)
    title: str | None = Field(default=None, sa_type=Text)
    owner_team: str | None = Field(default=None, sa_type=Text)
    item_sha: str | None = Field(default=None, sa_type=Text)
    item_definition: dict[str, Any] = Field(sa_type=DOCUMENT)
    plan: list[dict[str, Any]] = Field(sa_type=DOCUMENT)
    user_id: str = Field(sa_type=Text)
    user_email: str | None = Field(default=None, sa_type=Text)
    user_arn: str | None = Field(default=None, sa_type=Text)
    user_teams: list[str] = Field(default_factory=list, sa_type=WORDS)
    status: RequestStatus = Field(default=RequestStatus.SUBMITTED, sa_type=one_of(RequestStatus))
    retrying: bool = False
    waiting_since: datetime | None = Field(default=None, sa_type=MOMENT)
    fields: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    # SQLModel keeps the name "metadata" for itself.
    request_metadata: dict[str, Any] = Field(
        default_factory=dict, sa_type=DOCUMENT, sa_column_kwargs={"name": "metadata"}
    )
    correlation_id: UUID
    error: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    error_context: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    escalation_ticket_key: str | None = Field(default=None, sa_type=Text)
    escalation_url: str | None = Field(default=None, sa_type=Text)
    escalated_at: datetime | None = Field(default=None, sa_type=MOMENT)
    escalated_by: str | None = Field(default=None, sa_type=Text)
    escalation_reason: str | None = Field(default=None, sa_type=Text)
    run_id: str | None = Field(default=None, sa_type=Text)
    mirror_at: datetime | None = Field(default=None, sa_type=MOMENT)
    mirror_seq: int | None = None
    created_at: datetime = Field(sa_type=MOMENT)
    updated_at: datetime = Field(sa_type=MOMENT)
    settled_at: datetime | None = Field(default=None, sa_type=MOMENT)
