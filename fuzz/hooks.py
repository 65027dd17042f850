"""What Schemathesis loads: our signature and checks, and bodies that fit the catalog's forms."""

import json
from typing import Any

import schemathesis
from schemathesis import HookContext

from fuzz import checks
from fuzz.ground import forms
from fuzz.people import FuzzTarget, Signature

__all__ = ["checks", "offer_forms"]

PLACE = FuzzTarget.from_environment()
SUBMISSION = "#/components/schemas/Submission"
METADATA = "#/components/schemas/SubmissionMetadata"

# Its type does not tell of this documented way to sign.
schemathesis.auth.set_from_requests(  # type: ignore[attr-defined]
    Signature(PLACE)
)


@schemathesis.hook("before_load_schema")
def offer_forms(_: HookContext, document: dict[str, Any]) -> None:
    """Let a submission also be what an item's form asks for, or few would get past their fields."""
    named = document["components"]["schemas"]
    fitting = [_submission(item, _within(named, item, schema)) for item, schema in forms(PLACE)]
    for path in checks.SUBMITTING:
        media = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        media["schema"] = {"anyOf": [{"$ref": SUBMISSION}, *fitting]}


def _within(named: dict[str, Any], item: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a form's schema as a part of the document, whose ``named`` schemas get its own.

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
