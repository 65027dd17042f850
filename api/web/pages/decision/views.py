"""`/requests/ID/decide` and the decisions: retry, abort, escalate, approve, reject.

A form carries the Idempotency-Key of its decision, so a second click decides nothing twice. What
others have decided meanwhile is shown, and what was typed stays.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.auth.principal import Principal
from api.requests.decision_idempotency import DecisionCall
from api.requests.reading import StoredRequest
from api.requests.schemas import DecisionBody, Look, ReasonedBody, RetryBody, VoteBody
from api.services import Caller, Services, ServicesDep
from api.web import times
from api.web.forms import Posted, text_of
from api.web.pages.decision.corrections import correctable, corrections_of, edit_rows
from api.web.pages.decision.explanation import last_decision, look_words
from api.web.pages.decision.pages import (
    DecisionInput,
    decide_page,
    ending_page,
    is_open,
    with_outcome,
)
from api.web.pages.decision.posted import attempt_of, evidence_of, reason_of
from api.web.posted_fields import find_field, posted_secrets, posted_texts, removed_secrets
from api.web.rendering import is_partial, page
from api.web.rows import edit_of
from api.web.sealed_entries import kept_entries
from api.web.words import _
from catalog.forms.definition import FieldDefinition
from pao.core.errors import ErrorCode, PaoError
from pao.core.states import ApprovalVote, Decision

router = APIRouter()

ENDINGS = {Decision.ABORT.value: Decision.ABORT, Decision.ESCALATE.value: Decision.ESCALATE}
VOTES = {
    ApprovalVote.APPROVE.value: ApprovalVote.APPROVE,
    ApprovalVote.REJECT.value: ApprovalVote.REJECT,
}
KINDS: dict[str, Decision | ApprovalVote] = {
    Decision.RETRY.value: Decision.RETRY,
    **ENDINGS,
    **VOTES,
}
REJECT = ApprovalVote.REJECT.value
PREVIEW, AGAIN = "preview", "here"
"""What the buttons of a retry ask for: what it would send; and the choices of a field again."""
_NO_CONTENT = 204


@router.get("/requests/{request_id}/decide")
async def decide(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID
) -> Response:
    """Show what a decision is needed about, and the decisions that are possible."""
    stored = await services.reading.get(caller, str(request_id))
    return await decide_page(request, services, caller, stored, DecisionInput())


@router.post("/requests/{request_id}/look")
async def look(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID
) -> Response:
    """Ask the target whether the effect exists; changes nothing."""
    stored = await services.reading.get(caller, str(request_id))
    found: Look | None = None
    unknown = ""
    try:
        found = await services.decisions.look(caller, str(request_id), None)
    except PaoError as error:
        unknown = error.message
    zone = times.zone_of(request.cookies.get(times.COOKIE))
    document = services.reading.present(stored)
    words = look_words(document, found, unknown, zone, times.now())
    if is_partial(request):
        return page(request, "pages/decision/look.html", look=words)
    return await decide_page(request, services, caller, stored, DecisionInput(look=words))


@router.get("/requests/{request_id}/meanwhile")
async def last_decision_page(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    request_id: UUID,
    attempt: Annotated[int, Query(ge=0)],
    decided: Annotated[int, Query(ge=0)],
) -> Response:
    """Show what others have decided while the page was open; 204 for nothing new."""
    document = await services.reading.document(caller, str(request_id))
    accepted = sum(one.accepted for one in document.decisions)
    if document.attempt == attempt and accepted == decided:
        return Response(status_code=_NO_CONTENT)
    sentence = last_decision(document, times.now())
    return page(request, "pages/decision/meanwhile.html", said=sentence, doc=document)


@router.get("/requests/{request_id}/arrived")
async def decision_received(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    request_id: UUID,
    decision: Annotated[str, Query(max_length=20)],
    key: Annotated[str, Query(min_length=1, max_length=100)],
) -> Response:
    """Show whether a decision was received, by its key."""
    if decision not in KINDS:
        raise PaoError(ErrorCode.NOT_FOUND, "")
    call = DecisionCall(
        caller=caller,
        request_id=str(request_id),
        decision=KINDS[decision],
        body=ReasonedBody(reason="-"),
        idempotency_key=key,
    )
    record = await services.decisions.find_record(call)
    document = await services.reading.document(caller, str(request_id))
    sentence = last_decision(document, times.now())
    return page(request, "pages/decision/arrived.html", record=record, doc=document, said=sentence)


@router.post("/requests/{request_id}/retry")
async def retry(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID, posted: Posted
) -> Response:
    """Retry, with corrected values if there are any; or show what a retry would send."""
    stored = await services.reading.get(caller, str(request_id))
    fields, sealed_for = correctable(stored), f"retry:{request_id}:{caller.id}"
    kept = kept_entries(services.decisions.box, sealed_for, fields, posted)
    texts, place = await _posted_texts(fields, kept, posted), ""
    edit = edit_of(text_of(posted, "rows"), fields)
    if edit is not None:
        texts, place = edit_rows(stored, texts, edit)
    dropped = {one for one in removed_secrets(posted) if find_field(fields, one)}
    corrections = await corrections_of(services, stored, texts, dropped, sealed_for=sealed_for)
    reason, problems = reason_of(posted)
    options = frozenset(name for name in ("manual", "acceptUsed", "leaveBehind") if name in posted)
    key = text_of(posted, "key")
    decision_input = DecisionInput(reason=reason, corrections=corrections, options=options, key=key)
    if edit is not None or text_of(posted, "go") == AGAIN:
        return await decide_page(
            request, services, caller, stored, replace(decision_input, place=place)
        )
    if corrections.errors:
        return await _refused_page(
            request, services, caller, stored, decision_input, list(corrections.errors.values())
        )
    try:
        body = RetryBody.model_validate(
            {
                # A preview needs no reason yet.
                "reason": _("Preview") if problems else reason,
                "fields": corrections.changes,
                "attempt": attempt_of(posted),
                "mode": "manual" if "manual" in options else None,
                "acceptUsed": "acceptUsed" in options,
                "leaveBehind": "leaveBehind" in options,
                "evidence": evidence_of(posted),
            }
        )
        if text_of(posted, "go") == PREVIEW:
            preview = await services.decisions.preview(caller, str(request_id), body)
            previewed = replace(decision_input, preview=preview, key="")
            return await decide_page(request, services, caller, stored, previewed)
        if problems:
            return await _refused_page(request, services, caller, stored, decision_input, problems)
        await _decide(services, caller, request_id, posted, Decision.RETRY, body)
    except PaoError as error:
        return await _refused_page(
            request, services, caller, stored, decision_input, _messages(error), error
        )
    return _redirect(request_id)


@router.get("/requests/{request_id}/{ending}")
async def end(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    request_id: UUID,
    ending: str,
    action: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show a decision that ends something: what it leaves behind, and the reason for it."""
    if ending in {Decision.RETRY.value, "look", ApprovalVote.APPROVE.value}:
        # The answer to a decision has the address of its form.
        return _redirect(request_id, "/decide")
    if ending not in {*ENDINGS, REJECT}:
        raise PaoError(ErrorCode.NOT_FOUND, "")
    document = services.reading.present(await services.reading.get(caller, str(request_id)))
    if ending == REJECT and not (document.may_decide and is_open(document, action)):
        return _redirect(request_id, "/decide")
    return ending_page(request, document, ending, DecisionInput(), action=action)


