"""How values of a form are named: by the field's id, in rows of a list ``rules[0].port``. Pure."""

import re

_ROW_PATH = re.compile(r"([^\[]+)\[([0-9]{1,4})\](?:\.(.+))?")


def row_field_path(list_id: str, row: int, field_id: str) -> str:
    """Return how a field in a row is named; rows are counted from 0."""
    return f"{list_id}[{row}].{field_id}"


def parse_field_path(way: str) -> tuple[str, int | None, str | None]:
    """Return the field of the form, and for a value in a list the row and its field, else None."""
    found = _ROW_PATH.fullmatch(way)
    return (found[1], int(found[2]), found[3]) if found else (way, None, None)


def form_field(way: str) -> str:
    """Return the field of the form that holds a value: of ``rules[0].port`` it is rules."""
    return way.partition("[")[0]
