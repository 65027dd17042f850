"""Values of fields as people read them. Never a secret."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from api.web.posted_fields import find_field
from api.web.words import _
from catalog.forms.definition import Choice, FieldDefinition, FieldType
from catalog.forms.writing import WRITE_ONLY, as_text, input_texts
from pao.core.names import MASK


def shown_value(one: FieldDefinition, value: Any, choices: Sequence[Choice] | None = None) -> str:
    """Return a value as a reader sees it: labels of choices, Yes and No, never a secret.

    ``choices`` are those that come from elsewhere.
    """
    if value is None or value in ("", []):
        return _("Not given")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list) and one.type is FieldType.LIST:
        return "\n".join(_shown_row(one, row) for row in value)
    if one.type in {FieldType.JSON, FieldType.LIST}:
        return "\n".join(input_texts(one, value))
    if one.type in WRITE_ONLY:
        return file_words(str(value)) if one.type is FieldType.FILE else MASK
    labels = {as_text(choice.value): choice.label for choice in choices or one.choices or ()}
    parts = value if isinstance(value, list) else [value]
    return ", ".join(labels.get(as_text(part), as_text(part)) for part in parts)


def _shown_row(one: FieldDefinition, row: Any) -> str:
    if not isinstance(row, Mapping):
        return as_text(row)
    parts = (
        f"{inner.label}: {shown_value(inner, row[inner.id])}"
        for inner in one.fields
        if row.get(inner.id) is not None
    )
    return "; ".join(parts)


def mentions(fields: Mapping[str, FieldDefinition], entered: Mapping[str, str]) -> dict[str, str]:
    """Return what may be shown of passwords and files that were entered, by their names."""
    return {
        name: file_words(value) if one.type is FieldType.FILE else _("Already set")
        for name, value in entered.items()
        if (one := find_field(fields, name)) is not None
    }


def file_words(value: str) -> str:
    """Return name and size of a file that is a data URL."""
    head, _comma, content = value.partition(",")
    name = next((p[5:] for p in head.split(";") if p.startswith("name=")), "")
    size = len(content) * 3 // 4 - content[-2:].count("=")
    words = f"{size / 1024:.1f} kB" if size >= 1024 else f"{size} B"  # noqa: PLR2004 -- a kB
    return f"{unquote(name) or _('File')} ({words})"
