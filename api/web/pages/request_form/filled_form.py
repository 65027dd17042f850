"""A draft and its item's form together: what was entered, what it means, what is wrong."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from api.auth.principal import Principal
from api.catalog.service import ServedItem
from api.drafts.service import Draft
from api.requests.prepared import requester_of
from api.services import Services
from api.web.fields import (
    FormInput,
    GroupView,
    groups_of,
    rows_at_first,
)
from api.web.posted_fields import find_field
from api.web.problems import errors_by_path
from api.web.shown_values import mentions
from api.web.words import _
from catalog.forms.definition import FieldDefinition, FieldType, Layout
from catalog.forms.fields_resolver import default_of
from catalog.forms.form import Form, FormResult
from catalog.forms.posted import read_posted
from catalog.forms.reading import ReadingError, read
from catalog.forms.writing import WRITE_ONLY, input_texts, row_input_texts
from pao.core.errors import ErrorCode, PaoError
from pao.core.field_paths import row_field_path

FIRST = 0
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledForm:
    """A form that is being filled in."""

    served_item: ServedItem
    draft: Draft
    values: dict[str, Any]
    result: FormResult
    entered: FormInput

    @property
    def form(self) -> Form:
        """The form of the item as it is offered now."""
        return self.served_item.loaded.item.form

    @property
    def errors(self) -> dict[str, str]:
        """The problems, by the ways of fields."""
        return errors_by_path(self.result.errors)

    @property
    def changed(self) -> tuple[str, str] | None:
        """The versions between which the item has changed since the form was begun."""
        before, now = self.draft.item_version, self.served_item.loaded.item.version
        return (before, now) if before != now else None

    @property
    def is_stepped(self) -> bool:
        """Whether its groups are steps, each on its own page."""
        return self.form.definition.layout is not Layout.SINGLE_PAGE

    def groups(self, *, checked: bool) -> list[GroupView]:
        """Return the groups as they are shown; with what is wrong, once that is asked for."""
        shown = replace(self.entered, errors=self.errors if checked else {})
        return groups_of(self.form.definition.groups, shown)

    def steps(self) -> list[int]:
        """Return the numbers of the groups that apply."""
        return [one.index for one in self.groups(checked=False) if one.shown]

    def step_after(self, step: int) -> int | None:
        """Return the next step that applies, or None after the last one."""
        return next((one for one in self.steps() if one > step), None)

    def first_wrong_step(self) -> int:
        """Return the first step with a problem."""
        wrong = (one.index for one in self.groups(checked=True) if one.wrong)
        return next(wrong, FIRST)

    def is_step_wrong(self, step: int) -> bool:
        """Return whether something is wrong in a step."""
        return any(one.wrong for one in self.groups(checked=True) if one.index == step)


async def fill_form(services: Services, caller: Principal, draft: Draft) -> FilledForm:
    """Read a draft by the form of its item; of an item that was removed, say so."""
    try:
        served_item = await services.catalog.served_item(draft.item_id)
    except PaoError as error:
        if error.code != ErrorCode.CATALOG_ITEM_NOT_FOUND:
            raise
        raise PaoError(
            ErrorCode.CATALOG_ITEM_NOT_FOUND,
            _("This service is no longer offered. Nothing was submitted."),
            status=GONE,
        ) from error
    item, who = served_item.loaded.item, requester_of(caller)
    form, context, today = (
        item.form,
        services.options.context_for(item, who),
        datetime.now(UTC).date(),
    )
    names = partial(find_field, form.fields)
    secrets = {
        name: one for name, one in services.drafts.secrets(draft).items() if names(name) is not None
    }
    texts: dict[str, Sequence[str]] = {
        name: one for name, one in draft.texts.items() if names(name) is not None
    }
    texts = with_rows(form, texts, today)
    apart: dict[str, Sequence[str]] = {name: [one] for name, one in secrets.items()}
    # In threads: conditions and computed values are templates.
    reading = await asyncio.to_thread(read_posted, form, texts | apart, today, context)
    filled = await services.options.load_offers(item, reading.values, who)
    result = await asyncio.to_thread(reading.validate, form, today, filled.context)
    return FilledForm(
        served_item=served_item,
        draft=draft,
        values=reading.values,
        result=result,
        entered=replace(
            form_input(form, texts, result, today),
            sealed=mentions(form.fields, secrets),
            offered=filled.context.offered,
            awaited=filled.awaited,
        ),
    )


def form_input(
    form: Form, texts: Mapping[str, Sequence[str]], result: FormResult, today: date
) -> FormInput:
    """Return what is known of a form by its texts and by what the validator says of them."""
    return FormInput(
        texts=texts,
        computed={name: result.values.get(name) for name in result.computed}
        | _computed_in_rows(form, result),
        visible=frozenset((*result.visible, *result.in_rows)),
        required=frozenset((*result.required, *_required_in_rows(form, result))),
        today=today,
        by_row=True,
    )


def with_rows(form: Form, texts: dict[str, Sequence[str]], today: date) -> dict[str, Sequence[str]]:
    """Return the texts with those of the rows that lists begin with."""
    found: dict[str, Sequence[str]] = dict(texts)
    for one in form.fields.values():
        if one.type is not FieldType.LIST or one.template is not None or one.read_only:
            continue
        if one.id not in texts:
            found |= rows_at_first(one, default_of(one, today)) | {one.id: []}
        elif any(texts[one.id]):
            found |= _linked_rows(one, texts[one.id][-1]) | {one.id: []}
    return found


def _in_rows(form: Form, result: FormResult) -> Iterator[tuple[str, FieldDefinition, Any]]:
    """Yield every field that is shown in a row: its path, its definition, its value."""
    shown = frozenset(result.in_rows)
    for one in form.fields.values():
        rows = result.values.get(one.id) if one.type is FieldType.LIST else None
        for index, row in enumerate(rows or ()):
            for inner in one.fields:
                path = row_field_path(one.id, index, inner.id)
                if path in shown:
                    yield path, inner, row.get(inner.id)


def _computed_in_rows(form: Form, result: FormResult) -> dict[str, Any]:
    found = _in_rows(form, result)
    return {path: value for path, one, value in found if one.template is not None}


def _required_in_rows(form: Form, result: FormResult) -> list[str]:
    return [path for path, one, _value in _in_rows(form, result) if one.required is not False]


def texts_of(form: Form, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values of an earlier request as a form shows them; secrets are entered again."""
    texts: dict[str, list[str]] = {}
    for name, one in form.fields.items():
        value = values.get(name)
        if value is None or one.type in WRITE_ONLY or one.read_only:
            continue
        if one.type is FieldType.LIST and isinstance(value, list):
            texts |= row_input_texts(one, value) | {name: []}
        else:
            texts[name] = input_texts(one, value)
    return texts


