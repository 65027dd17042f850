"""Fields of a failed request that a retry may correct: those that its open actions use."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from api.requests.reading import StoredRequest
from api.requests.retry_preview import open_actions, stored_requester
from api.services import Services
from api.web.fields import FormInput, GroupView, groups_of
from api.web.posted_fields import find_field
from api.web.problems import errors_by_path
from api.web.rows import RowEdit, with_edit, without_rows
from api.web.sealed_entries import sealed_entries
from api.web.shown_values import mentions
from api.web.words import _
from catalog.document_kinds import parse_definition
from catalog.forms.definition import FieldDefinition, FieldType
from catalog.forms.form import Form
from catalog.forms.posted import read_posted, row_numbers
from catalog.forms.values import equal
from catalog.forms.writing import WRITE_ONLY, input_texts
from catalog.model import CatalogDocument
from catalog.secrets import mask_passwords
from pao.core.errors import ErrorCode, PaoError
from pao.core.field_paths import row_field_path

Names = Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """The fields, as they are shown; what was changed, and what cannot be read."""

    fields: dict[str, FieldDefinition]
    groups: list[GroupView]
    changes: dict[str, Any]
    errors: dict[str, str]


async def corrections_of(
    services: Services,
    stored: StoredRequest,
    posted: Mapping[str, Sequence[str]],
    dropped: Names = (),
    *,
    sealed_for: str = "",
) -> Corrections:
    """Return the correctable fields with what was posted, else with what the request holds.

    A password or a file that was not entered again stays as it is, unless it is dropped. One that
    was entered is kept by the page, sealed for that person.
    """
    item, today = _document(stored), datetime.now(UTC).date()
    form = item.form
    stored_values = mask_passwords(stored.row.fields, form.passwords)
    fields = correctable(stored)
    before = _form_texts(form, stored_values)
    apart = {name for name in before if _is_apart(form, name)}
    given = _posted_or_kept(posted, before, apart) | {name: [] for name in dropped}
    texts: dict[str, Sequence[str]] = without_rows(before, posted, form.fields) | given
    reading = await asyncio.to_thread(read_posted, form, texts, today)
    filled = await services.options.load_offers(item, reading.values, stored_requester(stored))
    errors = errors_by_path(reading.errors)
    entered_now = {
        name: one[-1] for name, one in posted.items() if one and one[-1] and _is_apart(form, name)
    }
    entered = FormInput(
        texts=texts,
        sealed=dict.fromkeys(apart, _("Kept as it is")) | mentions(form.fields, entered_now),
        in_page=sealed_entries(services.decisions.box, sealed_for, entered_now),
        dropped=dropped,
        offered=filled.context.offered,
        awaited=filled.awaited,
        visible=form.visible_paths(reading.values, today) | frozenset(stored_values),
        # What a request holds already is not asked for again.
        required=frozenset((*form.fields, *_required_in_rows(form, texts))),
        errors=errors,
        today=today,
        by_row=True,
    )
    groups = groups_of(form.definition.groups, entered)
    return Corrections(
        fields=fields,
        groups=[shown for one in groups if (shown := _correctable_group(one, fields)).fields],
        changes={
            name: reading.values.get(name)
            for name in fields.keys() & given.keys()
            if _is_changed(form, name, texts, before)
            and not equal(
                _without_computed(form, name, stored_values.get(name)),
                _without_computed(form, name, reading.values.get(name)),
            )
        },
        errors=errors,
    )


def correctable(stored: StoredRequest) -> dict[str, FieldDefinition]:
    """Return the fields that a retry may correct."""
    form = _document(stored).form
    used = _used_fields(stored, form)
    return {name: one for name, one in form.fields.items() if name in used and not one.read_only}


def edit_rows(
    stored: StoredRequest, posted: Mapping[str, Sequence[str]], edit: RowEdit
) -> tuple[dict[str, list[str]], str]:
    """Return what was posted after a row was added or removed, and where that is on the page."""
    form = _document(stored).form
    field = form.fields[edit.list_id]
    # A new row takes no number that a row of the request has: it would take its file as well.
    taken = row_numbers(field, _form_texts(form, stored.row.fields))
    return with_edit(form.fields, posted, edit, taken=taken)


def _posted_or_kept(
    posted: Mapping[str, Sequence[str]], before: Mapping[str, list[str]], apart: Collection[str]
) -> dict[str, Sequence[str]]:
    """Return what was posted; what never comes back into a page is as it was where it is empty."""
    return {
        name: before[name] if name in apart and not any(one) else one
        for name, one in posted.items()
    }


def _is_changed(
    form: Form,
    name: str,
    texts: Mapping[str, Sequence[str]],
    before: Mapping[str, Sequence[str]],
) -> bool:
    """Return whether the posted texts differ from those of the page."""
    own = (name, *(one for one in (*texts, *before) if one.startswith(f"{name}[")))
    if form.fields[name].type is not FieldType.LIST:
        own = (name,)
    return any(list(texts.get(one, ())) != list(before.get(one, ())) for one in own)


def _form_texts(form: Form, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values of a request as a form posts them, lists by row."""
    texts: dict[str, list[str]] = {}
    for name, one in form.fields.items():
        value = values.get(name)
        if one.type is FieldType.LIST and isinstance(value, list):
            texts |= _row_texts(one, value) | {name: []}
        elif name in values:
            texts[name] = input_texts(one, value)
    return texts


def _row_texts(field: FieldDefinition, rows: Sequence[Any]) -> dict[str, list[str]]:
    """Return the texts of all that rows hold: also of what no page shows, so that it is kept."""
    return {
        row_field_path(field.id, number, inner.id): input_texts(inner, row.get(inner.id))
        for number, row in enumerate(rows)
        if isinstance(row, Mapping)
        for inner in field.fields
    }


def _is_apart(form: Form, name: str) -> bool:
    """Return whether a value never comes back into a page, by the name of its field."""
    one = find_field(form.fields, name)
    return one is not None and one.type in WRITE_ONLY


def _without_computed(form: Form, name: str, value: Any) -> Any:
    """Return a value without what is computed in its rows, and is posted by no page."""
    fixed = {inner.id for inner in form.fields[name].fields if inner.read_only}
    if not fixed or not isinstance(value, list):
        return value
    return [
        {key: one for key, one in row.items() if key not in fixed} if isinstance(row, dict) else row
        for row in value
    ]


def _required_in_rows(form: Form, texts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for one in form.fields.values():
        for index, _number in enumerate(row_numbers(one, texts)):
            for inner in one.fields:
                if inner.required is not False:
                    yield row_field_path(one.id, index, inner.id)


def _correctable_group(group: GroupView, fields: Mapping[str, FieldDefinition]) -> GroupView:
    return GroupView(
        index=group.index,
        label=group.label,
        description="",
        collapsible=False,
        fields=tuple(one for one in group.fields if one.id in fields and one.shown),
    )


def _used_fields(stored: StoredRequest, form: Form) -> set[str]:
    """Return the fields that what failed and what follows it use; all where that is not known."""
    used: set[str] = set()
    for action in open_actions(stored, None):
        if action.reads is None:
            return set(form.fields)
        used |= {one.split(".")[1] for one in action.reads if one.startswith("fields.")}
        if "fields" in action.reads:
            return set(form.fields)
    return used


def _document(stored: StoredRequest) -> CatalogDocument:
    try:
        return parse_definition(stored.row.item_definition)
    except ValidationError as error:
        raise PaoError(
            ErrorCode.SERVICE_UNAVAILABLE,
            _("This version of PAO cannot read the form of this request."),
        ) from error
