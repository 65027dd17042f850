"""Stored requests in the shapes of the API. Fixed keys; secrets are masked here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.requests.lifecycle import warnings_of
from db.models import Request, RequestAction
from db.repositories.events import StoredEvent
from db.repositories.request_pages import RequestSummary
from db.stored import escalation_of, read_failure, state_of
from pao.core.documents import to_document
from pao.core.names import mark, masked, workflow_id
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import PartialResource
from pao.core.resources import in_doubt, look_by_hand
from pao.core.states import DECISIONS, RETRYING, ActionStatus, RequestStatus
from pao.core.timestamps import timestamp

BASE = "/api/v1"


def short(row: Request | RequestSummary) -> dict[str, Any]:
    """Give a request as lists show it."""
    parent = {"parentId": str(row.parent_id)} if row.parent_id else {}
    return {
        "id": str(row.id),
        **parent,
        "catalogItemId": row.catalog_item_id,
        "catalogItemName": row.catalog_item_name,
        "catalogItemVersion": row.catalog_item_version,
        "status": row.status,
        "retrying": row.retrying,
        "correlationId": str(row.correlation_id),
        "user": {"id": row.user_id, "email": row.user_email},
        "error": row.error,
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
        "links": {"self": f"{BASE}/requests/{row.id}"},
    }


def full(
    row: Request,
    actions: Sequence[RequestAction],
    decisions: Sequence[DecisionRecord],
    *,
    ui_url: str | None,
    namespace: str,
) -> dict[str, Any]:
    """Give a request with everything that it holds."""
    document = short(row)
    document["user"] = {"id": row.user_id, "email": row.user_email, "teams": row.user_teams}
    document["actions"] = [action(one) for one in actions]
    document["fields"] = masked(row.fields)
    document["metadata"] = row.request_metadata
    document["leftBehind"] = left_behind(actions)
    document["error"] = row.error
    document["errorContext"] = row.error_context
    document["escalation"] = escalation(row)
    document["decisions"] = [decision(one) for one in decisions]
    document["possibleDecisions"] = list(RETRYING if row.retrying else DECISIONS[row.status])
    document["warnings"] = warnings_of(row.item_definition)
    document["links"]["workflow"] = workflow_link(row, ui_url=ui_url, namespace=namespace)
    return document


def workflow_link(row: Request, *, ui_url: str | None, namespace: str) -> str | None:
    """Give the page of the request's workflow in the Temporal UI, where one is configured."""
    if not ui_url:
        return None
    run = f"/{row.run_id}/history" if row.run_id else ""
    return f"{ui_url.rstrip('/')}/namespaces/{namespace}/workflows/{workflow_id(str(row.id))}{run}"


def action(row: RequestAction) -> dict[str, Any]:
    """Give one action."""
    return {
        "id": row.action_id,
        "index": row.action_index,
        "type": row.type,
        "name": row.name,
        "status": row.status,
        "attempt": row.attempt,
        "adopted": row.adopted,
        "externalReference": row.external_reference,
        "url": row.url,
        "outputs": row.outputs,
        "error": failure.shown() if (failure := read_failure(row.error)) else None,
        "outcomeUnknown": row.outcome_unknown,
        "reason": row.note,
        "waiting": row.waiting,
        "ticketStatus": row.ticket_status,
        "startedAt": _moment(row.started_at),
        "finishedAt": _moment(row.finished_at),
    }


def left_behind(actions: Sequence[RequestAction]) -> list[dict[str, Any]]:
    """Give what stays in targets although no action of the request owns it, whatever its state.

    What failed actions left is in the error context; here is what corrections left at former
    places, and what a way that was given up may have left.
    """
    return [
        {
            "action": one.action_id,
            "type": left.type,
            "id": left.id,
            "url": left.url,
            "instructions": left.cleanup,
        }
        for one in actions
        for left in _left_behind(one)
    ]


def _left_behind(row: RequestAction) -> list[PartialResource]:
    state = state_of(row)
    if state.status != ActionStatus.SKIPPED:
        return state.left_behind
    left = [*state.left_behind, *state.partial]
    if state.outcome_unknown:
        request_id = str(row.request_id)
        by_hand = state.by_hand or look_by_hand(mark(request_id, state.id, state.moves))
        kind = state.resource_type or state.type
        left.append(PartialResource(type=kind, cleanup=in_doubt(state.name, by_hand)))
    return left


def escalation(row: Request) -> dict[str, Any] | None:
    """Give the escalation of a request, where there is one."""
    found = escalation_of(row)
    return to_document(found) if found else None


def decision(row: DecisionRecord) -> dict[str, Any]:
    """Give one decision, refused ones included."""
    return {
        "id": row.decision_id,
        "decision": row.decision,
        "by": row.by,
        "via": row.via,
        "reason": row.reason,
        "at": row.at,
        "accepted": row.accepted,
        "outcome": row.outcome,
        "message": row.message,
        "changes": row.changes,
        "code": row.code,
        "details": row.details,
    }


def log_line(row: StoredEvent, component: str | None = None) -> dict[str, Any]:
    """Give one line of the execution log; of a bundle, with the component that has written it."""
    return {
        "sequence": row.id,
        **({"component": component} if component else {}),
        "time": timestamp(row.at),
        "level": row.data.get("level"),
        "actionId": row.data.get("actionId"),
        "attempt": row.data.get("attempt"),
        "message": row.data.get("message"),
        "data": row.data.get("data") or {},
    }


def progress(actions: Sequence[RequestAction]) -> dict[str, int]:
    """Give how much of the plan is done."""
    done = sum(one.status in {ActionStatus.COMPLETED, ActionStatus.SKIPPED} for one in actions)
    total = len(actions)
    percent = 100 * done // total if total else 100
    return {"completedActions": done, "totalActions": total, "percentComplete": percent}


def current(actions: Sequence[RequestAction], status: RequestStatus) -> list[dict[str, Any]]:
    """Give the actions that are in hand, or that a human has to decide about."""
    shown = {ActionStatus.IN_PROGRESS, ActionStatus.WAITING}
    if status == RequestStatus.FAILED:
        shown.add(ActionStatus.FAILED)
    return [action(one) for one in actions if one.status in shown]


def _moment(value: datetime | None) -> str | None:
    return timestamp(value) if value else None
