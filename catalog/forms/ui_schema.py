"""A form for those who draw it: the web page, the CLI's prompts, a team's own portal."""

from collections.abc import Callable
from typing import Any

from catalog.forms.checks import CONSTRAINTS, key_of
from catalog.forms.definition import (
    Condition,
    FieldDefinition,
    FieldType,
    FormDefinition,
    FormRule,
    GroupDefinition,
    ItemConstraints,
)
from catalog.forms.options import shown

COMPONENTS: dict[FieldType, str] = {
    FieldType.STRING: "text-input",
    FieldType.NUMBER: "number-input",
    FieldType.INTEGER: "number-input",
    FieldType.BOOLEAN: "checkbox",
    FieldType.SELECT: "dropdown",
    FieldType.MULTISELECT: "multi-dropdown",
    FieldType.DATE: "date-picker",
    FieldType.TEXTAREA: "textarea",
    FieldType.PASSWORD: "password-input",
    FieldType.EMAIL: "email-input",
    FieldType.FILE: "file-upload",
    FieldType.JSON: "code-editor",
    FieldType.DATETIME: "datetime-picker",
    FieldType.TIME: "time-picker",
    FieldType.DURATION: "duration-input",
    FieldType.URL: "url-input",
    FieldType.USER: "user-picker",
    FieldType.TEAM: "team-picker",
    FieldType.LIST: "table",
}


DependsOn = Callable[[str], tuple[str, ...] | None]


def form_ui_schema(form: FormDefinition, depends_on: DependsOn) -> dict[str, Any]:
    """Return layout, groups and fields, with labels, components, validation and conditions.

    What only some forms have (rules, rows, computed defaults) is left out of the others.
    """
    drawn: dict[str, Any] = {
        "layout": form.layout.value,
        "groups": [_group(group, depends_on) for group in form.groups],
    }
    if form.rules:
        drawn["rules"] = [_rule(rule) for rule in form.rules]
    return drawn


def _rule(rule: FormRule) -> dict[str, Any]:
    return rule.model_dump(mode="json", by_alias=True, exclude_none=True)


def _group(group: GroupDefinition, depends_on: DependsOn) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.label,
        "description": group.description,
        "collapsible": group.collapsible,
        "conditional": _condition(group.conditional),
        "fields": [_field(field, field.id, depends_on) for field in group.fields],
    }


def _field(field: FieldDefinition, way: str, depends_on: DependsOn) -> dict[str, Any]:
    secret = field.type is FieldType.PASSWORD
    drawn: dict[str, Any] = {
        "id": field.id,
        "name": field.label,
        "type": field.type.value,
        "component": COMPONENTS[field.type],
        "required": field.is_always_required,
        # A default of a password is a secret, however unwise it is to have one.
        "default": None if secret else field.plain_default,
        "placeholder": field.placeholder,
        "description": field.description,
        "validation": _validation(field),
        "conditional": _condition(field.conditional),
    }
    if field.choices is not None:
        drawn["enum"] = [choice.model_dump() for choice in field.choices]
    return drawn | _extras(field, way, depends_on)


def _extras(field: FieldDefinition, way: str, depends_on: DependsOn) -> dict[str, Any]:
    """Return what only some fields have; of options never an address or a credential."""
    extras = {
        "options": shown(field.options, list(depends_on(way) or ())) if field.options else None,
        "requiredWhen": field.required_when,
        "defaultTemplate": field.template,
        "readOnly": field.read_only or None,
        "mustBe": field.must_be,
        "items": _given(field.items) if field.items else None,
        "fields": [_field(one, f"{way}.{one.id}", depends_on) for one in field.fields] or None,
        "uniqueBy": list(field.unique_by) or None,
    }
    return {key: value for key, value in extras.items() if value is not None}


def _given(items: ItemConstraints) -> dict[str, Any]:
    return items.model_dump(mode="json", by_alias=True, exclude_none=True)


def _validation(field: FieldDefinition) -> dict[str, Any]:
    names = [name for name in (*CONSTRAINTS[field.type], "message") if name != "enum"]
    given = field.validation.model_dump(mode="json")
    given |= {name: field.constraint(name) for name in ("min_items", "max_items")}
    return {key_of(name): given[name] for name in names if given[name] is not None}


def _condition(condition: Condition | None) -> dict[str, Any] | None:
    if condition is None:
        return None
    return condition.model_dump(mode="json", by_alias=True, exclude_unset=True)
