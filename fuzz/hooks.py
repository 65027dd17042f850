"""What Schemathesis loads: our signature and checks, and bodies that fit the catalog's forms."""

import json
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import HookContext

import catalog.schema
from fuzz import checks
from fuzz.ground import forms
from fuzz.people import Place, Signature

__all__ = ["checks", "offer_forms"]

PLACE = Place.from_environment()
SUBMISSION = "#/components/schemas/Submission"
METADATA = "#/components/schemas/SubmissionMetadata"
# For one operation and type of body: there are a thousand bounds in it to be tried.
JUDGED = "/api/v1/validate/catalog-item"
PUBLISHED = Path(catalog.schema.__file__).with_name("catalog-item.json")

# Its type does not tell of this documented way to sign.
schemathesis.auth.set_from_requests(  # type: ignore[attr-defined]
    Signature(PLACE)
)


@schemathesis.hook("before_load_schema")
def offer_forms(_: HookContext, document: dict[str, Any]) -> None:
    """Let a submission be what an item's form asks for, too, and a document what is published."""
    named = document["components"]["schemas"]
    fitting = [_submission(item, _within(named, item, schema)) for item, schema in forms(PLACE)]
    for path in checks.SUBMITTING:
        media = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        media["schema"] = {"anyOf": [{"$ref": SUBMISSION}, *fitting]}
    judged = document["paths"][JUDGED]["post"]["requestBody"]["content"]["application/json"]
    judged["schema"] = {"anyOf": [judged["schema"], _within(named, PUBLISHED.stem, _published())]}


def _published() -> dict[str, Any]:
    """Give what a catalog item may be, or random ones would not get past their first key."""
    schema: dict[str, Any] = json.loads(PUBLISHED.read_text())
    return schema


def _within(named: dict[str, Any], item: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Give a form's schema as a part of the document, among whose ``named`` ones its own are put.

    In a part of a document a reference to the root no longer means the part.
    """
    own, there = '"#/$defs/', f'"#/components/schemas/{item}.'
    moved: dict[str, Any] = json.loads(json.dumps(schema).replace(own, there))
    named.update({f"{item}.{name}": part for name, part in moved.pop("$defs", {}).items()})
    return {key: value for key, value in moved.items() if key not in {"$schema", "$id"}}


def _submission(item: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["catalogItemId", "fields"],
        "additionalProperties": False,
        "properties": {
            "catalogItemId": {"const": item},
            "fields": fields,
            "metadata": {"$ref": METADATA},
        },
    }
