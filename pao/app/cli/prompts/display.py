"""Values as a person reads them: in the brackets of a prompt, and in the summary."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from catalog.forms import FieldDefinition, FieldType
from catalog.forms.values import canonical, parse_data_url
from catalog.forms.writing import as_text
from pao.app.cli.terminal import clean
from pao.core.names import MASK

_UNITS = ("bytes", "KB", "MB")
_UNIT = 1024


def display_value(field: FieldDefinition, value: Any, *, width: int = 200) -> str:
    """Return a value in one line of at most ``width`` characters; secrets are masked."""
    text = clean(_display_text(field, value))
    return text if len(text) <= width else f"{text[: width - 1]}…"


def display_row(field: FieldDefinition, row: Mapping[str, Any]) -> str:
    """Return a row of a list in one line: ``Port 80, Protocol tcp``."""
    fields = [one for one in field.fields if row.get(one.id) is not None]
    return ", ".join(f"{one.label} {_display_text(one, row[one.id])}" for one in fields)


def _display_text(field: FieldDefinition, value: Any) -> str:
    write = _WRITERS.get(field.type)
    if write:
        return write(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field.type is FieldType.LIST and isinstance(value, list):
        rows = [display_row(field, row) for row in value if isinstance(row, dict)]
        return f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}: {'; '.join(rows)}"
    if isinstance(value, list):
        return ", ".join(_label(field, one) for one in value) or "none"
    if isinstance(value, str) and "\n" in value:
        lines = value.splitlines()
        return f"{lines[0]} … ({len(lines)} lines)"
    return _label(field, value)


def _label(field: FieldDefinition, value: Any) -> str:
    for choice in field.choices or ():
        if canonical(choice.value) == canonical(value):
            return choice.label
    return as_text(value)


def _display_file(value: Any) -> str:
    url = parse_data_url(value) if isinstance(value, str) else None
    if url is None:
        return as_text(value)
    return ", ".join(filter(None, (url.name, url.media_type, size(url.size))))


def size(count: int) -> str:
    """Write a number of bytes: ``2.1 KB``."""
    number, unit = float(count), 0
    while number >= _UNIT and unit < len(_UNITS) - 1:
        number, unit = number / _UNIT, unit + 1
    return f"{number:.1f} {_UNITS[unit]}" if unit else f"{count} {_UNITS[0]}"


_WRITERS: dict[FieldType, Callable[[Any], str]] = {
    FieldType.PASSWORD: lambda _: MASK,
    FieldType.FILE: _display_file,
    FieldType.JSON: lambda value: json.dumps(value, ensure_ascii=False),
}
