"""The parts of an item's document that packages below the catalog use: plain data."""

from typing import Any


def names_only(definition: dict[str, Any]) -> dict[str, Any]:
    """Return what templates can see of an item's document: its metadata and the fields' names.

    It is still a document, but much smaller than one with its rules, texts and actions.
    """
    form = (definition.get("presentation") or {}).get("form") or {}
    groups = [
        {"id": group.get("id"), "fields": [_name(field) for field in group.get("fields") or []]}
        for group in form.get("groups") or []
    ]
    keys = ("schemaVersion", "kind", "metadata", "components")
    document: dict[str, Any] = {key: definition[key] for key in keys if key in definition}
    return {**document, "presentation": {"form": {"groups": groups}}}


def _name(field: dict[str, Any]) -> dict[str, Any]:
    named = {"id": field.get("id"), "type": field.get("type")}
    rows = field.get("fields")
    return {**named, "fields": [_name(inner) for inner in rows]} if rows else named
