"""A stored request back in the shape that workflows and renderings work on. No queries here."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from db.models import Request, RequestAction
from pao.core.components import COMPONENT, PREFIX, ComponentReport, tell
from pao.core.payloads import (
    ActionFailure,
    ActionInput,
    ActionState,
    BundleLink,
    DecisionRecord,
    Escalation,
    FormerCall,
    ItemSnapshot,
    PartialResource,
    Pending,
    PlannedAction,
    RequestContext,
    Requester,
    RequestInput,
    Resumption,
    timestamp,
)
from pao.core.states import ActionStatus, RequestStatus

MOST_DECISIONS = 1_000
"""So many decisions go with a new run, the newest; they count toward what one payload may hold."""


def context_of(row: Request) -> RequestContext:
    """Give the context of a stored request; passwords in it are sealed."""
    return RequestContext(
        request_id=str(row.id),
        correlation_id=str(row.correlation_id),
        submitted_at=timestamp(row.created_at),
        item=ItemSnapshot(
            id=row.catalog_item_id,
            version=row.catalog_item_version,
            name=row.catalog_item_name,
            owner_team=row.owner_team,
            git_sha=row.item_sha,
            definition=row.item_definition,
        ),
        requester=Requester(id=row.user_id, email=row.user_email, teams=list(row.user_teams)),
        fields=row.fields,
        metadata=row.request_metadata,
    )


def plan_of(row: Request) -> list[PlannedAction]:
    """Give the stored plan; what only a later version knows of it is left out."""
    known = {one.name for one in fields(PlannedAction)}
    return [
        PlannedAction(**{key: value for key, value in action.items() if key in known})
        for action in row.plan
    ]


def workflow_input(row: Request) -> RequestInput:
    """Give what the request's workflow is started with: the plan holds the document's actions."""
    link = None
    if row.parent_id is not None and row.component_id is not None:
        link = BundleLink(request_id=str(row.parent_id), component=row.component_id)
    return RequestInput(context=context_of(row).without_plan(), plan=plan_of(row), bundle=link)


def report_of(row: Request, actions: Sequence[RequestAction]) -> ComponentReport:
    """Tell a bundle where one of its components stands, as the mirror has it."""
    return tell(
        row.component_id or "",
        str(row.id),
        [state_of(action) for action in actions],
        status=row.status,
        retrying=row.retrying,
        place=(timestamp(row.mirror_at) if row.mirror_at else "", row.mirror_seq or 0),
        error=row.error,
    )


def resumed_input(
    row: Request,
    actions: Sequence[RequestAction],
    decisions: Sequence[DecisionRecord],
    *,
    reason: str,
) -> RequestInput:
    """Give what a request is started with again whose workflow is gone: it waits in ``failed``."""
    at_rest = row.status == RequestStatus.FAILED and not row.retrying
    resumption = Resumption(
        reason=reason,
        mirror_at=timestamp(row.mirror_at) if row.mirror_at else "",
        mirror_seq=row.mirror_seq or 0,
        actions=[state_of(action) for action in actions],
        decisions=[_known(record) for record in decisions[-MOST_DECISIONS:]],
        escalation=_escalation(row),
        failure=_failure(row.error) if at_rest else None,
        unchecked=row.parent_id is not None and not any(one.attempt for one in actions),
    )
    return replace(workflow_input(row), resumption=resumption)


def state_of(row: RequestAction) -> ActionState:
    """Return where an action stands, as its workflow knows it."""
    state = ActionState(id=row.action_id, index=row.action_index, type=row.type, name=row.name)
    stored = {
        one.name: getattr(row, one.name)
        for one in fields(ActionState)
        if one.name in type(row).model_fields
    }
    return replace(
        state,
        **{
            **stored,
            "error": _told_failure(row.error),
            "partial": _partial(row),
            "former": _calls(row),
            "left_behind": _resources(row.left_behind),
            "started_at": timestamp(row.started_at) if row.started_at else None,
            "finished_at": timestamp(row.finished_at) if row.finished_at else None,
            "doubt_since": _doubt_since(row),
            "pending": _pending(row),
        },
    )


def _told_failure(document: dict[str, Any] | None) -> ActionFailure | None:
    """Read what a snapshot has stored; keys that this version does not know are left out."""
    if document is None:
        return None
    known = {one.name for one in fields(ActionFailure)}
    told = {key: value for key, value in document.items() if key in known}
    return ActionFailure(**{**told, "partial": _resources(document.get("partial"))})


def _doubt_since(row: RequestAction) -> str | None:
    """Return since when there is a doubt; earlier versions knew only when the attempt ended."""
    moment = row.doubt_since or (row.finished_at if row.outcome_unknown else None)
    return timestamp(moment) if moment else None


def _pending(row: RequestAction) -> Pending | None:
    return Pending(**row.pending) if row.pending else None


def _partial(row: RequestAction) -> list[PartialResource]:
    """Read what earlier attempts left; earlier versions kept it in the error alone."""
    if row.partial is not None:
        return _resources(row.partial)
    if row.status == ActionStatus.COMPLETED:
        return []
    return _resources((row.error or {}).get("partial"))


def _calls(row: RequestAction) -> list[FormerCall]:
    known = {one.name for one in fields(FormerCall)}
    return [
        FormerCall(**{key: value for key, value in one.items() if key in known})
        for one in row.former or ()
    ]


def _resources(documents: Sequence[dict[str, Any]] | None) -> list[PartialResource]:
    known = {one.name for one in fields(PartialResource)}
    return [
        PartialResource(**{key: value for key, value in one.items() if key in known})
        for one in documents or ()
    ]


def _failure(error: dict[str, Any] | None) -> ActionFailure | None:
    """Read a failure from the shape in which the API shows it."""
    if error is None:
        return None
    return ActionFailure(
        code=error["code"],
        message=error["message"],
        http_status=error.get("httpStatus"),
        response_body=error.get("responseBody"),
        retryable=bool(error.get("retryable")),
        outcome_unknown=bool(error.get("outcomeUnknown")),
    )


def _known(record: DecisionRecord) -> DecisionRecord:
    """Give what a new run must know of a decision: of one that is closed, not its values."""
    return record if record.outcome == "open" else replace(record, reason=None, changes=None)


def _escalation(row: Request) -> Escalation | None:
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
    """Give what an execution (or a look) of this action would be given now."""
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
        former=_calls(action),
        moves=action.moves,
    )


def components_of(actions: Sequence[RequestAction]) -> dict[str, Any]:
    """Give what the own actions of a bundle see of its components now."""
    return {
        key: {"id": key, "status": str(one.status), "outputs": one.outputs or {}}
        for one in actions
        if one.type == COMPONENT
        for key in (one.action_id.removeprefix(PREFIX),)
    }


def outputs_for(
    action: PlannedAction, plan: Sequence[PlannedAction], actions: Sequence[RequestAction]
) -> dict[str, dict[str, Any]]:
    """Give the outputs that an action's templates may see now, by the ids that they know."""
    own = [one for one in plan if one.type != COMPONENT]
    keys = {one.id: one.key for one in own if one.fallback == action.fallback}
    return {
        keys[one.action_id]: one.outputs or {}
        for one in actions
        if one.action_id in keys and (one.outputs is not None or one.status == ActionStatus.SKIPPED)
    }


def published_for(
    action: PlannedAction, plan: Sequence[PlannedAction], actions: Sequence[RequestAction]
) -> dict[str, Any]:
    """Give what an action's templates may see now as ``fulfillment``."""
    outputs = {one.action_id: one.outputs or {} for one in actions}
    return {
        name: outputs[one.id][name]
        for one in plan
        if one.fallback == action.fallback
        for name in one.publishes
        if name in outputs.get(one.id, {})
    }
