"""One action of a request: where it stands, why it failed, what it waits for."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas import EXAMPLE_TIME, JsonObject, Moment, Omittable, ResponseBody
from pao.core.states import ActionStatus


class Failure(ResponseBody):
    """Why an action, or a request, failed."""

    code: str = Field(description="An error code, as in the envelope of errors")
    message: str
    http_status: int | None = Field(
        None, description="Status of the target's response, if it responded"
    )
    response_body: str | None = Field(
        None, description="Beginning of the target's response, secrets masked"
    )
    retryable: bool = Field(default=False, description="The same call may succeed later")
    outcome_unknown: bool = Field(default=False, description="The effect may exist all the same")
    cause: str | None = Field(
        None,
        description="The kind of cause: access, quota, input, target-down, conflict, "
        "ours, declined or unknown",
    )


class Wait(ResponseBody):
    """An action whose effect exists, and that waits for its target or its ticket."""

    kind: str = Field(description="`follow`: its target; `resolution`: its ticket")
    since: Moment | None = None


class Approvers(ResponseBody):
    """Who may decide about an action."""

    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()


class Vote(ResponseBody):
    """What an approver, or the deadline, decided."""

    by: str
    decision: str
    at: Moment
    reason: str | None = None
    via: str | None = None


class ApprovalWait(ResponseBody):
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


Waiting = Annotated[ApprovalWait | Wait, Field(union_mode="left_to_right")]
"""What an action waits for; a kind of a later version is shown with what all have."""


class TicketStatus(ResponseBody):
    """A ticket's status when JIRA was last queried."""

    status: str | None = None
    status_category: str | None = None
    mapped_status: str | None = Field(None, description="What it means for the request")
    mapped: bool = Field(default=False, description="Whether the status is one that PAO knows")
    resolution: str | None = None
    checked_at: Moment | None = None
    gone: Omittable[bool] = Field(None, description="Whether the ticket no longer exists in JIRA")


class Action(ResponseBody):
    """One action of a request, and where it stands."""

    id: str
    index: int
    type: str
    name: str
    status: ActionStatus
    attempt: int = Field(description="Number of attempts so far")
    adopted: bool = Field(description="Its effect was found in the target and not created again")
    external_reference: str | None
    url: str | None
    outputs: JsonObject | None
    error: Failure | None
    outcome_unknown: bool
    reason: str | None = Field(description="Why it was skipped")
    waiting: Waiting | None = Field(description="What it is waiting for, if anything")
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
