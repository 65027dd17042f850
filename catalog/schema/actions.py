"""JSON Schemas of action configurations as editors need them: templates stand for any value."""

from collections.abc import Mapping
from typing import Any

from catalog.action_outputs import DEPRECATED_KEYS
from catalog.forms.base import label_from_id

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEMPLATE = "#/$defs/Template"
TEMPLATE: dict[str, Any] = {
    "title": "Template",
    "description": "A text that becomes a value when a request is made, such as {{fields.size}}.",
    "type": "string",
    "pattern": r"\{\{|\{%",
    "examples": ["{{fields.size}}"],
}
# A text with any of these may be something else until it is rendered.
_NARROWING = frozenset({"enum", "const", "pattern", "format", "minLength", "maxLength"})
_MEMBERS = ("anyOf", "oneOf", "allOf")


def published_action_schema(name: str, config: Mapping[str, Any], summary: str) -> dict[str, Any]:
    """Return the schema of a type's configuration, in which templates may stand for values."""
    schema = with_templates(config)
    if former := DEPRECATED_KEYS.get(name):
        schema["properties"] = {**schema["properties"], **former}
    definitions = {**schema.pop("$defs", {}), "Template": TEMPLATE}
    head = {"$schema": _DIALECT, "$id": action_id(name), "title": name, "description": summary}
    return {
        **head,
        **{key: value for key, value in schema.items() if key not in head},
        "$defs": definitions,
    }


def action_id(name: str) -> str:
    """Return the ``$id`` of the schema of an action type's configuration."""
    return f"urn:pao:catalog:v1:action:{name}"


def with_templates(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Allow a template wherever the schema requires something other than any text."""
    found = dict(schema)
    for key in ("properties", "$defs"):
        if isinstance(found.get(key), Mapping):
            wrap = _definition if key == "$defs" else _property
            found[key] = {name: wrap(name, one) for name, one in found[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), Mapping):
            found[key] = _value(found[key])
    for key in _MEMBERS:
        if key in found:
            found[key] = [with_templates(one) for one in found[key]]
    return found


def _property(name: str, schema: Any) -> Any:
    found = _value(schema)
    named = isinstance(found, dict) and not found.keys() & {"title", "$ref"}
    return {"title": label_from_id(name), **found} if named else found


def _definition(_: str, schema: Any) -> Any:
    return with_templates(schema) if isinstance(schema, Mapping) else schema


def _value(schema: Any) -> Any:
    """Return the schema of a value for which a template may stand."""
    if not isinstance(schema, Mapping):
        return schema
    inner = with_templates(schema)
    if _takes_any_text(schema) or not schema:
        return inner
    annotations = {
        key: inner.pop(key) for key in ("title", "description", "examples") if key in inner
    }
    default = {"default": inner.pop("default")} if "default" in inner else {}
    return {**annotations, "anyOf": [inner, {"$ref": _TEMPLATE}], **default}


def _takes_any_text(schema: Mapping[str, Any]) -> bool:
    if schema.get("type") == "string":
        return not _NARROWING & schema.keys()
    untyped = not schema.keys() & {"type", "$ref", "enum", "const", *_MEMBERS}
    members = [one for key in ("anyOf", "oneOf") for one in schema.get(key, ())]
    return untyped or any(_takes_any_text(one) for one in members)
