"""Converts stored requests to the types that workflows and rendering use. No queries here."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from db.models import CleanupDone, Request, RequestAction
from db.request_columns import context_of
from pao.core.components import (
    COMPONENT,
    COMPONENT_PREFIX,
    ComponentReport,
    ComponentView,
    build_report,
)
from pao.core.documents import from_document, list_from_documents, stored_value, to_document
from pao.core.graph import OVER, Graph
from pao.core.payloads.actions import ActionInput, ActionState, FormerCall
from pao.core.payloads.cleanups import CleanupMark
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.mirror import Snapshot
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import BundleLink, RequestInput, Resumption
from pao.core.payloads.tickets import Escalation
from pao.core.payloads.waits import Pending
from pao.core.resources import is_unknown
from pao.core.states import ActionStatus, RequestStatus
from pao.core.timestamps import timestamp

MOST_DECISIONS = 1_000
"""How many decisions, the newest, a new run gets; they count towards the payload's limit."""


def plan_of(row: Request) -> list[PlannedAction]:
    """Return the stored plan; what only a later version knows of it is left out."""
    return list_from_documents(PlannedAction, row.plan)


def workflow_input(row: Request) -> RequestInput:
    """Return what the request's workflow is started with: the plan holds the document's actions."""
    link = None
    if row.parent_id is not None and row.component_id is not None:
        link = BundleLink(request_id=str(row.parent_id), component=row.component_id)
    return RequestInput(
        context=context_of(row).without_plan(),
        plan=plan_of(row),
        bundle=link,
        metadata=row.request_metadata,
    )


def report_of(row: Request, actions: Sequence[RequestAction]) -> ComponentReport:
    """Return the report of a component to its bundle, from the mirror."""
    return build_report(
        row.component_id or "",
        str(row.id),
        [state_of(action) for action in actions],
        status=row.status,
        retrying=row.retrying,
        position=(timestamp(row.mirror_at) if row.mirror_at else "", row.mirror_seq or 0),
        error=row.error,
    )


def resumed_input(
    row: Request,
    actions: Sequence[RequestAction],
    decisions: Sequence[DecisionRecord],
    *,
    reason: str,
    cleaned: Iterable[CleanupDone] = (),
) -> RequestInput:
    """Return the input that resumes a request whose workflow is gone; it waits in ``failed``."""
    at_rest = row.status == RequestStatus.FAILED and not row.retrying
    resumption = Resumption(
        reason=reason,
        mirror_at=timestamp(row.mirror_at) if row.mirror_at else "",
        mirror_seq=row.mirror_seq or 0,
        actions=[state_of(action) for action in actions],
        decisions=[_trim(record) for record in decisions[-MOST_DECISIONS:]],
        escalation=escalation_of(row),
        failure=read_failure(row.error) if at_rest else None,
        unchecked=row.parent_id is not None and not any(one.attempt for one in actions),
        cleaned=[CleanupMark(one.entry_id, one.done_by, one.note) for one in cleaned],
    )
    return replace(workflow_input(row), resumption=resumption)


def state_of(row: RequestAction) -> ActionState:
    """Return the state of an action, as its workflow keeps it."""
    state = ActionState(id=row.action_id, index=row.action_index, type=row.type, name=row.name)
    failure = read_failure(row.error)
    values = {
        one.name: getattr(row, one.name)
        for one in fields(ActionState)
        if one.name in type(row).model_fields
    }
    return replace(
        state,
        **{
            **values,
            "error": failure,
            "by_hand": failure.by_hand if failure else None,
            "partial": _partial(row),
            "former": list_from_documents(FormerCall, row.former),
            "left_behind": list_from_documents(PartialResource, row.left_behind),
            "started_at": timestamp(row.started_at) if row.started_at else None,
            "finished_at": timestamp(row.finished_at) if row.finished_at else None,
            "doubt_since": _doubt_since(row),
            "pending": _pending(row),
        },
    )


