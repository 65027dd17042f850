"""`/drafts/ID/review`: what would be sent is shown, and submitted."""

import asyncio
import hashlib
import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth.principal import Principal
from api.requests.bundles import served_items
from api.requests.lifecycle import warnings_of
from api.requests.prepared import SubmissionCall
from api.requests.schemas import Submission
from api.services import Caller, Correlation, Services, ServicesDep
from api.web.forms import Posted, text_of
from api.web.outages import outages_of
from api.web.pages.request_form.calls import ActionView, action_views, shows_files
from api.web.pages.request_form.copies import copies_of, has_secrets
from api.web.pages.request_form.filled_form import FilledForm, fill_form
from api.web.pages.request_form.review import answers_of, sentence_of
from api.web.pages.request_form.saving import earlier_request
from api.web.rendering import is_partial, page
from catalog.bundle import CatalogBundle
from pao.core.errors import ErrorCode, PaoError

router = APIRouter()

OURS = 500


@router.get("/drafts/{draft_id}/review")
async def review(  # noqa: PLR0913 -- what it is given, each part named
    request: Request,
    services: ServicesDep,
    caller: Caller,
    correlation: Correlation,
    *,
    draft_id: UUID,
    changes: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show what would be submitted and what that would do, computed again.

    ``changes`` reads the current files of commits at once, for browsers without scripts.
    """
    filled = await _submittable_form(services, caller, draft_id)
    if isinstance(filled, Response):
        return filled
    call = SubmissionCall(caller=caller, correlation_id=correlation, raw_body=b"")
    return await _review_page(request, services, call, filled, reads=bool(changes))


@router.get("/drafts/{draft_id}/changes")
async def changed_files(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    correlation: Correlation,
    draft_id: UUID,
) -> Response:
    """Show the calls with what the files of commits hold now, which takes a moment."""
    if not is_partial(request):
        return _redirect(f"/drafts/{draft_id}/review?changes=yes")
    filled = await _submittable_form(services, caller, draft_id)
    if isinstance(filled, Response):
        return Response(status_code=204)
    call = SubmissionCall(caller=caller, correlation_id=correlation, raw_body=b"")
    prepared = await services.submission.prepare(_submission(filled), call)
    run = await services.submission.render(prepared)
    present = await services.commit_files.read(prepared, run)
    calls, _fallback = await asyncio.to_thread(action_views, run, _labels(filled), present)
    return page(request, "pages/request_form/changes.html", calls=calls)


def _labels(filled: FilledForm) -> dict[str, str]:
    return {name: one.label for name, one in filled.form.fields.items()}


@router.post("/drafts/{draft_id}/submit")
async def submit(  # noqa: PLR0913 -- what it is given, each part named
    request: Request,
    services: ServicesDep,
    caller: Caller,
    correlation: Correlation,
    *,
    draft_id: UUID,
    posted: Posted,
) -> Response:
    """Submit a draft: once, however often this is called, and only what was reviewed."""
    filled = await _submittable_form(services, caller, draft_id)
    if isinstance(filled, Response):
        return filled
    draft = filled.draft
    if text_of(posted, "reviewed") != await _review_digest(services, filled):
        return _redirect(f"/drafts/{draft.id}/review?again=yes")
    body = _submission(filled)
    call = SubmissionCall(
        caller=caller,
        correlation_id=correlation,
        raw_body=_canonical(body),
        idempotency_key=draft.id,
    )
    try:
        submitted = (await services.submission.submit(body, call)).request_id
    except PaoError as error:
        before = await services.submission.find_submitted(caller, draft.id)
        if before is None:
            if error.status >= OURS or error.code == ErrorCode.RATE_LIMIT_EXCEEDED:
                raise
            return await _review_page(request, services, call, filled)
        submitted = before
    await services.drafts.mark_submitted(caller, draft, submitted)
    return _redirect(f"/requests/{submitted}")


@router.get("/drafts/{draft_id}/arrived")
async def submission_received(
    request: Request, services: ServicesDep, caller: Caller, draft_id: UUID
) -> Response:
    """Show whether a submission was received: its key is the draft's id."""
    request_id = await services.submission.find_submitted(caller, str(draft_id))
    return page(
        request, "pages/request_form/arrived.html", draft_id=str(draft_id), request_id=request_id
    )


async def _submittable_form(
    services: Services, caller: Principal, draft_id: UUID
) -> FilledForm | RedirectResponse:
    """Return a draft that can be submitted; of another, where it leads instead."""
    draft = await services.drafts.get(caller, str(draft_id))
    if draft.request_id:
        return _redirect(f"/requests/{draft.request_id}")
    filled = await fill_form(services, caller, draft)
    if filled.errors:
        return _redirect(f"/drafts/{draft.id}/{filled.first_wrong_step()}?check=1")
    return filled


async def _review_page(
    request: Request,
    services: Services,
    call: SubmissionCall,
    filled: FilledForm,
    *,
    reads: bool = False,
) -> Response:
    body, item = _submission(filled), filled.served_item.loaded.item
    problems, calls, fallback, sentence = list[str](), list[ActionView](), list[ActionView](), ""
    unread = False
    try:
        prepared = await services.submission.prepare(body, call)
        run = await services.submission.render(prepared)
    except PaoError as error:
        if error.status >= OURS:
            raise
        problems = [detail.message for detail in error.details] or [error.message]
    else:
        present = await services.commit_files.read(prepared, run) if reads else {}
        calls, fallback = await asyncio.to_thread(action_views, run, _labels(filled), present)
        unread = shows_files(run) and not reads
        sentence = sentence_of(run)
    before = await earlier_request(services, call.caller, filled.draft.repeats)
    web = services.web_address
    address = (web.of(request.scope) if web else None) or ""
    return page(
        request,
        "pages/request_form/review.html",
        status=422 if problems else 200,
        item=item,
        draft=filled.draft,
        answers=answers_of(filled, before.fields if before else None),
        before=before,
        problems=problems,
        sentence=sentence,
        calls=calls,
        unread=unread,
        fallback=fallback,
        cost=services.catalog.row(filled.draft.item_id).monthly_cost,
        changed=filled.changed,
        # Something else was reviewed before.
        again="again" in request.query_params,
        reviewed=await _review_digest(services, filled),
        copies=copies_of(item.form, item.id, filled.values, address),
        left_out=has_secrets(item.form, filled.values),
        warnings=[
            *warnings_of(filled.served_item.loaded.definition),
            *(warning.message for warning in filled.result.warnings),
            *await outages_of(request, services, item),
        ],
    )


async def _review_digest(services: Services, filled: FilledForm) -> str:
    """Return the version, which authors may forget, and content of an item and its components."""
    item, items = filled.served_item.loaded.item, [filled.served_item]
    if isinstance(item, CatalogBundle):
        try:
            items += (await served_items(item, services.catalog)).values()
        except PaoError as error:
            # Preparing says which component is not in service.
            if error.status >= OURS:
                raise
    parts = (f"{one.loaded.item.id} {one.loaded.item.version} {one.loaded.sha}" for one in items)
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _submission(filled: FilledForm) -> Submission:
    return Submission.model_validate(
        {"catalogItemId": filled.draft.item_id, "fields": filled.values}
    )


def _canonical(body: Submission) -> bytes:
    """Return the content of a submission: posted bytes differ each time by their boundary."""
    return json.dumps(body.model_dump(by_alias=True), sort_keys=True).encode()


def _redirect(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303)
