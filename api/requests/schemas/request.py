"""A submission, and the request that results from it."""

from typing import Annotated

from pydantic import ConfigDict, Field

from api.requests.schemas.action import ACTION, Action, Failure
from api.requests.schemas.decision import DecisionRecord
from api.requests.schemas.error_context import CleanupDone, ErrorContext, SuggestedDecision
from api.schemas import (
    EXAMPLE_TIME,
    LAST_PAGE,
    Id,
    JsonObject,
    Moment,
    Omittable,
    Pagination,
    RequestBody,
    ResponseBody,
)
from pao.core.failure_classes import Cause
from pao.core.states import ActionStatus, Decision, RequestStatus


class SubmissionMetadata(RequestBody):
    """Notes of the caller; shown with the request, never interpreted."""

    tags: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=50
    )
    note: str | None = Field(None, max_length=2000)


class Submission(RequestBody):
    """A request for a catalog item."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "catalogItemId": "database-postgresql-standard",
                    "fields": {"instanceName": "orders-db", "storageSize": 100},
                    "metadata": {"tags": ["production"]},
                }
            ]
        }
    )

    catalog_item_id: str = Field(min_length=1, max_length=200)
    fields: JsonObject = Field(default_factory=dict)
    metadata: SubmissionMetadata = SubmissionMetadata()


class User(ResponseBody):
    """Who submitted a request."""

    id: str
    email: str | None


class UserWithTeams(User):
    """Who submitted a request, with the teams at that time."""

    teams: list[str]


class SelfLink(ResponseBody):
    """Where the request is read."""

    self: str


class RequestLinks(SelfLink):
    """Where the request is read, and where its workflow is seen."""

    workflow: str | None = Field(description="Its page in the Temporal UI, if one is configured")


class WaitingAction(ResponseBody):
    """The action about which a decision is awaited."""

    id: str
    name: str
    type: str


class RequestSummary(ResponseBody):
    """A request as lists show it."""

    id: Id
    parent_id: Omittable[Id] = Field(None, description="Of a component, the bundle's request")
    catalog_item_id: str
    catalog_item_name: str
    catalog_item_version: str
    title: str = Field(description="What it is for, in a few words; else the name of the item")
    summary: str = Field(
        description="One sentence: the status, and who or what has the request now. For people; "
        "its wording changes."
    )
    status: RequestStatus
    retrying: bool
    waiting_since: Moment | None = Field(
        description="Since when it waits for a decision: since it failed, or since its oldest "
        "open approval was asked for"
    )
    waiting_action: WaitingAction | None = Field(
        description="The action about which a decision is awaited: the first that failed, or the "
        "first with an open approval"
    )
    may_decide: bool = Field(description="The caller may make the decision that it waits for")
    correlation_id: Id
    user: User
    error: Failure | None
    cause: Cause | None = Field(description="Why it failed, in one word: that of its `error`")
    suggestion: SuggestedDecision | None = Field(
        description="The decision that PAO suggests while it is failed"
    )
    created_at: Moment
    updated_at: Moment
    links: SelfLink


class Leftover(ResponseBody):
    """Something left in a target that no action of the request owns any longer."""

    entry_id: str = Field(description="For `POST /requests/{id}/cleanup/{entryId}`")
    action: str
    type: str | None
    id: str | None
    url: str | None
    instructions: str = Field(description="What to do about it by hand")
    done: CleanupDone | None = Field(description="Null until it is reported as done")


class Escalation(ResponseBody):
    """The ticket in which an escalated request continues."""

    ticket_key: str
    url: str | None
    escalated_at: Moment | None
    escalated_by: str | None
    reason: str | None


class Component(ResponseBody):
    """A component of a bundle: its own request, and what that has done."""

    id: str
    name: str
    title: str
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
    attempt: int = Field(description="A decision that names it applies to this attempt only")
    components: Omittable[list[Component]] = Field(None, description="Of bundles only")


class RequestPage(ResponseBody):
    """A page of requests."""

    data: list[RequestSummary]
    pagination: Pagination
    count: Omittable[int] = Field(
        None,
        description="With `count=true`: how many requests match, on all pages. Counting stops at "
        "100.",
    )


_ID = "7b0c6e0a-4e8d-4b53-9f0a-5a1a4d1a7c11"

_COMPONENT_ID = "5b1e0c1e-52c4-4f0a-9d5f-0f5a1c2b3d4e"

_SELF = f"/api/v1/requests/{_ID}"

_TEMPORAL = "https://temporal.example.com/namespaces/default/workflows"

_SUMMARY = RequestSummary(
    id=_ID,
    catalog_item_id="database-postgresql-standard",
    catalog_item_name="PostgreSQL Database",
    catalog_item_version="1.2.0",
    title="orders-db",
    summary="completed: DB-123 is with the database team (To Do)",
    status=RequestStatus.COMPLETED,
    retrying=False,
    waiting_since=None,
    waiting_action=None,
    may_decide=False,
    correlation_id="3f6c1a52-8f0e-4a43-9b58-0b8f0b6c2d11",
    user=User(id="dana", email="dana@example.com"),
    error=None,
    cause=None,
    suggestion=None,
    created_at=EXAMPLE_TIME,
    updated_at=EXAMPLE_TIME,
    links=SelfLink(self=_SELF),
)

REQUEST = Request(
    **dict(_SUMMARY)
    | {
        "user": UserWithTeams(id="dana", email="dana@example.com", teams=["team-orders"]),
        "links": RequestLinks(self=_SELF, workflow=f"{_TEMPORAL}/request-{_ID}"),
    },
    actions=[ACTION],
    fields={"instanceName": "orders-db", "storageSize": 100},
    metadata={"tags": ["production"]},
    left_behind=[],
    error_context=None,
    escalation=None,
    decisions=[],
    possible_decisions=[],
    warnings=[],
    attempt=1,
)

REQUEST_OPEN = Request(
    **dict(REQUEST)
    | {
        "status": RequestStatus.IN_PROGRESS,
        "summary": 'in progress: "Ticket for the database team" is running',
        "actions": [
            Action(
                **dict(ACTION)
                | {"status": ActionStatus.IN_PROGRESS, "external_reference": None, "url": None}
                | {"outputs": None, "finished_at": None}
            )
        ],
    }
)

BUNDLE = Request(
    **dict(REQUEST)
    | {
        "catalog_item_id": "bundle-webapp-standard",
        "catalog_item_name": "Web Application",
        "title": "orders",
        "fields": {"appName": "orders", "storageSize": 100},
        "actions": [],
        "components": [
            Component(
                id="app-db",
                name="Database",
                title="orders-db",
                request_id=_COMPONENT_ID,
                catalog_item_id="database-postgresql-standard",
                catalog_item_version="1.2.0",
                status=RequestStatus.COMPLETED,
                retrying=False,
                depends_on=[],
                error=None,
                actions=[ACTION],
                links=RequestLinks(self=f"/api/v1/requests/{_COMPONENT_ID}", workflow=None),
            )
        ],
    }
)

PAGE = RequestPage(data=[_SUMMARY], pagination=LAST_PAGE)