def read_link(
    form: Form, query: Sequence[tuple[str, str]]
) -> tuple[dict[str, list[str]], list[str]]:
    """Return the texts that a link fills in, and notes on what is ignored."""
    texts: dict[str, list[str]] = {}
    notes: list[str] = []
    for key, value in query:
        if not key.startswith("fields."):
            continue
        name = key.removeprefix("fields.")
        one = form.fields.get(name)
        if one is None:
            notes.append(_("The link names an unknown field: %(name)s.") % {"name": name})
        elif one.type in WRITE_ONLY or one.read_only:
            notes.append(_not_taken(one))
        elif one.type is FieldType.BOOLEAN:
            texts[name] = ["true"] if value == "true" else []
        elif one.type is FieldType.LIST:
            rows = _linked_rows(one, value)
            texts |= rows
            if not rows:
                notes.append(_("%(label)s is not a JSON list of rows.") % {"label": one.label})
            apart = [inner for inner in one.fields if inner.type in WRITE_ONLY]
            notes += [_not_taken(inner) for inner in apart if inner.id in value]
        else:
            texts.setdefault(name, []).append(value)
    return texts, list(dict.fromkeys(notes))


def _not_taken(one: FieldDefinition) -> str:
    return _("%(label)s is not taken from a link.") % {"label": one.label}


def unused_link_values(filled: FilledForm, texts: Mapping[str, Sequence[str]]) -> list[str]:
    """Return notes on fields of a link that do not apply with its other values."""
    visible, fields = frozenset(filled.result.visible), filled.form.fields
    return [
        _("%(label)s does not apply here, so the link's value is not used.")
        % {"label": fields[name].label}
        for name in texts
        if name in fields and name not in visible
    ]


def _linked_rows(one: FieldDefinition, text: str) -> dict[str, list[str]]:
    """Return the texts of the rows that a link gives a list, as JSON."""
    try:
        rows = read(one, text)
    except ReadingError:
        return {}
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return {}
    return row_input_texts(one, rows) | {one.id: []}
