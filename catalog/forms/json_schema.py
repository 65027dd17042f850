"""A form as a JSON Schema (draft 2020-12), for programs that check values before they send them.

It accepts what the validator accepts, where absent values are left out instead of null. What JSON
Schema has no words for is left to the validator and named in ``x-pao-*``: bounds of dates and
times, sizes of files, conditions that compare dates, and what depends on others by an expression.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import re2

from catalog.forms.checks import is_blank
from catalog.forms.conditions import holds_for, references
from catalog.forms.definition import (
    MOST_ROWS,
    Condition,
    FieldDefinition,
    FieldType,
    FormDefinition,
    Operator,
)
from catalog.forms.graph import CONDITIONS, dependency_order
from catalog.forms.text_formats import comparable
from catalog.forms.type_schemas import TYPES, Schema, json_field, unless_blank
from catalog.forms.values import is_number, parse_date

_ConditionalField = tuple[FieldDefinition, tuple[Condition, ...]]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _InexpressibleError(Exception):
    """JSON Schema has no words for this condition."""


def form_json_schema(form: FormDefinition) -> dict[str, Any]:
    """Return the schema of a form's values."""
    definitions: dict[str, Schema] = {}
    fields = [
        (field, tuple(filter(None, (group.conditional, field.conditional))))
        for group in form.groups
        for field in group.fields
    ]
    schema = {"$schema": _DIALECT, **_object(fields, definitions)}
    if definitions:
        schema["$defs"] = definitions
    if form.rules:
        schema["x-pao-rules"] = [
            rule.model_dump(mode="json", by_alias=True, exclude_none=True) for rule in form.rules
        ]
    return schema


def _object(
    fields: Sequence[_ConditionalField], definitions: dict[str, Schema], prefix: str = ""
) -> dict[str, Any]:
    """Return the schema of fields that are filled in together: a form, or a row of a list."""
    conditional = _ConditionSchemas(fields, definitions, prefix)
    rules = list(conditional.rules())
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            field.id: _with_conditions(
                _field_schema(field, definitions), conditional.inexpressible.get(field.id)
            )
            for field, _ in fields
        },
        "required": [
            field.id for field, conditions in fields if _needs_value(field) and not conditions
        ],
        "additionalProperties": False,
    }
    if rules:
        schema["allOf"] = rules
    return schema


def _with_conditions(schema: Schema, conditions: list[Any] | None) -> Schema:
    """Add the conditions of a field that JSON Schema has no words for."""
    if conditions is None or isinstance(schema, bool):
        return schema
    whole = conditions[0] if len(conditions) == 1 else {"all": conditions}
    return {**schema, "x-pao-conditional": whole}


def _needs_value(field: FieldDefinition) -> bool:
    if not field.is_always_required:
        return False
    return field.default is None or is_blank(field, field.default)


class _ConditionSchemas:
    """Writes conditions as schemas of the whole object; one definition says when a field shows.

    ``inexpressible`` are those that no schema can express, by field.
    """

    def __init__(
        self, fields: Sequence[_ConditionalField], definitions: dict[str, Schema], prefix: str
    ) -> None:
        self._fields = {field.id: field for field, _ in fields}
        self._conditions = {field.id: conditions for field, conditions in fields}
        self._prefix = prefix
        self.definitions = definitions
        self.inexpressible: dict[str, list[Any]] = {}
        self._define()

    def _define(self) -> None:
        """Define when each field is shown, in the order of dependencies: a chain may be long."""
        graph = {
            name: {other for one in conditions for _, other in references(one)}
            for name, conditions in self._conditions.items()
        }
        for name in dependency_order(graph, CONDITIONS):
            try:
                self._visibility(name)
            except _InexpressibleError:
                self.inexpressible[name] = [
                    one.model_dump(mode="json", by_alias=True, exclude_unset=True)
                    for one in self._conditions[name]
                ]

    def rules(self) -> Iterable[dict[str, Any]]:
        """Return one rule per conditional field: hidden means absent, shown may mean required."""
        for field in self._fields.values():
            if not self._conditions[field.id] or field.id in self.inexpressible:
                continue
            rule: dict[str, Any] = {
                "if": self._visibility(field.id),
                "else": {"properties": {field.id: False}},
            }
            if _needs_value(field):
                rule["then"] = {"required": [field.id]}
            yield rule

    def _visibility(self, field_id: str) -> Schema:
        if not self._conditions.get(field_id):
            return True
        if field_id in self.inexpressible:
            raise _InexpressibleError
        name = f"{self._prefix}shown.{field_id}"
        if name not in self.definitions:
            parts = [self._schema(condition) for condition in self._conditions[field_id]]
            self.definitions[name] = _all_of(parts)
        return {"$ref": f"#/$defs/{name}"}

    def _schema(self, condition: Condition) -> Schema:
        if condition.all is not None:
            return _all_of([self._schema(part) for part in condition.all])
        if condition.any is not None:
            return _any_of([self._schema(part) for part in condition.any])
        if condition.negated is not None:
            return {"not": self._schema(condition.negated)}
        field = self._fields.get(condition.depends_on or "")
        if field is None:
            # A row is validated alone: it does not see the form around it.
            raise _InexpressibleError
        return self._field_condition(condition, field)

    def _field_condition(self, condition: Condition, field: FieldDefinition) -> Schema:
        sent = _value_schema(condition, field)
        present: Schema = {"required": [field.id], "properties": {field.id: sent}}
        absent: Schema = {"not": {"required": [field.id]}}
        return _any_of([present, _all_of([absent, self._absence_condition(condition, field)])])

    def _absence_condition(self, condition: Condition, field: FieldDefinition) -> Schema:
        """Return when the condition holds although nothing was sent: by default or by absence."""
        by_absence = holds_for(condition, None)
        if field.default is None:
            return by_absence
        if field.template is not None:
            raise _InexpressibleError
        if field.type is FieldType.DATE and not parse_date(field.default):
            raise _InexpressibleError
        by_default = holds_for(condition, field.default)
        if by_default == by_absence:
            return by_absence
        shown = self._visibility(field.id)
        return shown if by_default else {"not": shown}


