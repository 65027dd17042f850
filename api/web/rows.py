"""Rows of a list that is being filled in: one is added, one is removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.forms.definition import MOST_ROWS, FieldDefinition, FieldType
from catalog.forms.posted import row_numbers
from catalog.forms.writing import written
from pao.core.passwords import way_in_row

ADD, REMOVE = "add", "remove"


@dataclass(frozen=True, slots=True)
class Edit:
    """What a button asks for: a further row of a list, or one row less."""

    list_id: str
    removes: int | None = None


def edit_of(command: str, fields: Mapping[str, FieldDefinition]) -> Edit | None:
    """Return what a button's value asks for: `add:rules`, or `remove:4:rules`."""
    word, _, rest = command.partition(":")
    number = ""
    if word == REMOVE:
        number, _, rest = rest.partition(":")
    field = fields.get(rest)
    if field is None or field.type is not FieldType.LIST:
        return None
    if word == ADD:
        return Edit(rest)
    return Edit(rest, int(number)) if number.isdecimal() and len(number) < 5 else None  # noqa: PLR2004 -- a row's number


def edited(
    field: FieldDefinition, texts: Mapping[str, Sequence[str]], edit: Edit
) -> tuple[dict[str, list[str]], int | None]:
    """Return the texts of a form after an edit, and the number of the row that was added."""
    kept = {name: list(one) for name, one in texts.items()}
    numbers = row_numbers(field, kept)
    if edit.removes is not None:
        gone = {way_in_row(field.id, edit.removes, inner.id) for inner in field.fields}
        return {name: one for name, one in kept.items() if name not in gone}, None
    if len(numbers) >= (field.constraint("max_items") or MOST_ROWS):
        return kept, None
    added = max(numbers, default=-1) + 1
    for inner in field.fields:
        kept[way_in_row(field.id, added, inner.id)] = written(inner, inner.plain_default)
    return kept, added
