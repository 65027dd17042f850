"""`/catalog/ID/request` and `/drafts/ID`: a form is filled in.

Every post is answered with a redirect, so Back and reload never send anything again.
"""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.drafts.service import Draft
from api.requests.lifecycle import warnings_of
from api.schemas import Omittable, ResponseBody
from api.services import Caller, ServicesDep
from api.web.forms import Posted, text_of
from api.web.outages import outages_of
from api.web.pages.request_form.copies import MOST_LINKED
from api.web.pages.request_form.filled_form import (
    FIRST,
    FilledForm,
    fill_form,
    read_link,
    texts_of,
    unused_link_values,
)
from api.web.pages.request_form.saving import earlier_request, save_draft
from api.web.rendering import page
from api.web.words import _

router = APIRouter()

REVIEW, HERE = "review", "here"
Checked = Annotated[bool, Query(alias="check")]


class FormCheck(ResponseBody):
    """The state of a form's fields, by their places; or the request that it has become.

    ``offers`` has a hash of what each field offers, which changes with it.
    """

    visible: tuple[str, ...] = ()
    errors: Mapping[str, str] = Field(default_factory=dict)
    offers: Mapping[str, str] = Field(default_factory=dict)
    submitted: Omittable[str] = None


@router.get("/catalog/{item_id}/request")
async def new_form(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    item_id: str,
    repeat: Annotated[str | None, Query(max_length=36)] = None,
) -> Response:
    """Show a form, empty or filled in by a link or an earlier request; nothing is stored yet."""
    served_item = await services.catalog.served_item(item_id)
    form, notes, texts = served_item.loaded.item.form, list[str](), dict[str, list[str]]()
    before = await earlier_request(services, caller, repeat)
    if before is not None and before.catalog_item_id == item_id:
        texts = texts_of(form, before.fields)
        notes = [_("Filled in from an earlier request: %(title)s.") % {"title": before.title}]
    elif len(request.url.query) > MOST_LINKED:
        notes = [_("The link is longer than 8 kB and was not taken.")]
    else:
        texts, notes = read_link(form, request.query_params.multi_items())
    draft = Draft(
        id=str(uuid4()),
        item_id=item_id,
        item_version=served_item.loaded.item.version,
        texts=texts,
        sealed={},
        repeats=before.id if before and before.catalog_item_id == item_id else None,
    )
    others = [one for one in await services.drafts.list(caller) if one.item_id == item_id]
    filled = await fill_form(services, caller, draft)
    if draft.repeats is None:
        notes += unused_link_values(filled, texts)
    step = next(iter(filled.steps()), FIRST)
    outages = await outages_of(request, services, served_item.loaded.item)
    return _form_page(
        request, filled, step, checked=False, outages=outages, notes=notes, others=others
    )


@router.post("/drafts/{draft_id}")
async def save_and_continue(
    services: ServicesDep, caller: Caller, draft_id: UUID, posted: Posted
) -> Response:
    """Save what was entered, then go where the button says; an error leads back to its field."""
    draft, place = await save_draft(services, caller, str(draft_id), posted)
    if draft.request_id:
        return _redirect(f"/requests/{draft.request_id}")
    here, go, step = f"/drafts/{draft.id}", text_of(posted, "go"), _step(posted)
    if place is not None:
        return _redirect(f"{here}/{step}#{place}")
    if go == HERE:
        return _redirect(f"{here}/{step}")
    return _redirect(f"{here}/{_next_page(await fill_form(services, caller, draft), go, step)}")


def _next_page(filled: FilledForm, go: str, step: int) -> str:
    """Return the page of a draft that the button of a step opens."""
    if go in map(str, filled.steps()):
        return go
    if filled.is_stepped and go != REVIEW:
        if filled.is_step_wrong(step):
            return f"{step}?check=1"
        next_step = filled.step_after(step)
        if next_step is not None:
            return str(next_step)
    return f"{filled.first_wrong_step()}?check=1" if filled.errors else REVIEW


@router.post("/drafts/{draft_id}/check")
async def check(services: ServicesDep, caller: Caller, draft_id: UUID, posted: Posted) -> FormCheck:
    """Save what was entered so far; say which fields apply, what is wrong, what they offer."""
    draft, _place = await save_draft(services, caller, str(draft_id), posted)
    if draft.request_id:
        return FormCheck(submitted=draft.request_id)
    filled = await fill_form(services, caller, draft)
    fields = [
        one
        for group in filled.groups(checked=True)
        for outer in group.fields
        for one in outer.each()
    ]
    return FormCheck(
        visible=tuple(one.place for one in fields if one.shown),
        errors={one.place: one.error for one in fields if one.shown and one.error},
        offers={one.place: one.offer for one in fields if one.shown and one.offer},
    )


@router.post("/drafts/{draft_id}/discard")
async def discard(services: ServicesDep, caller: Caller, draft_id: UUID) -> Response:
    """Remove a draft."""
    await services.drafts.discard(caller, str(draft_id))
    return _redirect("/")


@router.get("/drafts/{draft_id}/{step}")
async def step_page(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    draft_id: UUID,
    step: int,
    *,
    checked: Checked = False,
) -> Response:
    """Show a step of a draft, or the whole form where it has none."""
    draft = await services.drafts.get(caller, str(draft_id))
    if draft.request_id:
        return _redirect(f"/requests/{draft.request_id}")
    filled = await fill_form(services, caller, draft)
    steps = filled.steps()
    if filled.is_stepped and step not in steps:
        step = next(iter(steps), FIRST)
    outages = await outages_of(request, services, filled.served_item.loaded.item)
    return _form_page(request, filled, step, checked=checked, outages=outages)


def _form_page(
    request: Request,
    filled: FilledForm,
    step: int,
    *,
    checked: bool,
    outages: list[str],
    notes: list[str] | None = None,
    others: list[Draft] | None = None,
) -> Response:
    groups = filled.groups(checked=checked)
    shown_groups = [one for one in groups if one.index == step] if filled.is_stepped else groups
    has_problems = any(one.wrong for one in shown_groups)
    steps = [one for one in groups if one.shown] if filled.is_stepped else []
    back = [one.index for one in steps if one.index < step]
    return page(
        request,
        "pages/request_form/form.html",
        item=filled.served_item.loaded.item,
        draft=filled.draft,
        groups=shown_groups,
        step=step,
        steps=steps,
        back=back[-1] if back else None,
        last=not steps or steps[-1].index == step,
        wrong=has_problems,
        notes=notes or [],
        others=others or [],
        changed=filled.changed,
        warnings=[*warnings_of(filled.served_item.loaded.definition), *outages],
    )


def _step(posted: FormData) -> int:
    given = text_of(posted, "step")
    return int(given) if given.isdecimal() and len(given) < 5 else FIRST  # noqa: PLR2004 -- a group's number


def _redirect(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303)
