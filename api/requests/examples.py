"""Examples of answers about requests, for the OpenAPI document."""

from api.requests import answers
from api.schemas import Pagination
from pao.core.states import ActionStatus, RequestStatus

_ID = "7b0c6e0a-4e8d-4b53-9f0a-5a1a4d1a7c11"
_COMPONENT_ID = "5b1e0c1e-52c4-4f0a-9d5f-0f5a1c2b3d4e"
_TIME = "2026-03-05T14:07:09.123Z"
_URL = "https://jira.example.com/browse/DB-123"
_SELF = f"/api/v1/requests/{_ID}"
_TEMPORAL = "https://temporal.example.com/namespaces/default/workflows"
_LAST_PAGE = Pagination(has_more=False, next_cursor=None)

_ACTION = answers.Action(
    id="jira-ticket-1",
    index=0,
    type="jira-ticket",
    name="Ticket for the database team",
    status=ActionStatus.COMPLETED,
    attempt=1,
    adopted=False,
    external_reference="DB-123",
    url=_URL,
    outputs={"key": "DB-123", "id": "10001", "url": _URL},
    error=None,
    outcome_unknown=False,
    reason=None,
    waiting=None,
    ticket_status=None,
    started_at=_TIME,
    finished_at=_TIME,
)

_SUMMARY = answers.RequestSummary(
    id=_ID,
    catalog_item_id="database-postgresql-standard",
    catalog_item_name="PostgreSQL Database",
    catalog_item_version="1.2.0",
    status=RequestStatus.COMPLETED,
    retrying=False,
    correlation_id="3f6c1a52-8f0e-4a43-9b58-0b8f0b6c2d11",
    user=answers.User(id="dana", email="dana@example.com"),
    error=None,
    created_at=_TIME,
    updated_at=_TIME,
    links=answers.SelfLink(self=_SELF),
)

REQUEST = answers.Request(
    **dict(_SUMMARY)
    | {
        "user": answers.UserWithTeams(id="dana", email="dana@example.com", teams=["team-orders"]),
        "links": answers.RequestLinks(self=_SELF, workflow=f"{_TEMPORAL}/request-{_ID}"),
    },
    actions=[_ACTION],
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

REQUEST_OPEN = answers.Request(
    **dict(REQUEST)
    | {
        "status": RequestStatus.IN_PROGRESS,
        "actions": [
            answers.Action(
                **dict(_ACTION)
                | {"status": ActionStatus.IN_PROGRESS, "external_reference": None, "url": None}
                | {"outputs": None, "finished_at": None}
            )
        ],
    }
)

BUNDLE = answers.Request(
    **dict(REQUEST)
    | {
        "catalog_item_id": "bundle-webapp-standard",
        "catalog_item_name": "Web Application",
        "fields": {"appName": "orders", "storageSize": 100},
        "actions": [],
        "components": [
            answers.Component(
                id="app-db",
                name="Database",
                request_id=_COMPONENT_ID,
                catalog_item_id="database-postgresql-standard",
                catalog_item_version="1.2.0",
                status=RequestStatus.COMPLETED,
                retrying=False,
                depends_on=[],
                error=None,
                actions=[_ACTION],
                links=answers.RequestLinks(self=f"/api/v1/requests/{_COMPONENT_ID}", workflow=None),
            )
        ],
    }
)

PAGE = answers.RequestPage(data=[_SUMMARY], pagination=_LAST_PAGE)

_LIVE = answers.LiveStatus(
    live=True,
    status="In Review",
    status_category="indeterminate",
    mapped_status=RequestStatus.IN_PROGRESS,
    mapped=True,
    checked_at=_TIME,
    error=None,
)

STATUS = answers.Status(
    id=_ID,
    status=RequestStatus.COMPLETED,
    retrying=False,
    current_actions=[],
    progress=answers.Progress(completed_actions=1, total_actions=1, percent_complete=100),
    tickets=[answers.LiveTicket(**dict(_LIVE), action_id="jira-ticket-1", key="DB-123", url=_URL)],
    error=None,
    updated_at=_TIME,
)

LOGS = answers.LogPage(
    data=[
        answers.LogLine(
            sequence=17,
            time=_TIME,
            level="info",
            action_id="jira-ticket-1",
            attempt=1,
            message="Ticket for the database team succeeded: DB-123",
            data={},
        )
    ],
    pagination=_LAST_PAGE,
)

ESCALATION = answers.EscalationStatus(
    ticket_key="ORCHESTRATION-7",
    url="https://jira.example.com/browse/ORCHESTRATION-7",
    escalated_at=_TIME,
    escalated_by="priya",
    reason="The project is gone.",
    ticket=_LIVE,
)

LOOK = answers.Look(
    action_id="jira-ticket-1",
    answer="found",
    would_adopt=answers.Adoptable(
        external_reference="DB-123", url=_URL, outputs=_ACTION.outputs or {}
    ),
    reason=None,
)

RETRY_PREVIEW = answers.RetryPreview(
    changes={"instanceName": {"old": "orders-db", "new": "orders-db-2"}},
    actions=[
        answers.PlannedCall(
            id="jira-ticket-1",
            type="jira-ticket",
            config={"ticket": {"project": "DB", "summaryTemplate": "PostgreSQL orders-db-2"}},
        )
    ],
    looks=[answers.Look(action_id="jira-ticket-1", answer="absent", would_adopt=None, reason=None)],
    out_of_step={},
    refusals=[],
)

DRY_RUN = answers.DryRun(
    fields={"instanceName": "orders-db", "storageSize": 100},
    actions=[
        answers.RenderedAction(
            id="jira-ticket-1",
            index=0,
            type="jira-ticket",
            name="Ticket for the database team",
            config={"ticket": {"project": "DB", "summaryTemplate": "PostgreSQL orders-db"}},
            complete=True,
            depends_on=[],
            when=None,
            timeout=None,
            slow=False,
            fallback=False,
        )
    ],
    warnings=[],
)
