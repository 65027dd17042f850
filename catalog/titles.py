"""What a request is called: its item's title with the request's values, in one short line. Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catalog.forms import FieldType
from catalog.forms.definition import FieldDefinition
from catalog.model import CatalogDocument
from catalog.scopes import ScopeContext, build_scopes, names_for
from catalog.templating import TemplateError, render
from pao.core.answers import shorten
from pao.core.payloads.context import RequestContext

MOST_CHARACTERS = 120
READABLE_SCOPES = frozenset({"fields", "metadata", "request"})
"""What a title may read: it is made before anything runs, and everybody reads it."""
_HIDDEN = frozenset({FieldType.PASSWORD, FieldType.FILE})
_NAMING = frozenset(FieldType) - _HIDDEN - {FieldType.BOOLEAN, FieldType.JSON, FieldType.LIST}


def is_hidden(field: FieldDefinition) -> bool:
    """Return whether no title shows a field: a secret, or a file, or rows with one."""
    return field.type in _HIDDEN or any(map(is_hidden, field.fields))


def title_of(item: CatalogDocument, context: RequestContext) -> str:
    """Return the title of a request: the item's own, else its first required value, else its name.

    A title that cannot be rendered, or says nothing, never keeps a request from being made.
    """
    shown = {field.id for field in item.fields if not is_hidden(field)}
    values = {name: value for name, value in context.fields.items() if name in shown}
    own = _one_line(_render(item, replace(context, fields=values)))
    return own or _one_line(_naming_value(item, values)) or _one_line(item.name) or item.id


def _render(item: CatalogDocument, context: RequestContext) -> str:
    if not item.metadata.title:
        return ""
    scopes = build_scopes(
        context,
        ScopeContext(),
        form=item.fields,
        secrets={},
        outputs={},
    )
    try:
        found = render(item.metadata.title, scopes, names_for(item, None), reveal=False)
    except TemplateError:
        return ""
    return "" if found is None else str(found)


def _naming_value(item: CatalogDocument, values: Mapping[str, Any]) -> str:
    """Return the first value that had to be given, as the form shows it."""
    for field in item.fields:
        value = values.get(field.id)
        if field.is_always_required and field.type in _NAMING and value not in (None, "", []):
            parts = value if isinstance(value, list) else [value]
            return ", ".join(_label(field, part) for part in parts)
    return ""


def _label(field: FieldDefinition, value: Any) -> str:
    labels = (one.label for one in field.choices or () if one.value == value)
    return next(labels, str(value))


def _one_line(text: str) -> str:
    """Return a text on one line, without what controls how others are shown, and bounded."""
    plain = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or not unicodedata.category(character).startswith("C")
    )
    return shorten(" ".join(plain.split()), MOST_CHARACTERS)
