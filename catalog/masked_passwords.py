"""Stars in place of a password: what shows a request has them, and they may come back. Pure.

In a correction they leave a password as it is. Rows of a list move, so the row that a password
belongs to is recognized by the fields of ``uniqueBy``, or by all its other values.
"""

from collections.abc import Collection, Hashable, Mapping
from typing import Any

from catalog.forms import FieldDefinition, FieldError, Form
from catalog.forms.passwords import passwords_among
from catalog.forms.values import canonical
from pao.core.field_paths import parse_field_path
from pao.core.names import MASK

_ENTER_AGAIN = "is only the mask shown for a password; enter the password again"


def restore_passwords(
    fields: Mapping[str, FieldDefinition], before: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Return changes in which masks are replaced by the passwords they stand for, where known."""
    passwords, found = passwords_among(fields.values()), dict(changes)
    for name in passwords.fields:
        if found.get(name) == MASK and before.get(name) is not None:
            found[name] = before[name]
    for name, secret in passwords.in_rows.items():
        rows, former = found.get(name), before.get(name)
        if isinstance(rows, list) and isinstance(former, list):
            known = _by_identity(fields[name], secret, former)
            found[name] = [_restore_row(fields[name], secret, row, known) for row in rows]
    return found


def _by_identity(
    one: FieldDefinition, secret: Collection[str], rows: list[Any]
) -> dict[Hashable, Mapping[str, Any] | None]:
    """Return rows by their identity, None for an identity that several rows share."""
    known: dict[Hashable, Mapping[str, Any] | None] = {}
    for row in rows:
        if isinstance(row, Mapping):
            key = _identity(one, secret, row)
            known[key] = None if key in known else row
    return known


def _restore_row(
    one: FieldDefinition,
    secret: Collection[str],
    row: Any,
    known: Mapping[Hashable, Mapping[str, Any] | None],
) -> Any:
    if not isinstance(row, Mapping):
        return row
    former = known.get(_identity(one, secret, row)) or {}
    kept = {name: former.get(name) for name in secret if row.get(name) == MASK}
    return dict(row) | {name: value for name, value in kept.items() if value is not None}


def _identity(one: FieldDefinition, secret: Collection[str], row: Mapping[str, Any]) -> Hashable:
    names = one.unique_by or tuple(inner.id for inner in one.fields if inner.id not in secret)
    return tuple(canonical(row.get(name)) for name in names)


def mask_errors(form: Form, values: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return an error for each password that is only stars: nobody meant to set that."""
    found = form.passwords.values_in(values)
    return tuple(
        FieldError(path, "stars", f"{_label(form, path)} {_ENTER_AGAIN}")
        for path, value in found.items()
        if value == MASK
    )


def _label(form: Form, path: str) -> str:
    name, _, inner = parse_field_path(path)
    outer = form.fields[name]
    return next((one.label for one in outer.fields if one.id == inner), outer.label)
