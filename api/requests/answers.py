"""What callers are told about requests. What they may send is in schemas.py.

Answers that are kept in the database as documents may have been written by an earlier version, so
what such a document may lack has a default here.
"""

from typing import Literal

from pydantic import Field

from api.schemas import Answer, Id, JsonObject, Moment, Omittable, Pagination
from pao.core.states import ActionStatus, Decision, RequestStatus


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


class CurrentAction(Action):
    """An action that is in hand, or that a person has to decide about."""

    component: Omittable[str] = Field(None, description="Of a bundle, whose action it is")


class User(Answer):
    """Who submitted a request."""

    id: str
    email: str | None


class UserWithTeams(User):
    """Who submitted a request, with the teams of that moment."""

    teams: list[str]


class SelfLink(Answer):
    """Where the request is read."""

    self: str


class RequestLinks(SelfLink):
    """Where the request is read, and where its workflow is seen."""

    workflow: str | None = Field(description="Its page in the Temporal UI, if one is configured")


class RequestSummary(Answer):
    """A request as lists show it."""

    id: Id
    parent_id: Omittable[Id] = Field(None, description="Of a component, the bundle's request")
    catalog_item_id: str
    catalog_item_name: str
    catalog_item_version: str
    status: RequestStatus
    retrying: bool
    correlation_id: Id
    user: User
    error: Failure | None
    created_at: Moment
    updated_at: Moment
    links: SelfLink


class Leftover(Answer):
    """Something that stays in a target although no action of the request owns it any more."""

    action: str
    type: str | None
    id: str | None
    url: str | None
    instructions: str | None = Field(description="What to do about it by hand")


class FailedAction(Answer):
    """An action that has failed, as the error context tells it."""

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


class Resource(Answer):
    """Something that the request has made, or left behind."""

    type: str | None = None
    id: str | None = None
    url: str | None = None
    action: str | None = None
    component: Omittable[str] = None
    request_id: Omittable[Id] = None


class Cleanup(Answer):
    """What to do by hand about a resource when the request is given up."""

    action: str | None = None
    resource: str | None = None
    instructions: str | None = None
    component: Omittable[str] = None
    request_id: Omittable[Id] = None


class SuggestedDecision(Answer):
    """What PAO would decide, and why; a person decides."""

    decision: str = Field(description="retry, abort, escalate, or evidence: look by hand first")
    reason: str
    request_id: Omittable[Id] = Field(None, description="Of a bundle, the component's request")


class FailedComponent(Answer):
    """A component that has failed, been aborted or been escalated."""

    component: str
    request_id: Id
    status: RequestStatus
    message: str | None = None


class RequestOutline(Answer):
    """What was asked for, and by whom."""

    item: str | None = None
    version: str | None = None
    requester: str | None = None
    fields: JsonObject = Field(default_factory=dict)


class ErrorContext(Answer):
    """Everything that a person needs to decide about a failed request."""

    failed_actions: tuple[FailedAction, ...] = ()
    error: Failure | None = None
    partial_resources: tuple[Resource, ...] = ()
    cleanup: tuple[Cleanup, ...] = ()
    suggested_decision: SuggestedDecision | None = None
    manual_way: bool = Field(default=False, description="A retry may take the manual way instead")
    request: RequestOutline | None = None
    failed_components: Omittable[list[FailedComponent]] = None


class Escalation(Answer):
    """The ticket that an escalated request is carried on with."""

    ticket_key: str
    url: str | None
    escalated_at: Moment | None
    escalated_by: str | None
    reason: str | None


class DecisionRecord(Answer):
    """A decision about the request, refused ones included."""

    id: str
    decision: str
    by: str
    via: str = Field(description="`api` where PAO vouches for `by`, else how it came in")
    reason: str | None
    at: Moment
    accepted: bool
    outcome: str = Field(description="open, done, failed or rejected")
    message: str | None
    changes: JsonObject | None = Field(description="By field, its `old` and its `new` value")
    code: str | None = Field(description="Why it was refused")
    details: JsonObject | None = Field(
        description="Values out of step, evidence, what stays behind"
    )


class Component(Answer):
    """A component of a bundle: its own request, and what that has done."""

    id: str
    name: str
    request_id: Id
    catalog_item_id: str
    catalog_item_version: str
    status: RequestStatus
    retrying: bool
    depends_on: list[str]
    error: Failure | None
    actions: list[Action]
    links: RequestLinks


