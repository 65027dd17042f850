"""Rows as earlier versions stored them are answered, and so is what a later version may store."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api.requests import presentation, schemas
from db.models import Request, RequestAction
from db.repositories.action_summaries import action_summaries
from pao.core.states import ActionStatus, RequestStatus

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)
ID = UUID(int=1)
# As the first version wrote them: no cause, nothing about unknown outcomes in the context.
ERROR = {
    "code": "EXTERNAL_SERVICE_ERROR",
    "message": "JIRA answered 503.",
    "httpStatus": 503,
    "responseBody": None,
    "retryable": True,
    "outcomeUnknown": False,
}
CONTEXT = {
    "failedActions": [
        {"index": 0, "id": "a", "type": "x", "attempt": 1, "startedAt": None, "failedAt": None}
    ],
    "error": ERROR,
    "partialResources": [],
    "cleanup": [],
    "suggestedDecision": {"decision": "retry", "reason": "It may succeed."},
    "request": {"item": "i", "version": "1.0.0", "requester": "dana", "fields": {"size": 1}},
}
ACTION_ERROR = {
    "code": "ACTION_FAILED",
    "message": "It was refused.",
    "http_status": 409,
    "response_body": "no",
    "retryable": False,
    "outcome_unknown": False,
    "partial": [],
}


def present(**of_action: Any) -> schemas.Request:
    row = Request(
        id=ID,
        catalog_item_id="i",
        catalog_item_version="1.0.0",
        catalog_item_name="Item",
        item_definition={},
        plan=[],
        user_id="dana",
        status=RequestStatus.FAILED,
        correlation_id=ID,
        error=ERROR,
        error_context=CONTEXT,
        created_at=NOW,
        updated_at=NOW,
    )
    action = RequestAction(
        request_id=ID,
        action_id="a",
        action_index=0,
        type="x",
        name="A",
        **{"status": ActionStatus.FAILED, **of_action},
    )
    return presentation.request_document(
        row,
        actions=[action],
        attempt=1,
        components=[],
        decisions=[],
        done={},
        workflow=None,
        steps=action_summaries(row, [action]),
        may_decide=False,
    )


def test_what_the_first_version_stored_is_answered_with_every_key() -> None:
    answer = present(error=ACTION_ERROR).model_dump(mode="json")
    assert answer["error"] == {**ERROR, "cause": "target-down"}
    assert answer["errorContext"]["failedActions"][0]["message"] is None
    assert answer["errorContext"]["manualWay"] is False
    [action] = answer["actions"]
    assert (action["error"]["httpStatus"], action["error"]["responseBody"]) == (409, "no")
    assert action["error"]["cause"] == "conflict"


def test_a_ticket_that_is_gone_and_a_wait_of_a_later_version_are_answered() -> None:
    answer = present(
        status=ActionStatus.WAITING,
        ticket_status={"gone": True, "checkedAt": "2026-01-31T08:00:00.000Z"},
        waiting={"kind": "weather", "since": "2026-01-31T08:00:00.000Z", "sun": True},
    )
    [action] = answer.model_dump(mode="json")["actions"]
    assert action["ticketStatus"]["gone"] is True
    assert action["ticketStatus"]["status"] is None
    assert action["waiting"] == {"kind": "weather", "since": "2026-01-31T08:00:00.000Z"}
