"""The data of the events that GET /requests/{id}/events streams, by the name of the event."""

from pydantic import Field

from api.requests.schemas.action import Failure
from api.schemas import EXAMPLE_TIME, JsonObject, Moment, Omittable, ResponseBody
from pao.core.states import ActionStatus, RequestStatus


class Event(ResponseBody):
    """What every event says."""

    time: Moment
    component: Omittable[str] = Field(None, description="For a bundle: the component of the event")


class StateEvent(Event):
    """`state`: where the request stands, and what it is called."""

    title: str
    status: RequestStatus
    retrying: bool


class ActionEvent(Event):
    """`action`: where one action stands."""

    id: str
    status: ActionStatus
    attempt: int
    external_reference: str | None
    url: str | None
    error: Failure | None
    note: str | None
    waiting: str | None = Field(description="follow, resolution or approval")


class LogEvent(Event):
    """`log`: one line of the execution log."""

    level: str
    action_id: str | None
    attempt: int | None
    message: str
    data: JsonObject


class DecisionEvent(Event):
    """`decision`: what became of a decision."""

    decision: str
    by: str
    accepted: bool
    outcome: str
    message: str | None


EVENTS: dict[str, type[Event]] = {
    "state": StateEvent,
    "action": ActionEvent,
    "log": LogEvent,
    "decision": DecisionEvent,
}

_SHOWN: tuple[tuple[str, Event], ...] = (
    (
        "state",
        StateEvent(
            time=EXAMPLE_TIME, title="orders-db", status=RequestStatus.IN_PROGRESS, retrying=False
        ),
    ),
    (
        "action",
        ActionEvent(
            time=EXAMPLE_TIME,
            id="jira-ticket-1",
            status=ActionStatus.IN_PROGRESS,
            attempt=1,
            external_reference=None,
            url=None,
            error=None,
            note=None,
            waiting=None,
        ),
    ),
    (
        "decision",
        DecisionEvent(
            time=EXAMPLE_TIME,
            decision="retry",
            by="dana",
            accepted=True,
            outcome="done",
            message=None,
        ),
    ),
    (
        "log",
        LogEvent(
            time=EXAMPLE_TIME,
            level="info",
            action_id="jira-ticket-1",
            attempt=1,
            message="attempt 1 starts",
            data={},
        ),
    ),
)

EXAMPLE = "".join(
    f"id: {number}\nevent: {name}\ndata: {event.model_dump_json()}\n\n"
    for number, (name, event) in enumerate(_SHOWN, start=41)
)