class Request(RequestSummary):
    """A request with everything that it holds."""

    user: UserWithTeams
    links: RequestLinks
    actions: list[Action]
    fields: JsonObject = Field(description="Passwords are masked")
    metadata: JsonObject
    left_behind: list[Leftover]
    error_context: ErrorContext | None
    escalation: Escalation | None
    decisions: list[DecisionRecord]
    possible_decisions: list[Decision]
    warnings: list[str]
    attempt: int = Field(description="What a decision may name, to be about this attempt only")
    components: Omittable[list[Component]] = Field(None, description="Of bundles only")


class RequestPage(Answer):
    """A page of requests."""

    data: list[RequestSummary]
    pagination: Pagination


class Progress(Answer):
    """How much of the plan is done; a bundle's components count."""

    completed_actions: int
    total_actions: int
    percent_complete: int


class LiveStatus(Answer):
    """A ticket's status asked of JIRA now; with ``live: false`` the stored one."""

    live: bool
    status: str | None
    status_category: str | None
    mapped_status: RequestStatus | None = Field(description="What it means for the request")
    mapped: bool = Field(description="Whether the status is one that PAO knows")
    checked_at: Moment
    error: str | None = Field(description="Why JIRA could not be asked")


class _Ticket(Answer):
    action_id: str
    component: Omittable[str] = None
    key: str
    url: str | None


class LiveTicket(LiveStatus, _Ticket):
    """A ticket of a request, with its status."""


class ComponentStatus(Answer):
    """Where one component of a bundle stands."""

    id: str
    request_id: Id
    status: RequestStatus
    retrying: bool
    progress: Progress


class Status(Answer):
    """Where a request stands."""

    id: Id
    status: RequestStatus
    retrying: bool
    current_actions: list[CurrentAction]
    progress: Progress
    tickets: list[LiveTicket]
    components: Omittable[list[ComponentStatus]] = None
    error: Failure | None
    updated_at: Moment


class LogLine(Answer):
    """One line of the execution log."""

    sequence: int
    component: Omittable[str] = None
    time: Moment
    level: str | None
    action_id: str | None
    attempt: int | None
    message: str | None
    data: JsonObject


class LogPage(Answer):
    """A page of the execution log."""

    data: list[LogLine]
    pagination: Pagination


class EscalationStatus(Escalation):
    """An escalation with the live status of its ticket."""

    ticket: LiveStatus


class Adoptable(Answer):
    """What a retry would take over instead of making it again."""

    external_reference: str | None
    url: str | None
    outputs: JsonObject


class Look(Answer):
    """Whether the effect of a failed action exists in its target."""

    action_id: str
    answer: Literal["found", "absent", "unknown"]
    would_adopt: Adoptable | None
    reason: str | None = Field(description="Why nobody knows, or what is there of it")


class PlannedCall(Answer):
    """What an action would send, secrets masked."""

    id: str
    type: str
    config: JsonObject


class Refusal(Answer):
    """Why a decision would be refused."""

    code: str
    message: str
    action_id: Omittable[str] = Field(None, description="The action that it is about, if one")


class RetryPreview(Answer):
    """What a retry would change, find and send; nothing was decided."""

    dry_run: Literal[True] = True
    changes: JsonObject = Field(description="By field, its `old` and its `new` value")
    actions: list[PlannedCall]
    looks: list[Look]
    out_of_step: dict[str, list[str]] = Field(
        description="By field, the completed or skipped actions that have used its old value"
    )
    refusals: list[Refusal]


class RenderedAction(Answer):
    """An action as it would be carried out, secrets masked."""

    id: str
    index: int
    type: str
    name: str
    config: JsonObject
    complete: bool = Field(description="False: its values come from earlier actions")
    depends_on: list[str]
    when: str | None
    timeout: float | None
    slow: bool
    fallback: bool = Field(description="Of the manual way, which is taken only on demand")


class RenderedComponent(Answer):
    """A component of a bundle as it would be requested."""

    id: str
    name: str
    catalog_item_id: str
    catalog_item_version: str
    depends_on: list[str]
    fields: JsonObject
    waiting: list[str] = Field(description="Fields that depend on other components")
    actions: list[RenderedAction]


class DryRun(Answer):
    """What a submission would do; nothing was stored."""

    valid: Literal[True] = True
    fields: JsonObject = Field(description="With defaults; passwords are masked")
    components: Omittable[list[RenderedComponent]] = Field(None, description="Of bundles only")
    actions: list[RenderedAction]
    warnings: list[str]
