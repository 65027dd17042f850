"""One action of a request: where it stands, why it failed, what it waits for."""

from typing import Literal

from pydantic import Field

from api.schemas import EXAMPLE_TIME, Answer, JsonObject, Moment, Omittable
from pao.core.states import ActionStatus


class Failure(Answer):
    """Why an action, or a request, failed."""

    code: str = Field(description="An error code, as in the envelope of errors")
    message: str
    http_status: int | None = Field(None, description="What the target answered, where it did")
    response_body: str | None = Field(None, description="The beginning of it, secrets masked")
    retryable: bool = Field(default=False, description="The same call may succeed later")
    outcome_unknown: bool = Field(default=False, description="The effect may exist all the same")
    cause: str | None = Field(
        None,
        description="Who, or what, is behind it: access, quota, input, target-down, conflict, "
        "ours, declined or unknown",
    )


class Wait(Answer):
    """An action whose effect was made and that waits for its target, or for a ticket's end."""

    kind: Literal["follow", "resolution"]
    since: Moment | None = None


class Approvers(Answer):
    """Who may decide about an action."""

    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


class Vote(Answer):
    """What one approver, or the deadline, has said."""

    by: str
    decision: str
    at: Moment
    reason: str | None = None
    via: str | None = None


class ApprovalWait(Answer):
    """An action that waits for people."""

    kind: Literal["approval"]
    since: Moment | None = None
    deadline: Moment | None = None
    on_deadline: str | None = None
    message: str | None = None
    approvers: Approvers = Approvers()
    minimum: int = 1
    allow_self: bool = False
    decisions: tuple[Vote, ...] = ()


Waiting = Wait | ApprovalWait


class TicketStatus(Answer):
    """What JIRA said of a ticket when PAO asked last."""

    status: str | None = None
    status_category: str | None = None
    mapped_status: str | None = Field(None, description="What it means for the request")
    mapped: bool = Field(default=False, description="Whether the status is one that PAO knows")
    resolution: str | None = None
    checked_at: Moment | None = None
    gone: Omittable[bool] = Field(None, description="Whether JIRA has no such ticket any more")


class Action(Answer):
    """One action of a request, and where it stands."""

    id: str
    index: int
    type: str
    name: str
    status: ActionStatus
    attempt: int = Field(description="How often it was begun")
    adopted: bool = Field(description="Its effect was found in the target, not made again")
    external_reference: str | None
    url: str | None
    outputs: JsonObject | None
    error: Failure | None
    outcome_unknown: bool
    reason: str | None = Field(description="Why it was skipped")
    waiting: Waiting | None = Field(description="What it waits for while it does")
    ticket_status: TicketStatus | None
    started_at: Moment | None
    finished_at: Moment | None


URL = "https://jira.example.com/browse/DB-123"

ACTION = Action(
    id="jira-ticket-1",
    index=0,
    type="jira-ticket",
    name="Ticket for the database team",
    status=ActionStatus.COMPLETED,
    attempt=1,
    adopted=False,
    external_reference="DB-123",
    url=URL,
    outputs={"key": "DB-123", "id": "10001", "url": URL},
    error=None,
    outcome_unknown=False,
    reason=None,
    waiting=None,
    ticket_status=None,
    started_at=EXAMPLE_TIME,
    finished_at=EXAMPLE_TIME,
)
