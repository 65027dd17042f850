"""The pages of a decision, with what was entered on them."""

import asyncio
from dataclasses import dataclass, field, replace
from uuid import uuid4

from fastapi import Request
from starlette.responses import Response

from api.auth.principal import Principal
from api.catalog.index import monthly_cost
from api.requests.reading import StoredRequest
from api.requests.retry_preview import open_actions
from api.requests.schemas import Action, ApprovalWait, RetryPreview
from api.requests.schemas import Request as Document
from api.services import Services
from api.web import times
from api.web.pages.decision.changes import calls_of, field_changes
from api.web.pages.decision.corrections import Corrections, corrections_of
from api.web.pages.decision.explanation import (
    LookWords,
    abort_words,
    failure_sentence,
    first_decision,
    keeps_values,
    last_decision,
    people_of,
    retry_advice,
    similar_words,
    suggestion_reason,
    target_of,
)
from api.web.pages.request.presentation import answers
from api.web.pages.request.results import plan_words
from api.web.rendering import page
from api.web.words import _
from pao.core.errors import ErrorCode, PaoError
from pao.core.states import Decision, RequestStatus

APPROVAL = "approval"
_OURS = 500
_OVERRIDES = {
    ErrorCode.FIELDS_ALREADY_USED: "acceptUsed",
    ErrorCode.WOULD_LEAVE_BEHIND: "leaveBehind",
}
"""Refusals that a person may overrule, and by what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInput:
    """What was entered for a decision that was not made, and why not."""

    reason: str = ""
    options: frozenset[str] = frozenset()
    problems: list[str] = field(default_factory=list)
    meanwhile: str = ""
    preview: RetryPreview | None = None
    corrections: Corrections | None = None
    look: LookWords | None = None
    confirm: frozenset[str] = frozenset()
    key: str = ""
    """The key that was sent; it is sent again if it is unknown whether it arrived."""
    place: str = ""
    """The element to which an edit of rows has led."""
    status: int = 200


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval that is waited for, by whose request, and who decides about it."""

    request_id: str
    action: Action
    wait: ApprovalWait
    people: str
    votes: str


def with_outcome(
    document: Document, decision_input: DecisionInput, problems: list[str], error: PaoError | None
) -> DecisionInput:
    """Return what was tried with what came of it: who was faster, or what is wrong."""
    is_unknown = error is not None and error.code == ErrorCode.SERVICE_UNAVAILABLE
    if error is not None and error.status >= _OURS and not is_unknown:
        raise error
    if is_unknown:
        problems = [
            _("We do not know whether it was received. Send it again: it is carried out only once.")
        ]
    decided = ""
    if error is not None and error.code == ErrorCode.INVALID_STATE_TRANSITION:
        decided = last_decision(document, times.now())
    confirm = _OVERRIDES.get(error.code) if error else None
    return replace(
        decision_input,
        problems=problems,
        meanwhile=decided,
        key=decision_input.key if is_unknown else "",
        confirm=decision_input.confirm | ({confirm} if confirm else set()),
        status=error.status if error else 422,
    )


async def decide_page(
    request: Request,
    services: Services,
    caller: Principal,
    stored: StoredRequest,
    decision_input: DecisionInput,
) -> Response:
    """Return the page on which a decision is made."""
    document, now = services.reading.present(stored), times.now()
    failed = document.status == RequestStatus.FAILED and not document.retrying
    corrections = decision_input.corrections
    if corrections is None and failed:
        corrections = await corrections_of(services, stored, {})
    similar = None
    if failed and document.may_decide:
        similar = await services.history.similar_failures(caller, document.id)
    names = {one.id: one.name or one.id for one in document.actions}
    preview, confirm = decision_input.preview, set(decision_input.confirm)
    if preview is not None:
        confirm |= {_OVERRIDES[c] for one in preview.refusals for c in _OVERRIDES if c == one.code}
    cleanup = document.error_context.cleanup if document.error_context else ()
    approvals = _approvals(document)
    return page(
        request,
        "pages/decision/decide.html",
        status=decision_input.status,
        doc=document,
        failed=failed,
        can_retry=Decision.RETRY in document.possible_decisions,
        # An approval has no effect in a target to look for.
        can_look=Decision.RETRY in document.possible_decisions
        and (document.waiting_action is None or document.waiting_action.type != APPROVAL),
        brief=failure_sentence(document, now),
        target=target_of(document),
        helps=retry_advice(document),
        because=suggestion_reason(document),
        similar=similar,
        similar_words=similar_words(similar) if similar else [],
        labels={name: one.label for name, one in corrections.fields.items()} if corrections else {},
        approvals=approvals,
        values=answers(stored, document.fields) if approvals else [],
        cost=monthly_cost(stored.row.item_definition.get("metadata") or {}),
        groups=corrections.groups if corrections else [],
        # What was entered stays visible.
        values_aside=decision_input.corrections is None and keeps_values(document),
        tried=decision_input,
        changes=await asyncio.to_thread(field_changes, preview, corrections, stored.row.fields)
        if preview and corrections
        else [],
        calls=await asyncio.to_thread(calls_of, preview, names) if preview else [],
        confirm=confirm | set(decision_input.options),
        manual=bool(document.error_context and document.error_context.manual_way),
        doubtful=bool(document.error and document.error.outcome_unknown),
        suggested=first_decision(document),
        cleanup=cleanup,
        abort=abort_words(len([one for one in cleanup if not one.done])),
        components=_failed_components(document),
        key=decision_input.key or str(uuid4()),
        may=document.may_decide,
        decided=sum(one.accepted for one in document.decisions),
        last=last_decision(document, now),
        plans=[
            (one.name or one.id, words) for one in document.actions if (words := plan_words(one))
        ],
        to_run=[(one.name or one.id, one.type) for one in open_actions(stored, None)]
        if approvals
        else [],
    )


def is_open(document: Document, action_id: str) -> bool:
    """Return whether an action of the request waits for an approval."""
    return any(
        one.id == action_id and isinstance(one.waiting, ApprovalWait) for one in document.actions
    )


def ending_page(
    request: Request,
    document: Document,
    ending: str,
    decision_input: DecisionInput,
    *,
    action: str = "",
) -> Response:
    """Return the page of a decision that ends the request, or what waits for an approval."""
    cleanup = document.error_context.cleanup if document.error_context else ()
    return page(
        request,
        "pages/decision/ending.html",
        status=decision_input.status,
        doc=document,
        ending=ending,
        action=action,
        tried=decision_input,
        brief=failure_sentence(document, times.now())
        if document.status == RequestStatus.FAILED
        else "",
        cleanup=cleanup,
        key=decision_input.key or str(uuid4()),
    )


def _approvals(document: Document) -> list[ApprovalView]:
    """Return the open approvals; of a bundle those of its components as well."""
    actions = [(document.id, one) for one in document.actions]
    for component in document.components or ():
        actions += [(component.request_id, one) for one in component.actions]
    return [
        ApprovalView(
            request_id,
            action,
            wait,
            people_of(wait.approvers.users, wait.approvers.teams),
            ", ".join(f"{one.by}: {one.decision}" for one in wait.decisions),
        )
        for request_id, action in actions
        if isinstance(wait := action.waiting, ApprovalWait)
    ]


def _failed_components(document: Document) -> list[tuple[str, str]]:
    """Return the failed components of a bundle: what failed is retried on their own pages."""
    return [
        (one.name, one.request_id)
        for one in document.components or ()
        if one.status == RequestStatus.FAILED and not one.retrying
    ]
