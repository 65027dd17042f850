"""What a browser posts of a form, as the values of its fields.

Whether a value is good is for the validator to say (form.py). A text that cannot be read is an
error in the validator's shape.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from catalog.forms.context import EMPTY_CONTEXT, FormContext
from catalog.forms.definition import MOST_ROWS, FieldDefinition, FieldType
from catalog.forms.form import FieldError, Form, FormResult
from catalog.forms.reading import ReadingError, read_inputs
from catalog.forms.values import excerpt
from pao.core.field_paths import form_field, parse_field_path, row_field_path


@dataclass(frozen=True, slots=True)
class PostedValues:
    """The values of a posted form, hidden fields left out, and the texts that are no values.

    Where a text cannot be read, it stands among the values as it was posted.
    """

    values: dict[str, Any]
    errors: tuple[FieldError, ...] = ()

    def validate(self, form: Form, today: date, context: FormContext = EMPTY_CONTEXT) -> FormResult:
        """Return the validator's result; unreadable text is reported once, as unreadable."""
        result = form.validate(self.values, today, context)
        unreadable = {error.field: error for error in self.errors}
        if not unreadable:
            return result
        others = [error for error in result.errors if error.field not in unreadable]
        order = {field_id: index for index, field_id in enumerate(form.fields)}
        errors = sorted(
            (*unreadable.values(), *others),
            key=lambda error: order.get(form_field(error.field), len(order)),
        )
        return replace(result, valid=False, errors=tuple(errors))


def read_posted(
    form: Form,
    posted: Mapping[str, Sequence[str]],
    today: date,
    context: FormContext = EMPTY_CONTEXT,
) -> PostedValues:
    """Read what a browser posts: for every field that the page showed, the texts of its inputs.

    An unticked checkbox and an emptied multiselect post nothing, so their fields have no texts
    but must be there. An emptied field of another type is absent, and takes its default again.
    A list is posted as one text of JSON, or row by row: ``rules[4].prefix``, where the number
    only distinguishes rows; one whose rows were all removed is empty if it would have some again.
    """
    values: dict[str, Any] = {}
    errors: dict[str, FieldError] = {}
    for field_id, field in form.fields.items():
        if field_id not in posted:
            continue
        by_row = field.type is FieldType.LIST and not any(posted[field_id])
        value = _read_rows(field, posted, errors) if by_row else _read(field, posted, errors)
        if value is not None:
            values[field_id] = value
    shown = form.visible_paths(values, today, context)
    return PostedValues(
        {
            field_id: _visible_value(form.fields[field_id], value, shown)
            for field_id, value in values.items()
            if field_id in shown
        },
        tuple(error for path, error in errors.items() if path in shown),
    )


def _read(
    field: FieldDefinition,
    posted: Mapping[str, Sequence[str]],
    errors: dict[str, FieldError],
    *,
    posted_as: str | None = None,
    path: str | None = None,
) -> Any:
    """Return what a field holds; text that cannot be read is noted by the field's path."""
    texts, name = posted[posted_as or field.id], path or field.id
    try:
        return read_inputs(field, texts)
    except ReadingError as error:
        received = None if field.holds_secret else excerpt(texts[-1])
        errors[name] = FieldError(name, "type", f"{field.label}: {error}", received)
        return texts[-1]


def _read_rows(
    field: FieldDefinition, posted: Mapping[str, Sequence[str]], errors: dict[str, FieldError]
) -> list[dict[str, Any]] | None:
    rows = []
    for index, number in enumerate(row_numbers(field, posted)):
        row = {}
        for inner in field.fields:
            name = row_field_path(field.id, number, inner.id)
            if name in posted:
                path = row_field_path(field.id, index, inner.id)
                row[inner.id] = _read(inner, posted, errors, posted_as=name, path=path)
        rows.append({name: value for name, value in row.items() if value is not None})
    return rows or ([] if field.default is not None else None)


def row_numbers(field: FieldDefinition, posted: Iterable[str]) -> list[int]:
    """Return the numbers of the rows of a list that were posted, in their order."""
    known, numbers = {inner.id for inner in field.fields}, set()
    for name in posted:
        outer, number, inner = parse_field_path(name)
        if outer == field.id and number is not None and inner in known:
            numbers.add(number)
    return sorted(numbers)[: MOST_ROWS + 1]


def _visible_value(field: FieldDefinition, value: Any, shown: frozenset[str]) -> Any:
    """Return a value without what the rows of a list hide."""
    if field.type is not FieldType.LIST or not isinstance(value, list) or len(value) > MOST_ROWS:
        return value
    known = {inner.id for inner in field.fields}
    return [
        {
            name: one
            for name, one in row.items()
            if name not in known or row_field_path(field.id, index, name) in shown
        }
        if isinstance(row, dict)
        else row
        for index, row in enumerate(value)
    ]
