"""A form for those who draw it: the web page, the CLI's prompts, a team's own portal."""

from typing import Any

from catalog.forms.checks import CONSTRAINTS, key_of
from catalog.forms.definition import (
    Condition,
    FieldDefinition,
    FieldType,
    FormDefinition,
    GroupDefinition,
)

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
}


def form_ui_schema(form: FormDefinition) -> dict[str, Any]:
    """Return layout, groups and fields, with labels, components, validation and conditions."""
    return {"layout": form.layout.value, "groups": [_group(group) for group in form.groups]}


def _group(group: GroupDefinition) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.label,
        "description": group.description,
        "collapsible": group.collapsible,
        "conditional": _condition(group.conditional),
        "fields": [_field(field) for field in group.fields],
    }


def _field(field: FieldDefinition) -> dict[str, Any]:
    secret = field.type is FieldType.PASSWORD
    drawn: dict[str, Any] = {
        "id": field.id,
        "name": field.label,
        "type": field.type.value,
        "component": COMPONENTS[field.type],
        "required": field.required,
        # A default of a password is a secret, however unwise it is to have one.
        "default": None if secret else field.default,
        "placeholder": field.placeholder,
        "description": field.description,
        "validation": _validation(field),
        "conditional": _condition(field.conditional),
    }
    if field.choices is not None:
        drawn["enum"] = [choice.model_dump() for choice in field.choices]
    return drawn


def _validation(field: FieldDefinition) -> dict[str, Any]:
    names = [name for name in (*CONSTRAINTS[field.type], "message") if name != "enum"]
    given = field.validation.model_dump(mode="json")
    return {key_of(name): given[name] for name in names if given[name] is not None}


def _condition(condition: Condition | None) -> dict[str, Any] | None:
    if condition is None:
        return None
    return condition.model_dump(mode="json", by_alias=True, exclude_unset=True)
