"""Stored requests in the shapes of the API. Fixed keys; secrets are masked here."""

from collections.abc import Sequence
from typing import Any

from api.requests import schemas
from api.requests.leftovers import DoneCleanups, error_context, left_behind
from api.requests.lifecycle import warnings_of
from api.requests.summary import SummaryInput, summary
from api.schemas import JsonObject, ResponseBody
from db.models import Request, RequestAction
from db.repositories.action_summaries import ActionSummary
from db.repositories.events import StoredEvent
from db.repositories.request_pages import RequestSummary
from db.row_conversion import escalation_of, read_failure
from pao.core.documents import to_document
from pao.core.names import masked, workflow_id
from pao.core.payloads.decisions import DecisionRecord
from pao.core.states import DECISIONS, RETRYING, ActionStatus, Decision, RequestStatus
from pao.core.timestamps import timestamp

BASE = "/api/v1"


def request_summary(row: RequestSummary, steps: Sequence[ActionSummary]) -> schemas.RequestSummary:
    """Return a request as lists show it; ``steps`` are what its summary is about."""
    return schemas.RequestSummary(
        **_stored_columns(row, schemas.RequestSummary)
        | _overview(row, steps, row.suggestion)
        | {
            "user": schemas.User(id=row.user_id, email=row.user_email),
            "links": schemas.SelfLink(self=_link(row)),
        }
    )


def request_document(  # noqa: PLR0913 -- everything that a request holds, each part by name
    row: Request,
    *,
    actions: Sequence[RequestAction],
    attempt: int,
    components: Sequence[schemas.Component],
    decisions: Sequence[DecisionRecord],
    done: DoneCleanups,
    workflow: str | None,
    steps: Sequence[ActionSummary],
    may_decide: bool,
) -> schemas.Request:
    """Return a request with everything that it holds."""
    user = schemas.UserWithTeams(id=row.user_id, email=row.user_email, teams=list(row.user_teams))
    suggestion = (row.error_context or {}).get("suggestedDecision")
    return schemas.Request(
        **_stored_columns(row, schemas.Request)
        | _overview(row, steps, suggestion)
        | {
            "user": user,
            "may_decide": may_decide,
            "links": schemas.RequestLinks(self=_link(row), workflow=workflow),
            "actions": [action(one) for one in actions],
            "fields": masked(row.fields),
            "metadata": row.request_metadata,
            "left_behind": left_behind(row, actions, done),
            "error_context": error_context(row, done),
            "escalation": escalation(row),
            "decisions": [decision(one) for one in decisions],
            "possible_decisions": _possible_decisions(row, components),
            "warnings": warnings_of(row.item_definition),
            "attempt": attempt,
            "components": list(components) or None,
        }
    )


def _overview(
    row: Request | RequestSummary, steps: Sequence[ActionSummary], suggestion: JsonObject | None
) -> dict[str, Any]:
    """Return the title, the summary and the failure of a request."""
    state = _summary_input(row, steps)
    error, step = failure(row.error), state.awaited if row.waiting_since else None
    waits = row.status == RequestStatus.FAILED and not row.retrying
    return {
        "title": title(row),
        "summary": summary(state),
        "waiting_action": schemas.WaitingAction(id=step.action_id, name=step.name, type=step.type)
        if step
        else None,
        "error": error,
        "cause": error.cause if error else None,
        "suggestion": suggestion if waits else None,
    }


def _summary_input(row: Request | RequestSummary, steps: Sequence[ActionSummary]) -> SummaryInput:
    return SummaryInput(
        request_id=row.id,
        status=row.status,
        retrying=row.retrying,
        escalation=row.escalation_ticket_key,
        steps=steps,
    )


def summary_of(row: Request, steps: Sequence[ActionSummary]) -> str:
    """Return the state of a request in one sentence."""
    return summary(_summary_input(row, steps))


