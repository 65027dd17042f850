"""Answers about the audit trail."""

from pydantic import Field

from api.schemas import EXAMPLE_TIME, LAST_PAGE, Id, JsonObject, Moment, Pagination, ResponseBody


class AuditLine(ResponseBody):
    """One line of the trail: who did what, when, and why."""

    id: int
    at: Moment
    event_type: str = Field(description="Such as `request.retry` or `key.revoked`")
    actor: str
    via: str = Field(description="How: `api`, `temporal`, `keys`, `sql`, ...")
    reason: str | None
    request_id: Id | None
    action_id: str | None
    correlation_id: Id | None
    source_system: str
    data: JsonObject


class AuditPage(ResponseBody):
    """Lines of the trail, the newest first."""

    data: list[AuditLine]
    pagination: Pagination


LINE = AuditLine(
    id=48213,
    at=EXAMPLE_TIME,
    event_type="request.retry",
    actor="priya",
    via="api",
    reason="quota raised",
    request_id="0d2f7f5e-6a5b-4f0c-9a1c-2f1c3f7d9b11",
    action_id=None,
    correlation_id="3c637320-1a02-4326-b551-18c5f64130c0",
    source_system="workflow",
    data={"decision": "retry"},
)
PAGE = AuditPage(data=[LINE], pagination=LAST_PAGE)