@router.post("/requests/{request_id}/{decision}")
async def end_or_vote(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    request_id: UUID,
    decision: str,
    posted: Posted,
) -> Response:
    """Abort, escalate, approve or reject."""
    if decision not in {*ENDINGS, *VOTES}:
        raise PaoError(ErrorCode.NOT_FOUND, "")
    stored = await services.reading.get(caller, str(request_id))
    reason, problems = reason_of(posted)
    decision_input, refusal = DecisionInput(reason=reason, key=text_of(posted, "key")), None
    action = text_of(posted, "action")
    if not problems:
        body: ReasonedBody
        if decision in VOTES:
            body = VoteBody.model_validate({"reason": reason, "actionId": action or "-"})
        else:
            body = DecisionBody.model_validate({"reason": reason, "attempt": attempt_of(posted)})
        try:
            await _decide(services, caller, request_id, posted, KINDS[decision], body)
        except PaoError as error:
            problems, refusal = _messages(error), error
        else:
            return _redirect(request_id)
    if decision == ApprovalVote.APPROVE:
        return await _refused_page(
            request, services, caller, stored, decision_input, problems, refusal
        )
    now = await services.reading.get(caller, str(request_id))
    document = services.reading.present(now)
    outcome = with_outcome(document, decision_input, problems, refusal)
    return ending_page(request, document, decision, outcome, action=action)


async def _decide(
    services: Services,
    caller: Principal,
    request_id: UUID,
    posted: FormData,
    kind: Decision | ApprovalVote,
    body: ReasonedBody,
) -> None:
    call = DecisionCall(
        caller=caller,
        request_id=str(request_id),
        decision=kind,
        body=body,
        idempotency_key=text_of(posted, "key")[:100] or None,
    )
    outcome = "refused"
    try:
        outcome = (await services.decisions.decide(call)).outcome
    finally:
        services.metrics.decisions.labels(kind, outcome).inc()


async def _refused_page(
    request: Request,
    services: Services,
    caller: Principal,
    stored: StoredRequest,
    decision_input: DecisionInput,
    problems: list[str],
    error: PaoError | None = None,
) -> Response:
    if error is not None:
        # It may have changed since it was read.
        stored = await services.reading.get(caller, str(stored.row.id))
    outcome = with_outcome(services.reading.present(stored), decision_input, problems, error)
    return await decide_page(request, services, caller, stored, outcome)


async def _posted_texts(
    fields: Mapping[str, FieldDefinition], kept: Mapping[str, str], posted: FormData
) -> dict[str, list[str]]:
    """Return what was posted; of passwords and files what is entered now, else what was kept."""
    secrets = {**kept, **await posted_secrets(fields, posted)}
    return posted_texts(fields, posted) | {name: [one] for name, one in secrets.items()}


def _messages(error: PaoError) -> list[str]:
    return [detail.message for detail in error.details] or [error.message]


def _redirect(request_id: UUID, page: str = "") -> RedirectResponse:
    return RedirectResponse(f"/requests/{request_id}{page}", 303)
