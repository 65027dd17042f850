"""A form as a JSON Schema (draft 2020-12), for programs that check values before they send them.

It accepts what the validator accepts, where absent values are left out instead of null. What JSON
Schema has no words for is left to the validator: bounds of dates, sizes of files, and conditions
that compare dates.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Any

import re2

from catalog.forms.checks import EMPTY_TEXT_TYPES, is_blank
from catalog.forms.conditions import holds_for
from catalog.forms.constraint_checks import STRENGTHS
from catalog.forms.definition import (
    Condition,
    FieldDefinition,
    FieldType,
    FormDefinition,
    Operator,
)
from catalog.forms.values import EMAIL_PATTERN, MAX_EMAIL, is_number, parse_date

Schema = dict[str, Any] | bool

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KINDS = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
_MEDIA_NAME = "[A-Za-z0-9!#$&^_.+-]+"
_PARAMETERS = "(;[^;,]+)*"
_PAYLOAD = "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


class _InexpressibleError(Exception):
    """JSON Schema has no words for this condition."""


def form_json_schema(form: FormDefinition) -> dict[str, Any]:
    """Return the schema of a form's values."""
    conditional = _Conditional(form)
    schema: dict[str, Any] = {
        "$schema": _DIALECT,
        "type": "object",
        "properties": {field.id: _field_schema(field) for field in form.fields},
        "required": [
            field.id
            for field in form.fields
            if _needs_value(field) and not conditional.conditions(field)
        ],
        "additionalProperties": False,
    }
    rules = list(conditional.rules())
    if rules:
        schema["allOf"] = rules
        schema["$defs"] = conditional.definitions
    return schema


def _needs_value(field: FieldDefinition) -> bool:
    return field.required and (field.default is None or is_blank(field, field.default))


class _Conditional:
    """Writes conditions as schemas of the whole object; one definition says when a field shows."""

    def __init__(self, form: FormDefinition) -> None:
        self._fields = {field.id: field for field in form.fields}
        self._conditions = {
            field.id: tuple(filter(None, (group.conditional, field.conditional)))
            for group in form.groups
            for field in group.fields
        }
        self.definitions: dict[str, Schema] = {}

    def conditions(self, field: FieldDefinition) -> tuple[Condition, ...]:
        """Return the conditions that all must hold for a field to be shown."""
        return self._conditions[field.id]

    def rules(self) -> Iterable[dict[str, Any]]:
        """Return one rule per conditional field: hidden means absent, shown may mean required."""
        for field in self._fields.values():
            if not self.conditions(field):
                continue
            try:
                shown = self._shown(field.id)
            except _InexpressibleError:
                continue
            rule: dict[str, Any] = {"if": shown, "else": {"properties": {field.id: False}}}
            if _needs_value(field):
                rule["then"] = {"required": [field.id]}
            yield rule

    def _shown(self, field_id: str) -> Schema:
        if not self._conditions.get(field_id):
            return True
        name = f"shown.{field_id}"
        if name not in self.definitions:
            parts = [self._schema(condition) for condition in self._conditions[field_id]]
            self.definitions[name] = _every(parts)
        return {"$ref": f"#/$defs/{name}"}

    def _schema(self, condition: Condition) -> Schema:
        if condition.all is not None:
            return _every([self._schema(part) for part in condition.all])
        if condition.any is not None:
            return _some([self._schema(part) for part in condition.any])
        if condition.negated is not None:
            return {"not": self._schema(condition.negated)}
        return self._about(condition, self._fields[condition.depends_on or ""])

    def _about(self, condition: Condition, field: FieldDefinition) -> Schema:
        sent = _value_schema(condition, field)
        present: Schema = {"required": [field.id], "properties": {field.id: sent}}
        absent: Schema = {"not": {"required": [field.id]}}
        return _some([present, _every([absent, self._without(condition, field)])])

    def _without(self, condition: Condition, field: FieldDefinition) -> Schema:
        """Return when the condition holds although nothing was sent: by default or by absence."""
        by_absence = holds_for(condition, None)
        if field.default is None:
            return by_absence
        if field.type is FieldType.DATE and not parse_date(field.default):
            raise _InexpressibleError
        by_default = holds_for(condition, field.default)
        if by_default == by_absence:
            return by_absence
        shown = self._shown(field.id)
        return shown if by_default else {"not": shown}


def _every(parts: list[Schema]) -> Schema:
    if False in parts:
        return False
    rest = [part for part in parts if part is not True]
    return {"allOf": rest} if len(rest) > 1 else rest[0] if rest else True


def _some(parts: list[Schema]) -> Schema:
    if True in parts:
        return True
    rest = [part for part in parts if part is not False]
    return {"anyOf": rest} if len(rest) > 1 else rest[0] if rest else False


def _value_schema(condition: Condition, field: FieldDefinition) -> Schema:
    wanted = condition.value
    listed = isinstance(wanted, list)
    match condition.condition:
        case Operator.EXISTS:
            return wanted is not False
        case Operator.EQUALS:
            return {"const": wanted}
        case Operator.NOT_EQUALS:
            return {"not": {"const": wanted}}
        case Operator.IN:
            return {"enum": wanted} if listed else False
        case Operator.NOT_IN:
            return {"not": {"enum": wanted}} if listed else False
        case operator:
            return _compared(operator, wanted, field)


