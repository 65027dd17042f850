"""The published JSON Schemas of catalog documents, generated from the models they describe.

``python -m catalog.schema`` writes them anew; a test fails where file and model differ.
"""

import json
from pathlib import Path
from typing import Any

from catalog.bundle import CatalogBundle
from catalog.model import CatalogDocument, CatalogItem

ITEM_FILE = Path(__file__).parent / "catalog-item.json"
BUNDLE_FILE = Path(__file__).parent / "catalog-bundle.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = "urn:pao:catalog:v1:"


def item_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a CatalogItem document, for editors and linters."""
    schema = _schema(CatalogItem, "catalog-item")
    schema["required"].append("fulfillment")
    schema["$defs"]["Fulfillment"]["required"] = ["manual"]
    schema["$defs"]["Manual"]["required"] = ["actions"]
    return schema


def bundle_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a CatalogBundle document, for editors and linters."""
    return _schema(CatalogBundle, "catalog-bundle")


def _schema(model: type[CatalogDocument], name: str) -> dict[str, Any]:
    return {"$schema": _DIALECT, "$id": _ID + name, **model.model_json_schema(by_alias=True)}


def written(schema: dict[str, Any]) -> str:
    """Give a schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
