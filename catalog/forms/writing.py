"""Values as texts: as people write them, and as the inputs of a page hold them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from catalog.forms.definition import FieldDefinition, FieldType
from pao.core.field_paths import row_field_path

WRITE_ONLY = frozenset({FieldType.PASSWORD, FieldType.FILE})
"""Values that never come back into a page; while a form is filled in they are kept sealed."""


def input_texts(field: FieldDefinition, value: Any) -> list[str]:
    """Return the texts that ``read_posted`` reads as this value: one for each input."""
    if value is None:
        return []
    if field.type is FieldType.BOOLEAN:
        return ["true"] if value is True else []
    if field.type is FieldType.MULTISELECT and isinstance(value, list):
        return [as_text(one) for one in value]
    if field.type in (FieldType.JSON, FieldType.LIST):
        return [json.dumps(value, indent=2, ensure_ascii=False)]
    return [as_text(value)]


def row_input_texts(field: FieldDefinition, rows: Sequence[Any]) -> dict[str, list[str]]:
    """Return the texts of a list's rows, as ``read_posted`` reads them.

    Passwords and files in them have none: they are kept apart, or entered again.
    """
    return {
        row_field_path(field.id, number, inner.id): []
        if inner.type in WRITE_ONLY
        else input_texts(inner, row.get(inner.id))
        for number, row in enumerate(rows)
        if isinstance(row, Mapping)
        for inner in field.fields
    }


def as_text(value: Any) -> str:
    """Return a value as people write it; lists with commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(as_text(one) for one in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
