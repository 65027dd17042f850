"""The published JSON Schemas of catalog documents, generated from the models they describe.

``make generate`` writes them again; a test fails where file and model differ.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.bundle import CatalogBundle
from catalog.lists import CatalogList
from catalog.model import CatalogDocument, CatalogItem
from catalog.schema.actions import published_action_schema

FOLDER = Path(__file__).parent
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = "urn:pao:catalog:v1:"


def published_schemas(
    actions: Mapping[str, tuple[Mapping[str, Any], str]],
) -> dict[str, dict[str, Any]]:
    """Return every published schema by its file below this folder.

    ``actions`` holds the JSON Schema of each action type's configuration and a sentence.
    """
    schemas = {
        name: published_action_schema(name, config, summary)
        for name, (config, summary) in sorted(actions.items())
    }
    return {
        "catalog-item.json": item_schema(schemas),
        "catalog-bundle.json": bundle_schema(schemas),
        "catalog-list.json": list_schema(),
        **{f"actions/{name}.json": schema for name, schema in schemas.items()},
    }


def item_schema(actions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a CatalogItem document, for editors and linters."""
    schema = _schema(CatalogItem, "catalog-item", actions)
    schema["required"].append("fulfillment")
    schema["$defs"]["Fulfillment"]["required"] = ["manual"]
    schema["$defs"]["Manual"]["required"] = ["actions"]
    return schema


def bundle_schema(actions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a CatalogBundle, for editors and linters."""
    return _schema(CatalogBundle, "catalog-bundle", actions)


def list_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a CatalogList, for editors and linters."""
    schema = CatalogList.model_json_schema(by_alias=True)
    for key in ("presentation", "fulfillment", "monitoring"):
        del schema["properties"][key]
    about = ("Metadata", "Owner", "Access", "Sla", "Cost")
    parts = (*about, "ListRow", "Lifecycle", "Deprecation", "Maintenance")
    schema["$defs"] = {name: schema["$defs"][name] for name in parts}
    _without_nulls(schema)
    return {"$schema": _DIALECT, "$id": _ID + "catalog-list", **schema}


def schema_text(schema: dict[str, Any]) -> str:
    """Return a schema as it is in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(
    model: type[CatalogDocument], name: str, actions: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    schema = {"$schema": _DIALECT, "$id": _ID + name, **model.model_json_schema(by_alias=True)}
    _without_nulls(schema)
    action = schema["$defs"]["Action"]
    # Other types may be added by the operator, so an unknown one is a matter of validation.
    action["properties"]["type"]["examples"] = sorted(actions) or ["jira-ticket"]
    action["allOf"] = [_config_condition(kind) for kind in actions]
    for kind, config in actions.items():
        schema["$defs"].update(_inline_definitions(kind, config))
    return schema


def _config_condition(kind: str) -> dict[str, Any]:
    config = {"properties": {"config": {"$ref": f"#/$defs/{kind}"}}}
    return {"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": config}


def _inline_definitions(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return an action's schema and its parts as definitions: editors load one file."""
    text = json.dumps(config).replace('"#/$defs/', f'"#/$defs/{kind}.')
    schema = json.loads(text)
    parts = {f"{kind}.{name}": part for name, part in schema.pop("$defs", {}).items()}
    schema.pop("$schema")
    schema.pop("$id")
    return {kind: schema, **parts}


def _without_nulls(schema: Any) -> None:
    """Remove empty defaults, which editors would offer."""
    if isinstance(schema, dict):
        if schema.get("default", ...) in (None, "", [], {}):
            schema.pop("default", None)
        for part in schema.values():
            _without_nulls(part)
    elif isinstance(schema, list):
        for part in schema:
            _without_nulls(part)
