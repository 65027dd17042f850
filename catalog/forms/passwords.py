"""Which fields of a form are passwords."""

from collections.abc import Iterable

from catalog.forms.definition import FieldDefinition, FieldType
from pao.core.passwords import PasswordFields


def passwords_among(fields: Iterable[FieldDefinition]) -> PasswordFields:
    """Return which of these fields are passwords, those in the rows of lists as well."""
    form = tuple(fields)
    rows = {one.id: _passwords(one.fields) for one in form}
    return PasswordFields(_passwords(form), {name: inner for name, inner in rows.items() if inner})


def _passwords(fields: Iterable[FieldDefinition]) -> frozenset[str]:
    return frozenset(one.id for one in fields if one.type is FieldType.PASSWORD)