def _contains(wanted: Any) -> Schema:
    item: Schema = {"type": "array", "contains": {"const": wanted}}
    if not isinstance(wanted, str):
        return item
    return {"anyOf": [item, {"type": "string", "pattern": re2.escape(wanted)}]}


def _compared(operator: Operator | None, wanted: Any, field: FieldDefinition) -> Schema:
    if operator is Operator.CONTAINS:
        return _contains(wanted)
    if is_number(wanted):
        key = "exclusiveMinimum" if operator is Operator.GREATER_THAN else "exclusiveMaximum"
        return {"type": "number", key: wanted}
    # Two texts that are dates can be compared, whatever the field's type; a number cannot be one.
    never = field.type in {FieldType.NUMBER, FieldType.INTEGER, FieldType.BOOLEAN}
    if never or not parse_date(wanted):
        return False
    raise _InexpressibleError


def _field_schema(field: FieldDefinition) -> Schema:
    schema: dict[str, Any] = {"title": field.label}
    if field.description:
        schema["description"] = field.description
    if field.default is not None and not _hides_default(field):
        schema["default"] = field.default
    if field.type is FieldType.JSON:
        return _json_field(field, schema)
    return schema | _TYPES[field.type](field)


def _hides_default(field: FieldDefinition) -> bool:
    relative = field.type is FieldType.DATE and not parse_date(field.default)
    return relative or field.type is FieldType.PASSWORD


def _json_field(field: FieldDefinition, schema: dict[str, Any]) -> Schema:
    own = field.validation.json_schema
    if isinstance(own, bool):
        return schema if own else {**schema, "not": {}}
    # An id of its own keeps references such as #/$defs/x inside the author's schema.
    return {"$id": f"urn:pao:field:{field.id}", **schema, **own} if own else schema


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
    return {"type": "string", **_unless_blank(field, limits)}


def _strength(characters: int, kinds: int, limits: dict[str, Any]) -> dict[str, Any]:
    if not kinds:
        return {}
    choices = [
        {"allOf": [{"pattern": kind} for kind in chosen]} for chosen in combinations(_KINDS, kinds)
    ]
    return {"minLength": max(characters, limits.get("minLength", 0)), "anyOf": choices}


def _unless_blank(field: FieldDefinition, limits: dict[str, Any]) -> dict[str, Any]:
    """Allow "" and [] in an optional field, and refuse them in a required one."""
    text = field.type in EMPTY_TEXT_TYPES
    least, most = ("minLength", "maxLength") if text else ("minItems", "maxItems")
    if field.required:
        return {**limits, least: max(1, limits.get(least, 0))}
    return {"anyOf": [{most: 0}, limits]} if limits else {}


def _email(field: FieldDefinition) -> dict[str, Any]:
    limits = {"format": "email", "pattern": EMAIL_PATTERN, "maxLength": MAX_EMAIL}
    return {"type": "string", **_unless_blank(field, limits)}


def _number(field: FieldDefinition) -> dict[str, Any]:
    given = field.validation
    limits = {"minimum": given.min, "maximum": given.max, "multipleOf": given.step}
    return {
        "type": field.type.value,
        **{key: value for key, value in limits.items() if value is not None},
    }


def _multiselect(field: FieldDefinition) -> dict[str, Any]:
    given = field.validation
    values = [choice.value for choice in field.choices or ()]
    items: Schema = {"type": "string"} if field.choices is None else {"enum": values}
    limits: dict[str, Any] = {"minItems": given.min_items, "maxItems": given.max_items}
    limits = {key: value for key, value in limits.items() if value is not None}
    return {
        "type": "array",
        "items": items,
        "uniqueItems": True,
        **_unless_blank(field, limits),
    }


def _file(field: FieldDefinition) -> dict[str, Any]:
    types = field.validation.types or ("*/*",)
    names = "|".join("/".join(map(_media_name, name.split("/"))) for name in types)
    pattern = f"^data:({names}){_PARAMETERS};base64,{_PAYLOAD}$"
    return {"type": "string", "pattern": pattern}


def _media_name(wanted: str) -> str:
    """Return the pattern of one half of a media type, in which case does not matter."""
    if wanted == "*":
        return _MEDIA_NAME
    return "".join(
        f"[{letter.lower()}{letter.upper()}]" if letter.isalpha() else re2.escape(letter)
        for letter in wanted
    )


_TYPES = {
    **dict.fromkeys((FieldType.STRING, FieldType.TEXTAREA), _text),
    FieldType.PASSWORD: lambda field: {**_text(field), "writeOnly": True},
    FieldType.EMAIL: _email,
    FieldType.NUMBER: _number,
    FieldType.INTEGER: _number,
    FieldType.BOOLEAN: lambda _: {"type": "boolean"},
    FieldType.SELECT: lambda field: {"enum": [choice.value for choice in field.choices or ()]},
    FieldType.MULTISELECT: _multiselect,
    FieldType.DATE: lambda _: {"type": "string", "format": "date"},
    FieldType.FILE: _file,
}
