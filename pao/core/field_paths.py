"""Paths of values in a form: the field's id, or ``rules[0].port`` in a row of a list. Pure."""

import re

_ROW_PATH = re.compile(r"([^\[]+)\[([0-9]{1,4})\](?:\.(.+))?")


def row_field_path(list_id: str, row: int, field_id: str) -> str:
    """Return the path of a field in a row; rows are counted from 0."""
    return f"{list_id}[{row}].{field_id}"


def parse_field_path(path: str) -> tuple[str, int | None, str | None]:
    """Return the field of the form, and for a value in a list the row and its field, else None."""
    match = _ROW_PATH.fullmatch(path)
    return (match[1], int(match[2]), match[3]) if match else (path, None, None)


def form_field(path: str) -> str:
    """Return the field of the form that holds a value: of ``rules[0].port`` it is rules."""
    return path.partition("[")[0]
