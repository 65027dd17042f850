"""The published JSON Schemas of catalog documents, generated from the models they describe.

``python -m catalog.schema`` writes them anew; a test fails where file and model differ.
"""

import json
from pathlib import Path
from typing import Any

from catalog.model import CatalogItem

ITEM_FILE = Path(__file__).parent / "catalog-item.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = "urn:pao:catalog:v1:catalog-item"


def item_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a CatalogItem document, for editors and linters."""
    generated = CatalogItem.model_json_schema(by_alias=True)
    schema = {"$schema": _DIALECT, "$id": _ID, **generated}
    schema["required"] = [*generated["required"], "fulfillment"]
    schema["$defs"]["Fulfillment"]["required"] = ["manual"]
    schema["$defs"]["Manual"]["required"] = ["actions"]
    return schema


def written(schema: dict[str, Any]) -> str:
    """Give a schema as it stands in its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