def read_failure(document: dict[str, Any] | None) -> ActionFailure | None:
    """Return the failure that a request or an action is stored with."""
    return None if document is None else from_document(ActionFailure, document)


def _doubt_since(row: RequestAction) -> str | None:
    """Return since when there is a doubt; earlier versions knew only when the attempt ended."""
    moment = row.doubt_since or (row.finished_at if row.outcome_unknown else None)
    return timestamp(moment) if moment else None


def _pending(row: RequestAction) -> Pending | None:
    return from_document(Pending, row.pending) if row.pending else None


def _partial(row: RequestAction) -> list[PartialResource]:
    """Read what earlier attempts left; earlier versions kept it in the error alone."""
    if row.partial is not None:
        return list_from_documents(PartialResource, row.partial)
    if row.status == ActionStatus.COMPLETED:
        return []
    return list_from_documents(PartialResource, (row.error or {}).get("partial"))


def _trim(record: DecisionRecord) -> DecisionRecord:
    """Return what a new run needs of a decision; of a closed one, not its values."""
    return record if record.outcome == "open" else replace(record, reason=None, changes=None)


def escalation_of(row: Request) -> Escalation | None:
    """Return the ticket that a request was escalated with, where it was."""
    if row.escalation_ticket_key is None or row.escalated_at is None:
        return None
    return Escalation(
        ticket_key=row.escalation_ticket_key,
        url=row.escalation_url or "",
        escalated_at=timestamp(row.escalated_at),
        escalated_by=row.escalated_by or "unknown",
        reason=row.escalation_reason,
    )


def action_input(row: Request, actions: list[RequestAction], action: RequestAction) -> ActionInput:
    """Return what an execution (or a look) of this action would be given now."""
    plan = plan_of(row)
    planned = plan[action.action_index]
    return ActionInput(
        context=replace(context_of(row), components=components_of(actions)),
        action=planned,
        attempt=action.attempt,
        look_first=True,
        outputs=outputs_for(planned, plan, actions),
        published=published_for(planned, plan, actions),
        unclear=action.outcome_unknown,
        partial=_partial(action),
        doubt_since=_doubt_since(action),
        earlier=_pending(action),
        former=list_from_documents(FormerCall, action.former),
        moves=action.moves,
    )


def components_of(actions: Sequence[RequestAction]) -> dict[str, Any]:
    """Return what the own actions of a bundle see of its components now."""
    return {
        key: to_document(ComponentView(key, str(one.status), outputs=one.outputs or {}))
        for one in actions
        if one.type == COMPONENT
        for key in (one.action_id.removeprefix(COMPONENT_PREFIX),)
    }


def outputs_for(
    action: PlannedAction, plan: Sequence[PlannedAction], actions: Sequence[RequestAction]
) -> dict[str, dict[str, Any]]:
    """Return what an action's templates may see as ``outputs`` now."""
    return _graph(plan).outputs(action, _ended_states(actions))


def published_for(
    action: PlannedAction, plan: Sequence[PlannedAction], actions: Sequence[RequestAction]
) -> dict[str, Any]:
    """Return what an action's templates may see as ``fulfillment`` now."""
    return _graph(plan).published(action, _ended_states(actions))


def _graph(plan: Sequence[PlannedAction]) -> Graph:
    return Graph([one for one in plan if one.type != COMPONENT])


def _ended_states(actions: Sequence[RequestAction]) -> list[ActionState]:
    ended = (one for one in actions if one.outputs is not None or one.status in OVER)
    return [state_of(one) for one in ended]


def snapshot_values(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as the mirror writes it: by column, what columns hold as documents."""
    parts = ("actions", "decisions", "audit", "stream")
    return _values(snapshot) | {
        name: [_values(one) for one in getattr(snapshot, name)] for name in parts
    }


def _values(value: Any) -> dict[str, Any]:
    values = {one.name: stored_value(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, ActionState):
        values["outcome_unknown"] = is_unknown(value)
    return values