def _all_of(parts: list[Schema]) -> Schema:
    if False in parts:
        return False
    rest = [part for part in parts if part is not True]
    return {"allOf": rest} if len(rest) > 1 else rest[0] if rest else True


def _any_of(parts: list[Schema]) -> Schema:
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
            return _comparison(operator, wanted, field)


def _contains(wanted: Any) -> Schema:
    item: Schema = {"type": "array", "contains": {"const": wanted}}
    if not isinstance(wanted, str):
        return item
    return {"anyOf": [item, {"type": "string", "pattern": re2.escape(wanted)}]}


def _comparison(operator: Operator | None, wanted: Any, field: FieldDefinition) -> Schema:
    if operator is Operator.CONTAINS:
        return _contains(wanted)
    if is_number(wanted):
        key = "exclusiveMinimum" if operator is Operator.GREATER_THAN else "exclusiveMaximum"
        return {"type": "number", key: wanted}
    # Two texts that have an order can be compared, whatever the field's type; numbers are none.
    never = field.type in {FieldType.NUMBER, FieldType.INTEGER, FieldType.BOOLEAN}
    if never or not comparable(wanted):
        return False
    raise _InexpressibleError


def _field_schema(field: FieldDefinition, definitions: dict[str, Schema]) -> Schema:
    schema: dict[str, Any] = {"title": field.label}
    if field.description:
        schema["description"] = field.description
    if field.plain_default is not None and not _hides_default(field):
        schema["default"] = field.default
    if field.read_only:
        schema["readOnly"] = True
    if field.template is not None:
        schema["x-pao-default"] = {"template": field.template}
    if field.required_when is not None:
        schema["x-pao-required"] = {"when": field.required_when}
    if field.options is not None:
        schema["x-pao-options"] = {"from": field.options.source}
    if field.type is FieldType.JSON:
        return json_field(field, schema)
    if field.type is FieldType.LIST:
        return schema | _rows(field, definitions)
    return schema | TYPES[field.type](field)


def _hides_default(field: FieldDefinition) -> bool:
    relative = field.type is FieldType.DATE and not parse_date(field.default)
    return relative or field.type is FieldType.PASSWORD


def _rows(field: FieldDefinition, definitions: dict[str, Schema]) -> dict[str, Any]:
    inner = [(one, (one.conditional,) if one.conditional else ()) for one in field.fields]
    limits: dict[str, Any] = {
        "minItems": field.constraint("min_items"),
        "maxItems": field.constraint("max_items"),
    }
    limits = {key: value for key, value in limits.items() if value is not None}
    limits["items"] = _object(inner, definitions, f"{field.id}.")
    schema = {"type": "array", "maxItems": MOST_ROWS, **unless_blank(field, limits)}
    if field.unique_by:
        schema["x-pao-unique-by"] = list(field.unique_by)
    return schema
