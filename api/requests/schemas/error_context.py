"""Everything needed to decide about a failed request."""

from pydantic import Field

from api.requests.schemas.action import Failure
from api.schemas import Id, JsonObject, Moment, Omittable, ResponseBody
from pao.core.states import RequestStatus


class FailedAction(ResponseBody):
    """A failed action in the error context."""

    index: int | None = None
    id: str
    type: str | None = None
    attempt: int | None = None
    started_at: Moment | None = None
    failed_at: Moment | None = None
    message: str | None = None
    outcome_unknown: bool = False
    component: Omittable[str] = None
    request_id: Omittable[Id] = None


class Resource(ResponseBody):
    """Something that the request created or left behind."""

    type: str | None = None
    id: str | None = None
    url: str | None = None
    action: str | None = None
    component: Omittable[str] = None
    request_id: Omittable[Id] = None


class CleanupDone(ResponseBody):
    """Who has cleaned something up by hand, and what was done."""

    by: str
    at: Moment
    note: str


class Cleanup(ResponseBody):
    """How to clean up a resource by hand if the request is given up."""

    entry_id: str = Field("", description="For `POST /requests/{id}/cleanup/{entryId}`")
    action: str | None = None
    resource: str | None = None
    instructions: str | None = None
    done: CleanupDone | None = Field(None, description="Null until it is reported as done")
    component: Omittable[str] = None
    request_id: Omittable[Id] = None


class SuggestedDecision(ResponseBody):
    """The decision that PAO suggests, and why."""

    decision: str = Field(
        description="retry, abort, escalate, or evidence (check the target by hand first)"
    )
    reason: str
    request_id: Omittable[Id] = Field(None, description="Of a bundle, the component's request")


class FailedComponent(ResponseBody):
    """A component that has failed, been aborted or been escalated."""

    component: str
    request_id: Id
    status: RequestStatus
    message: str | None = None


class RequestOutline(ResponseBody):
    """What was requested, and by whom."""

    item: str | None = None
    version: str | None = None
    requester: str | None = None
    fields: JsonObject = Field(default_factory=dict)


class ErrorContext(ResponseBody):
    """Everything needed to decide about a failed request."""

    failed_actions: tuple[FailedAction, ...] = ()
    error: Failure | None = None
    partial_resources: tuple[Resource, ...] = ()
    cleanup: tuple[Cleanup, ...] = ()
    suggested_decision: SuggestedDecision | None = None
    manual_way: bool = Field(default=False, description="A retry may take the manual way instead")
    request: RequestOutline | None = None
    failed_components: Omittable[list[FailedComponent]] = None
