"""The form of a pasted document, filled in to see what would be sent. Nobody is asked."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from starlette.datastructures import FormData

from api.auth.principal import Principal
from api.requests.prepared import requester_of
from api.services import Services
from api.web.fields import GroupView, groups_of
from api.web.forms import text_of
from api.web.kept_entries import kept_entries, sealed_entries
from api.web.pages.request_form.filling import entered_of, with_rows
from api.web.posted_fields import posted_secrets, posted_texts, removed
from api.web.problems import errors_by_way
from api.web.rows import edit_of, with_edit
from api.web.shown_values import mentions
from api.web.words import _
from catalog.forms import FormContext, Offered
from catalog.forms.definition import Choice
from catalog.forms.form import Form
from catalog.forms.options import TeamOptions
from catalog.forms.posted import read_posted
from catalog.validation import ValidationResult

MOST_SEALED = 512 * 1024
"""Characters; a longer part of a posted form is not taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A form as its requesters will see it, and the values that were entered.

    ``place`` is the element to which an edit of rows has led. ``forgets`` says that a file is too
    large to be kept by the page.
    """

    groups: list[GroupView]
    values: dict[str, Any]
    place: str
    forgets: bool


async def tried(
    services: Services, caller: Principal, read: ValidationResult, posted: FormData
) -> Tried | None:
    """Return the form of a document with what was entered, as the caller would request it.

    None where it has no form that works. Choices are not asked for elsewhere.
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
    about = services.options.about(item, requester_of(caller)) if item else FormContext()
    reading = await asyncio.to_thread(read_posted, form, {**texts, **apart}, today, about)
    offered = await asyncio.to_thread(_offered, form, reading.values, today, about, teams)
    context = replace(about, offered=offered)
    result = await asyncio.to_thread(reading.judged_by, form, today, context)
    shown = replace(
        entered_of(form, texts, result, today),
        sealed=mentions(form.fields, {name: secrets[name] for name in in_page}),
        in_page=in_page,
        offered=offered,
        unasked=frozenset(way for way, one in offered.items() if one.problem is not None),
        errors=errors_by_way(result.errors) if filled_in else {},
    )
    return Tried(
        groups=groups_of(form.definition.groups, shown),
        values=reading.values,
        place=place,
        forgets=len(in_page) < len(sealed),
    )


async def _secrets(
    form: Form, texts: Mapping[str, Sequence[str]], posted: FormData, kept: Mapping[str, str]
) -> dict[str, str]:
    """Return the passwords and files entered now or before, without those of rows that are gone."""
    dropped = removed(posted)
    before = {name: one for name, one in kept.items() if name not in dropped}
    found = before | await posted_secrets(form.fields, posted)
    return {name: one for name, one in found.items() if "[" not in name or name in texts}


def _offered(
    form: Form,
    values: Mapping[str, Any],
    today: date,
    about: FormContext,
    teams: Sequence[str],
) -> dict[str, Offered]:
    """Return what fields offer that is known without asking, by their ways; else any text is taken.

    Fields in rows are among them.
    """
    own = Offered(tuple(Choice(value=team, label=team) for team in teams))
    unasked = Offered(problem=_("not loaded in a preview"), lenient=True)
    return {
        one.way: own if isinstance(one.field.options, TeamOptions) else unasked
        for one in form.questions(values, today, about)
        if one.field.options is not None
    }
