"""The progress of a request: live status, log, escalation ticket."""

from pydantic import Field

from api.requests.schemas.action import URL, Action, Failure
from api.requests.schemas.request import REQUEST, Escalation
from api.schemas import (
    EXAMPLE_TIME,
    LAST_PAGE,
    Id,
    JsonObject,
    Moment,
    Omittable,
    Pagination,
    ResponseBody,
)
from pao.core.states import RequestStatus


class CurrentAction(Action):
    """An action that is running or waiting, or that needs a decision."""

    component: Omittable[str] = Field(None, description="For a bundle: the component of the action")


class Progress(ResponseBody):
    """How much of the plan is done, components of a bundle included."""

    completed_actions: int
    total_actions: int
    percent_complete: int


class LiveStatus(ResponseBody):
    """A ticket's status queried from JIRA now; with `live: false`, the stored one."""

    live: bool
    status: str | None
    status_category: str | None
    mapped_status: RequestStatus | None = Field(description="What it means for the request")
    mapped: bool = Field(description="Whether the status is one that PAO knows")
    checked_at: Moment
    error: str | None = Field(description="Why JIRA could not be queried")


class _Ticket(ResponseBody):
    action_id: str
    component: Omittable[str] = None
    key: str
    url: str | None


class LiveTicket(LiveStatus, _Ticket):
    """A ticket of a request, with its status."""


class ComponentStatus(ResponseBody):
    """Where one component of a bundle stands."""

    id: str
    request_id: Id
    status: RequestStatus
    retrying: bool
    progress: Progress


class Status(ResponseBody):
    """Where a request stands."""

    id: Id
    title: str
    summary: str = Field(description="As of the request, with what JIRA says of its tickets now")
    status: RequestStatus
    retrying: bool
    current_actions: list[CurrentAction]
    progress: Progress
    tickets: list[LiveTicket]
    components: Omittable[list[ComponentStatus]] = None
    error: Failure | None
    updated_at: Moment


class LogLine(ResponseBody):
    """One line of the execution log."""

    sequence: int
    component: Omittable[str] = None
    time: Moment
    level: str | None
    action_id: str | None
    attempt: int | None
    message: str | None
    data: JsonObject


class LogPage(ResponseBody):
    """A page of the execution log."""

    data: list[LogLine]
    pagination: Pagination


class EscalationStatus(Escalation):
    """An escalation with the live status of its ticket."""

    ticket: LiveStatus


_LIVE = LiveStatus(
    live=True,
    status="In Review",
    status_category="indeterminate",
    mapped_status=RequestStatus.IN_PROGRESS,
    mapped=True,
    checked_at=EXAMPLE_TIME,
    error=None,
)

STATUS = Status(
    id=REQUEST.id,
    title=REQUEST.title,
    summary="completed: DB-123 is with the database team (In Review)",
    status=RequestStatus.COMPLETED,
    retrying=False,
    current_actions=[],
    progress=Progress(completed_actions=1, total_actions=1, percent_complete=100),
    tickets=[LiveTicket(**dict(_LIVE), action_id="jira-ticket-1", key="DB-123", url=URL)],
    error=None,
    updated_at=EXAMPLE_TIME,
)

LOGS = LogPage(
    data=[
        LogLine(
            sequence=17,
            time=EXAMPLE_TIME,
            level="info",
            action_id="jira-ticket-1",
            attempt=1,
            message="Ticket for the database team succeeded: DB-123",
            data={},
        )
    ],
    pagination=LAST_PAGE,
)

ESCALATION = EscalationStatus(
    ticket_key="ORCHESTRATION-7",
    url="https://jira.example.com/browse/ORCHESTRATION-7",
    escalated_at=EXAMPLE_TIME,
    escalated_by="priya",
    reason="The project is gone.",
    ticket=_LIVE,
)