def title(row: Request | RequestSummary) -> str:
    """Return what a request is called; one of an earlier version, by its item."""
    return row.title or row.catalog_item_name


def _stored_columns(row: object, kind: type[ResponseBody]) -> dict[str, Any]:
    """Return the columns that an answer shows unchanged under the same name."""
    return {name: getattr(row, name) for name in kind.model_fields if hasattr(row, name)}


def _link(row: Request | RequestSummary) -> str:
    return f"{BASE}/requests/{row.id}"


def _possible_decisions(row: Request, components: Sequence[schemas.Component]) -> list[Decision]:
    possible = RETRYING if row.retrying else DECISIONS[row.status]
    if all(one.status == RequestStatus.COMPLETED for one in components):
        return list(possible)
    # What has failed is retried on the request of its component.
    return [one for one in possible if one != Decision.RETRY]


def workflow_link(row: Request, *, ui_url: str | None, namespace: str) -> str | None:
    """Return the page in the Temporal UI that shows what can be decided, if one is configured.

    It needs to know the run; before the first one Temporal finds a workflow by its id alone.
    """
    if not ui_url:
        return None
    run = f"/{row.run_id}/user-metadata" if row.run_id else ""
    return f"{ui_url.rstrip('/')}/namespaces/{namespace}/workflows/{workflow_id(str(row.id))}{run}"


def action(row: RequestAction) -> schemas.Action:
    """Return one action."""
    return schemas.Action(**_action(row))


def _action(row: RequestAction) -> dict[str, Any]:
    return _stored_columns(row, schemas.Action) | {
        "id": row.action_id,
        "index": row.action_index,
        "error": failure(row.error),
        "reason": row.note,
    }


def escalation(row: Request) -> schemas.Escalation | None:
    """Return the escalation of a request, where there is one."""
    found = escalation_of(row)
    return schemas.Escalation.model_validate(to_document(found)) if found else None


def decision(row: DecisionRecord) -> schemas.DecisionRecord:
    """Return one decision, refused ones included."""
    return schemas.DecisionRecord(
        id=row.decision_id,
        decision=row.decision,
        by=row.by,
        via=row.via,
        reason=row.reason,
        at=row.at,
        accepted=row.accepted,
        outcome=row.outcome,
        message=row.message,
        changes=row.changes,
        code=row.code,
        details=row.details,
    )


def log_line(row: StoredEvent, component: str | None = None) -> schemas.LogLine:
    """Return one line of the execution log; of a bundle, with the component that has written it."""
    return schemas.LogLine(
        sequence=row.id,
        component=component,
        time=timestamp(row.at),
        level=row.data.get("level"),
        action_id=row.data.get("actionId"),
        attempt=row.data.get("attempt"),
        message=row.data.get("message"),
        data=row.data.get("data") or {},
    )


def progress(actions: Sequence[RequestAction]) -> schemas.Progress:
    """Return how much of the plan is done."""
    done = sum(one.status in {ActionStatus.COMPLETED, ActionStatus.SKIPPED} for one in actions)
    total = len(actions)
    return schemas.Progress(
        completed_actions=done,
        total_actions=total,
        percent_complete=100 * done // total if total else 100,
    )


def current_actions(
    actions: Sequence[RequestAction], status: RequestStatus, component: str | None
) -> list[schemas.CurrentAction]:
    """Return the actions that are running or waiting, or that need a decision."""
    statuses = {ActionStatus.IN_PROGRESS, ActionStatus.WAITING}
    if status == RequestStatus.FAILED:
        statuses.add(ActionStatus.FAILED)
    return [
        schemas.CurrentAction(**_action(one), component=component)
        for one in actions
        if one.status in statuses
    ]


def failure(stored: JsonObject | None) -> schemas.Failure | None:
    """Return why a request or an action failed, from what is stored with it."""
    found = read_failure(stored)
    return schemas.Failure.model_validate(found.public_document()) if found else None
