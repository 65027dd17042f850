"""The form of a pasted document, filled in to see what would be sent. No other system is asked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import FormData

from api.auth.principal import Principal
from api.requests.prepared import requester_of
from api.services import Services
from api.web.fields import GroupView, groups_of
from api.web.forms import text_of
from api.web.pages.request_form.filled_form import form_input, with_rows
from api.web.posted_fields import posted_secrets, posted_texts, removed_secrets
from api.web.problems import errors_by_path
from api.web.rows import edit_of, with_edit
from api.web.sealed_entries import kept_entries, sealed_entries
from api.web.shown_values import mentions
from api.web.words import _
from catalog.forms import FormContext, OfferedChoices
from catalog.forms.evaluation_context import FieldQuery
from catalog.forms.form import Form
from catalog.forms.local_options import Lists, answers_by_path, bounded_queries, offered_locally
from catalog.forms.options import ListOptions, options_origin
from catalog.forms.posted import read_posted
from catalog.validation import ValidationResult
from pao.core.errors import ErrorCode, PaoError

MOST_SEALED = 512 * 1024
"""Characters; a longer part of a posted form is not taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedForm:
    """A form as its requesters will see it, and the values that were entered.

    ``offered`` is what its fields offer, by their paths. ``place`` is the element to which an edit
    of rows has led. ``forgets`` says that a file is too large to be kept by the page.
    """

    groups: list[GroupView]
    values: dict[str, Any]
    offered: Mapping[str, OfferedChoices]
    place: str
    forgets: bool


async def preview_form(
    services: Services, caller: Principal, read: ValidationResult, posted: FormData
) -> PreviewedForm | None:
    """Return the form of a document with what was entered, as the caller would request it.

    None where it has no form that works. Choices are not asked of other systems.
    """
    form, today, place = read.form, datetime.now(UTC).date(), ""
    if form is None:
        return None
    # A page posts a marker for each field that it has shown; another document has other fields.
    filled_in = any(f"has.{name}" in posted for name in form.fields)
    texts: Mapping[str, Sequence[str]] = posted_texts(form.fields, posted)
    edit = edit_of(text_of(posted, "rows"), form.fields)
    texts = with_rows(form, dict(texts), today)
    if edit is not None:
        texts, place = with_edit(form.fields, texts, edit)
    box, sealed_for = services.drafts.box, f"preview:{caller.id}"
    secrets = await _secrets(
        form, texts, posted, kept_entries(box, sealed_for, form.fields, posted)
    )
    sealed = sealed_entries(box, sealed_for, secrets)
    in_page = {name: token for name, token in sealed.items() if len(token) <= MOST_SEALED}

    apart = {name: [one] for name, one in secrets.items()}
    item, teams = read.parsed or read.sketch, sorted(caller.teams)
    context = services.options.context_for(item, requester_of(caller)) if item else FormContext()
    reading = await asyncio.to_thread(read_posted, form, {**texts, **apart}, today, context)
    lists = await _lists(services, form)
    found = await asyncio.to_thread(form.questions, reading.values, today, context)
    questions = [one for one in found if one.field.options is not None]
    offered = await asyncio.to_thread(_offers_by_field, form, questions, context, teams, lists)
    context = replace(context, offered=offered)
    result = await asyncio.to_thread(reading.validate, form, today, context)
    preview = replace(
        form_input(form, texts, result, today),
        sealed=mentions(form.fields, {name: secrets[name] for name in in_page}),
        in_page=in_page,
        offered=offered,
        notes={one.path: _note(one, offered[one.path]) for one in questions},
        errors=errors_by_path(result.errors) if filled_in else {},
    )
    return PreviewedForm(
        groups=groups_of(form.definition.groups, preview),
        values=reading.values,
        offered=offered,
        place=place,
        forgets=len(in_page) < len(sealed),
    )


async def _secrets(
    form: Form, texts: Mapping[str, Sequence[str]], posted: FormData, kept: Mapping[str, str]
) -> dict[str, str]:
    """Return the passwords and files entered now or before, without those of rows that are gone."""
    dropped = removed_secrets(posted)
    before = {name: one for name, one in kept.items() if name not in dropped}
    found = before | await posted_secrets(form.fields, posted)
    return {name: one for name, one in found.items() if "[" not in name or name in texts}


async def _lists(services: Services, form: Form) -> Lists:
    """Return the lists in service from which fields of a form choose."""
    fields = [one for outer in form.fields.values() for one in (outer, *outer.fields)]
    ids = {one.options.list for one in fields if isinstance(one.options, ListOptions)}
    found: dict[str, Sequence[Mapping[str, Any]]] = {}
    for name in ids:
        try:
            found[name] = await services.options.rows(name)
        except PaoError as error:
            if error.code != ErrorCode.CATALOG_ITEM_NOT_FOUND:
                raise
    return found


def _offers_by_field(
    form: Form,
    questions: list[FieldQuery],
    context: FormContext,
    teams: Sequence[str],
    lists: Lists,
) -> dict[str, OfferedChoices]:
    """Return what fields offer by their paths; rows that ask the same are answered once."""
    offers = {
        key: _field_offer(form, one, context, teams, lists)
        for key, one in bounded_queries(questions).items()
    }
    return answers_by_path(questions, offers)


def _field_offer(
    form: Form, question: FieldQuery, context: FormContext, teams: Sequence[str], lists: Lists
) -> OfferedChoices:
    """Return what a field offers; where another system has to be asked, any text is taken."""
    local = offered_locally(form, question, context, teams=teams, lists=lists)
    if local is not None:
        return local
    options = question.field.options
    if isinstance(options, ListOptions):
        problem = _("There is no list %(list)s in service yet. Enter a value.")
        return OfferedChoices(problem=problem % {"list": options.list}, lenient=True)
    problem = _("A preview asks no other system for choices. Enter a value.")
    source = _("Their source: %(source)s.") % {"source": options_origin(options)}
    return OfferedChoices(problem=f"{problem} {source}", lenient=True)


def _note(question: FieldQuery, offered: OfferedChoices) -> str:
    """Return the note on a field's choices; in service the form updates them by itself."""
    options = question.field.options
    if isinstance(options, ListOptions) and options.where is not None and not offered.problem:
        return _("The choices depend on other values: preview again after changing those.")
    return offered.problem or ""
