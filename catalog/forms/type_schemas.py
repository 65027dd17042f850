"""What each field type says in JSON Schema: its type and its constraints."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import re2

from catalog.forms.checks import EMPTY_TEXT_TYPES
from catalog.forms.constraint_checks import STRENGTHS
from catalog.forms.definition import FieldDefinition, FieldType
from catalog.forms.text_formats import (
    DURATION_PATTERN,
    MAX_NAME,
    MAX_URL,
    MOMENT_PATTERN,
    NAME_PATTERN,
    TIME_PATTERN,
    URL_END,
    URL_PATTERN,
)
from catalog.forms.values import EMAIL_PATTERN, MAX_EMAIL

Schema = dict[str, Any] | bool

_SCALARS = ["string", "number", "boolean"]

_KINDS = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
_MEDIA_NAME = "[A-Za-z0-9!#$&^_.+-]+"
_PARAMETERS = "(;[^;,]+)*"
_PAYLOAD = "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


def _text(field: FieldDefinition) -> dict[str, Any]:
    given = field.validation
    limits: dict[str, Any] = {
        "minLength": given.min_length,
        "maxLength": given.max_length,
        "pattern": given.pattern,
    }
    limits = {key: value for key, value in limits.items() if value is not None}
    if field.type is FieldType.PASSWORD and given.strength:
        limits |= _strength(*STRENGTHS[given.strength], limits)
    return {"type": "string", **unless_blank(field, limits)}


def _strength(characters: int, kinds: int, limits: dict[str, Any]) -> dict[str, Any]:
    if not kinds:
        return {}
    choices = [
        {"allOf": [{"pattern": kind} for kind in chosen]} for chosen in combinations(_KINDS, kinds)
    ]
    return {"minLength": max(characters, limits.get("minLength", 0)), "anyOf": choices}


def unless_blank(field: FieldDefinition, limits: dict[str, Any]) -> dict[str, Any]:
    """Allow "" and [] in an optional field, and refuse them in a required one."""
    text = field.type in EMPTY_TEXT_TYPES
    least, most = ("minLength", "maxLength") if text else ("minItems", "maxItems")
    if field.is_always_required:
        return {**limits, least: max(1, limits.get(least, 0))}
    return {"anyOf": [{most: 0}, limits]} if limits else {}


def _email(field: FieldDefinition) -> dict[str, Any]:
    limits = {"format": "email", "pattern": EMAIL_PATTERN, "maxLength": MAX_EMAIL}
    return {"type": "string", **unless_blank(field, limits)}


def _number(field: FieldDefinition) -> dict[str, Any]:
    given = field.validation
    limits = {"minimum": given.min, "maximum": given.max, "multipleOf": given.step}
    return {
        "type": field.type.value,
        **{key: value for key, value in limits.items() if value is not None},
    }


def _select(field: FieldDefinition) -> dict[str, Any]:
    if field.options is not None:
        return {"type": _SCALARS}
    return {"enum": [choice.value for choice in field.choices or ()]}


def _multiselect(field: FieldDefinition) -> dict[str, Any]:
    given = field.validation
    values = [choice.value for choice in field.choices or ()]
    items: Schema = {"enum": values}
    if field.choices is None:
        items = _free_text(field) if field.options is None else {"type": _SCALARS}
    limits: dict[str, Any] = {"minItems": given.min_items, "maxItems": given.max_items}
    limits = {key: value for key, value in limits.items() if value is not None}
    return {
        "type": "array",
        "items": items,
        "uniqueItems": True,
        **unless_blank(field, limits),
    }


def _free_text(field: FieldDefinition) -> dict[str, Any]:
    given = field.items.model_dump(by_alias=True, exclude_none=True) if field.items else {}
    return {"type": "string", **given}


def _boolean(field: FieldDefinition) -> dict[str, Any]:
    wanted = {} if field.must_be is None else {"const": field.must_be}
    return {"type": "boolean", **wanted}


def _pattern_schema(pattern: str, **more: Any) -> Callable[[FieldDefinition], dict[str, Any]]:
    """Return the schema of text in a format; "" does not match it."""
    return lambda field: {"type": "string", "pattern": pattern, **more, **_bounds(field)}


def _bounds(field: FieldDefinition) -> dict[str, Any]:
    """Return bounds for which JSON Schema has no words: of days, moments, times and lengths."""
    given = {"x-pao-min": field.validation.min, "x-pao-max": field.validation.max}
    return {key: value for key, value in given.items() if value is not None}


def _url(field: FieldDefinition) -> dict[str, Any]:
    pattern = URL_PATTERN
    if field.validation.hosts is not None:
        hosts = "|".join(_host_pattern(host) for host in field.validation.hosts)
        pattern = f"^https?://({hosts}){URL_END}"
    limits = {"format": "uri", "pattern": pattern, "maxLength": MAX_URL}
    return {"type": "string", **unless_blank(field, limits)}


def _host_pattern(host: str) -> str:
    if host.startswith("*."):
        return rf"[A-Za-z0-9_.-]+\.{_any_case(host[2:])}"
    return _any_case(host)


def _any_case(text: str) -> str:
    return "".join(
        f"[{letter.lower()}{letter.upper()}]" if letter.isalpha() else re2.escape(letter)
        for letter in text
    )


def _name(field: FieldDefinition) -> dict[str, Any]:
    limits = {"pattern": NAME_PATTERN, "maxLength": MAX_NAME}
    return {"type": "string", f"x-pao-{field.type}": True, **unless_blank(field, limits)}


def _file(field: FieldDefinition) -> dict[str, Any]:
    types = field.validation.types or ("*/*",)
    names = "|".join("/".join(map(_media_name, name.split("/"))) for name in types)
    pattern = f"^data:({names}){_PARAMETERS};base64,{_PAYLOAD}$"
    size = field.validation.max_size
    return {
        "type": "string",
        "pattern": pattern,
        **({"x-pao-max-size": size} if size is not None else {}),
    }


def _media_name(wanted: str) -> str:
    """Return the pattern of one half of a media type, in which case does not matter."""
    if wanted == "*":
        return _MEDIA_NAME
    return _any_case(wanted)


def json_field(field: FieldDefinition, schema: dict[str, Any]) -> Schema:
    """Return the author's own schema of a json field, with title and description."""
    own = field.validation.json_schema
    if isinstance(own, bool):
        return schema if own else {**schema, "not": {}}
    # An id of its own keeps references such as #/$defs/x inside the author's schema.
    return {"$id": f"urn:pao:field:{field.id}", **schema, **own} if own else schema


TYPES: dict[FieldType, Callable[[FieldDefinition], dict[str, Any]]] = {
    **dict.fromkeys((FieldType.STRING, FieldType.TEXTAREA), _text),
    FieldType.PASSWORD: lambda field: {**_text(field), "writeOnly": True},
    FieldType.EMAIL: _email,
    FieldType.NUMBER: _number,
    FieldType.INTEGER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.SELECT: _select,
    FieldType.MULTISELECT: _multiselect,
    FieldType.DATE: lambda field: {"type": "string", "format": "date", **_bounds(field)},
    FieldType.FILE: _file,
    FieldType.DATETIME: _pattern_schema(MOMENT_PATTERN, format="date-time"),
    FieldType.TIME: _pattern_schema(TIME_PATTERN),
    FieldType.DURATION: _pattern_schema(DURATION_PATTERN),
    FieldType.URL: _url,
    FieldType.USER: _name,
    FieldType.TEAM: _name,
}
