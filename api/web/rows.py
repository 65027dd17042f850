"""Rows of a list that is being filled in: one is added, one is removed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.forms.definition import MOST_ROWS, FieldDefinition, FieldType
from catalog.forms.posted import row_numbers
from catalog.forms.writing import input_texts
from pao.core.field_paths import row_field_path

T = TypeVar("T")

ADD, REMOVE = "add", "remove"


@dataclass(frozen=True, slots=True)
class RowEdit:
    """What a button does: add a row to a list, or remove one."""

    list_id: str
    removes: int | None = None


def edit_of(command: str, fields: Mapping[str, FieldDefinition]) -> RowEdit | None:
    """Return what a button's value asks for: `add:rules`, or `remove:4:rules`."""
    word, _, rest = command.partition(":")
    number = ""
    if word == REMOVE:
        number, _, rest = rest.partition(":")
    field = fields.get(rest)
    if field is None or field.type is not FieldType.LIST:
        return None
    if word == ADD:
        return RowEdit(rest)
    return RowEdit(rest, int(number)) if number.isdecimal() and len(number) < 5 else None  # noqa: PLR2004 -- a row's number


def with_edit(
    fields: Mapping[str, FieldDefinition],
    texts: Mapping[str, Sequence[str]],
    edit: RowEdit,
    *,
    taken: Sequence[int] = (),
) -> tuple[dict[str, list[str]], str]:
    """Return the texts of a form after an edit, and the element to which it leads."""
    field, place = fields[edit.list_id], list(fields).index(edit.list_id)
    found, added = apply_edit(field, texts, edit, taken=taken)
    numbers = row_numbers(field, found)
    return found, f"f{place}-{added}-0" if added in numbers else f"f{place}"


def without_rows(
    texts: Mapping[str, T], shown: Iterable[str], fields: Mapping[str, FieldDefinition]
) -> dict[str, T]:
    """Return the texts without the rows of lists that a page has shown: it posts what it has."""
    gone = tuple(f"{one}[" for one in shown if one in fields)
    return {name: one for name, one in texts.items() if not name.startswith(gone)}


def apply_edit(
    field: FieldDefinition,
    texts: Mapping[str, Sequence[str]],
    edit: RowEdit,
    *,
    taken: Sequence[int] = (),
) -> tuple[dict[str, list[str]], int | None]:
    """Return the texts of a form after an edit, and the number of the row that was added.

    Numbers that are ``taken`` belong to rows that were removed.
    """
    edited_texts = {name: list(one) for name, one in texts.items()}
    numbers = row_numbers(field, edited_texts)
    if edit.removes is not None:
        gone = {row_field_path(field.id, edit.removes, inner.id) for inner in field.fields}
        return {name: one for name, one in edited_texts.items() if name not in gone}, None
    if len(numbers) >= (field.constraint("max_items") or MOST_ROWS):
        return edited_texts, None
    added = max((*numbers, *taken), default=-1) + 1
    for inner in field.fields:
        edited_texts[row_field_path(field.id, added, inner.id)] = input_texts(
            inner, inner.plain_default
        )
    return edited_texts, added
