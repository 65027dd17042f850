"""A form for those who draw it: the web page, the CLI's prompts, a team's own portal."""

from collections.abc import Callable, Mapping
from typing import Any

from catalog.forms.base import Model
from catalog.forms.checks import CONSTRAINTS, key_of
from catalog.forms.definition import (
    Condition,
    Constraints,
    FieldDefinition,
    FieldType,
    FormDefinition,
    GroupDefinition,
)
from catalog.forms.options import describe_options, parse_options

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
    schema: dict[str, Any] = {
        "layout": form.layout.value,
        "groups": [_group(group, depends_on) for group in form.groups],
    }
    if form.rules:
        schema["rules"] = [_dump(rule) for rule in form.rules]
    return schema


def _group(group: GroupDefinition, depends_on: DependsOn) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.label,
        "description": group.description,
        "collapsible": group.collapsible,
        "conditional": _condition(group.conditional),
        "fields": [_field(field, field.id, depends_on) for field in group.fields],
    }


def _field(field: FieldDefinition, path: str, depends_on: DependsOn) -> dict[str, Any]:
    secret = field.type is FieldType.PASSWORD
    schema: dict[str, Any] = {
        "id": field.id,
        "name": field.label,
        "type": field.type.value,
        "component": COMPONENTS[field.type],
        "required": field.is_always_required,
        # A default of a password is a secret, however unwise it is to have one.
        "default": None if secret else field.plain_default,
        "placeholder": field.placeholder,
        "description": field.description,
        "validation": field_validation(field),
        "conditional": _condition(field.conditional),
    }
    if field.choices is not None:
        schema["enum"] = [choice.model_dump() for choice in field.choices]
    return schema | _extras(field, path, depends_on)


def _extras(field: FieldDefinition, path: str, depends_on: DependsOn) -> dict[str, Any]:
    """Return what only some fields have; of options never an address or a credential."""
    extras = {
        "options": describe_options(field.options, list(depends_on(path) or ()))
        if field.options
        else None,
        "requiredWhen": field.required_when,
        "defaultTemplate": field.template,
        "readOnly": field.read_only or None,
        "mustBe": field.must_be,
        "items": _dump(field.items) if field.items else None,
        "fields": [_field(one, f"{path}.{one.id}", depends_on) for one in field.fields] or None,
        "uniqueBy": list(field.unique_by) or None,
    }
    return {key: value for key, value in extras.items() if value is not None}


def _dump(model: Model) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def field_validation(field: FieldDefinition) -> dict[str, Any]:
    """Return the constraints of a field that apply to its type, by their keys in documents."""
    names = [name for name in (*CONSTRAINTS[field.type], "message") if name != "enum"]
    given = field.validation.model_dump(mode="json")
    given |= {name: field.constraint(name) for name in ("min_items", "max_items")}
    return {key_of(name): given[name] for name in names if given[name] is not None}


def _condition(condition: Condition | None) -> dict[str, Any] | None:
    if condition is None:
        return None
    return condition.model_dump(mode="json", by_alias=True, exclude_unset=True)


def read_ui_schema(schema: Mapping[str, Any]) -> FormDefinition:
    """Return the form that ``form_ui_schema`` drew, without the defaults of passwords.

    The service may be newer than its reader: keys that are unknown here are passed over, and a
    field of an unknown type is a text. Raises pydantic's ``ValidationError`` for anything else.
    """
    groups = [
        {
            **_known_keys(GroupDefinition, group),
            "fields": [_read_field(field) for field in group.get("fields") or ()],
        }
        for group in schema.get("groups") or ()
    ]
    return FormDefinition.model_validate({**_known_keys(FormDefinition, schema), "groups": groups})


def _read_field(schema: Mapping[str, Any]) -> dict[str, Any]:
    field = _known_keys(FieldDefinition, schema)
    if field.get("type") not in set(FieldType):
        field["type"] = FieldType.STRING
    if (when := schema.get("requiredWhen")) is not None and not field.get("required"):
        field["required"] = {"when": when}
    if (template := schema.get("defaultTemplate")) is not None:
        field["default"] = {"template": template}
    if schema.get("options"):
        field["options"] = parse_options(schema["options"])
    return {
        **field,
        "validation": _known_keys(Constraints, schema.get("validation") or {}),
        "fields": [_read_field(inner) for inner in schema.get("fields") or ()],
    }


def _known_keys(model: type[Model], schema: Mapping[str, Any]) -> dict[str, Any]:
    keys = {info.alias or name for name, info in model.model_fields.items()}
    return {key: schema[key] for key in keys if schema.get(key) is not None}
