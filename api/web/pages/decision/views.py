"""`/requests/ID/decide` and what it leads to: retry, abort, escalate, approve, reject.

A form carries the Idempotency-Key of its decision, so a second click decides nothing twice. What
somebody has decided meanwhile is said, and what was typed stays.
"""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.auth.principal import Principal
from api.requests.decision_idempotency import DecisionCall
from api.requests.reading import Stored
from api.requests.retry_preview import open_actions
from api.requests.schemas import DecisionBody, ReasonedBody, RetryBody, RetryPreview, VoteBody
from api.requests.schemas import Request as Document
from api.services import Caller, Services, ServicesDep
from api.web.fields import GroupView, posted_secrets, posted_texts
from api.web.forms import Posted, text_of
from api.web.pages.decision.corrections import Corrections, corrections_of
from api.web.rendering import is_partial, page
from api.web.words import _
from pao.core.errors import ErrorCode, PaoError
from pao.core.states import ApprovalVote, Decision, RequestStatus

router = APIRouter()

ENDINGS = {Decision.ABORT.value: Decision.ABORT, Decision.ESCALATE.value: Decision.ESCALATE}
VOTES = {
    ApprovalVote.APPROVE.value: ApprovalVote.APPROVE,
    ApprovalVote.REJECT.value: ApprovalVote.REJECT,
}
PREVIEW = "preview"
_OURS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What somebody has sent that was not carried out, and why."""

    reason: str = ""
    problems: list[str] = field(default_factory=list)
    meanwhile: str = ""
    preview: RetryPreview | None = None
    corrections: Corrections | None = None
    status: int = 200


@router.get("/requests/{request_id}/decide")
async def decide(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID
) -> Response:
    """Show what a decision is needed about, and the decisions that are possible."""
    stored = await services.reading.get(caller, str(request_id))
    return await _page(request, services, stored, Tried())


@router.post("/requests/{request_id}/look")
async def look(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID
) -> Response:
    """Ask the target whether the effect exists; changes nothing."""
    stored = await services.reading.get(caller, str(request_id))
    unknown = ""
    try:
        found = await services.decisions.look(caller, str(request_id), None)
    except PaoError as error:
        found, unknown = None, error.message
    return page(
        request,
        f"pages/decision/{'look' if is_partial(request) else 'look_page'}.html",
        found=found,
        unknown=unknown,
        doc=services.reading.present(stored),
    )


@router.post("/requests/{request_id}/retry")
async def retry(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID, posted: Posted
) -> Response:
    """Retry, with corrected values if there are any; or show what a retry would send."""
    stored = await services.reading.get(caller, str(request_id))
    corrections = corrections_of(stored, await _posted(stored, posted))
    reason = text_of(posted, "reason").strip()
    tried = Tried(reason=reason, corrections=corrections)
    if corrections.errors:
        return await _refused(
            request, services, caller, stored, tried, list(corrections.errors.values())
        )
    body = RetryBody.model_construct(
        reason=reason or _("Preview"), fields=corrections.changes, attempt=_attempt(posted)
    )
    body = RetryBody.model_validate(body.model_dump(by_alias=True))
    try:
        if text_of(posted, "go") == PREVIEW:
            preview = await services.decisions.preview(caller, str(request_id), body)
            shown = Tried(reason=reason, corrections=corrections, preview=preview)
            return await _page(request, services, stored, shown)
        if not reason:
            return await _refused(request, services, caller, stored, tried, [_reason_missing()])
        await _carried_out(services, caller, request_id, posted, Decision.RETRY, body)
    except PaoError as error:
        return await _refused(request, services, caller, stored, tried, _told(error), error)
    return _to(request_id)


@router.get("/requests/{request_id}/{ending}")
async def ending_page(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID, ending: str
) -> Response:
    """Show a decision that ends the request: what it leaves behind, and the reason for it."""
    if ending in {Decision.RETRY.value, *VOTES}:
        # What was answered to a decision has the address of its form.
        return RedirectResponse(f"/requests/{request_id}/decide", 303)
    if ending not in ENDINGS:
        raise PaoError(ErrorCode.NOT_FOUND, "")
    stored = await services.reading.get(caller, str(request_id))
    return _ending(request, services.reading.present(stored), ending, Tried())


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
    reason = text_of(posted, "reason").strip()
    tried, problems, refusal = Tried(reason=reason), list[str](), None
    if not reason:
        problems = [_reason_missing()]
    else:
        body: ReasonedBody
        if decision in VOTES:
            action = text_of(posted, "action")
            body = VoteBody.model_validate({"reason": reason, "actionId": action or "-"})
        else:
            body = DecisionBody.model_validate({"reason": reason, "attempt": _attempt(posted)})
        kind = ENDINGS.get(decision) or VOTES[decision]
        try:
            await _carried_out(services, caller, request_id, posted, kind, body)
        except PaoError as error:
            problems, refusal = _told(error), error
        else:
            return _to(request_id)
    if decision in VOTES:
        return await _refused(request, services, caller, stored, tried, problems, refusal)
    shown = await _explained(services, caller, stored, tried, problems, refusal)
    return _ending(request, services.reading.present(stored), decision, shown)


async def _carried_out(
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
        decided = await services.decisions.decide(call)
        outcome = "open" if decided.open else "done"
    finally:
        services.metrics.decisions.labels(kind, outcome).inc()


async def _refused(
    request: Request,
    services: Services,
    caller: Principal,
    stored: Stored,
    tried: Tried,
    problems: list[str],
    error: PaoError | None = None,
) -> Response:
    shown = await _explained(services, caller, stored, tried, problems, error)
    return await _page(request, services, stored, shown)


async def _explained(
    services: Services,
    caller: Principal,
    stored: Stored,
    tried: Tried,
    problems: list[str],
    error: PaoError | None,
) -> Tried:
    """Return what was tried with what came of it: who was faster, or what is wrong."""
    if error is not None and error.status >= _OURS:
        raise error
    meanwhile = ""
    if error is not None and error.code == ErrorCode.INVALID_STATE_TRANSITION:
        now = await services.reading.document(caller, str(stored.row.id))
        accepted = [one for one in now.decisions if one.accepted]
        if accepted:
            last = accepted[-1]
            meanwhile = _("%(who)s decided before you: %(decision)s. %(reason)s") % {
                "who": last.by,
                "decision": last.decision,
                "reason": last.reason or "",
            }
    return Tried(
        reason=tried.reason,
        corrections=tried.corrections,
        problems=problems,
        meanwhile=meanwhile,
        status=error.status if error else 422,
    )


async def _page(request: Request, services: Services, stored: Stored, tried: Tried) -> Response:
    document = services.reading.present(stored)
    failed = document.status == RequestStatus.FAILED and not document.retrying
    corrections = tried.corrections or (corrections_of(stored, {}) if failed else None)
    waits = [one for one in document.actions if one.waiting and one.waiting.kind == "approval"]
    return page(
        request,
        "pages/decision/decide.html",
        status=tried.status,
        doc=document,
        failed=failed,
        waits=waits,
        groups=_groups(corrections),
        tried=tried,
        suggested=_suggested(document),
        cleanup=document.error_context.cleanup if document.error_context else (),
        key=str(uuid4()),
        may=document.may_decide,
        to_run=[one.name or one.id for one in open_actions(stored, None)] if waits else [],
    )


def _ending(request: Request, document: Document, ending: str, tried: Tried) -> Response:
    return page(
        request,
        "pages/decision/ending.html",
        status=tried.status,
        doc=document,
        ending=ending,
        tried=tried,
        cleanup=document.error_context.cleanup if document.error_context else (),
        key=str(uuid4()),
    )


def _groups(corrections: Corrections | None) -> list[GroupView]:
    return corrections.groups if corrections else []


def _suggested(document: Document) -> str:
    """Return the decision that is suggested, which is the first button."""
    suggestion = document.suggestion
    return suggestion.decision if suggestion else Decision.RETRY.value


async def _posted(stored: Stored, posted: FormData) -> dict[str, list[str]]:
    fields = corrections_of(stored, {}).fields
    secrets = await posted_secrets(fields, posted)
    return posted_texts(fields, posted) | {name: [one] for name, one in secrets.items()}


def _told(error: PaoError) -> list[str]:
    return [detail.message for detail in error.details] or [error.message]


def _reason_missing() -> str:
    return _("Give a reason: it is kept in the audit trail.")


def _attempt(posted: FormData) -> int | None:
    given = text_of(posted, "attempt")
    return int(given) if given.isdecimal() and len(given) < 10 else None  # noqa: PLR2004 -- no attempt has so many digits


def _to(request_id: UUID) -> RedirectResponse:
    return RedirectResponse(f"/requests/{request_id}", 303)
