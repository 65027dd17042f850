"""Bodies that are a catalog document, in YAML or JSON: detection, limits, OpenAPI."""

import json
from typing import Any

from fastapi import Request

from api.bodies import unreadable_body

YAML_TYPES = frozenset(
    {"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/plain"}
)
JSON_TYPES = frozenset({"application/json", "text/json"})

EXAMPLE: dict[str, Any] = {
    "schemaVersion": "catalog/v1",
    "kind": "CatalogItem",
    "metadata": {
        "id": "network-dns-record",
        "name": "DNS Record",
        "description": "A name in the internal zone that points at an address of your service.",
        "version": "1.0.0",
        "category": "network",
        "owner": {"team": "team-network"},
    },
    "presentation": {
        "form": {
            "groups": [
                {
                    "id": "record",
                    "name": "Record",
                    "fields": [
                        {"id": "hostName", "name": "Name", "type": "string", "required": True}
                    ],
                }
            ]
        }
    },
    "fulfillment": {
        "manual": {
            "actions": [
                {
                    "type": "jira-ticket",
                    "config": {
                        "ticket": {
                            "project": "NET",
                            "summaryTemplate": "DNS record {{fields.hostName}}",
                        }
                    },
                }
            ]
        }
    },
}

_AS_YAML = """schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: network-dns-record
  name: DNS Record
  description: A name in the internal zone that points at an address of your service.
  version: 1.0.0
  category: network
  owner: {team: team-network}
fulfillment:
  manual:
    actions:
      - type: jira-ticket
        config:
          ticket: {project: NET, summaryTemplate: A record is wanted}
"""

# Of any type: an invalid document is not refused, its findings are the answer.
_ANYTHING: dict[str, Any] = {"description": "The document; problems are returned as findings"}

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A CatalogItem or CatalogBundle",
        "content": {
            "application/yaml": {"schema": _ANYTHING, "example": _AS_YAML},
            "application/json": {"schema": _ANYTHING, "example": EXAMPLE},
        },
    }
}


def document_of(request: Request) -> bytes:
    """Return the body as sent; raises ``VALIDATION_ERROR`` (400) for other content types."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_document = kind in YAML_TYPES | JSON_TYPES or kind.endswith(("+yaml", "+json"))
    if not is_document:
        raise unreadable_body(
            "Content-Type",
            "content_type",
            "Send the document with Content-Type: application/yaml or application/json.",
        )
    body: bytes = request.state.raw_body
    if not body.strip():
        raise unreadable_body("body", "missing", "The body is empty; send a catalog document.")
    if kind in JSON_TYPES or kind.endswith("+json"):
        _require_json(body)
    return body


def _require_json(body: bytes) -> None:
    """Refuse what only YAML would take; JSON itself is YAML, and is read as such, for places."""
    try:
        json.loads(body)
    except json.JSONDecodeError as error:
        message = f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        raise unreadable_body("body", "json_invalid", message) from error
    except UnicodeDecodeError as error:
        raise unreadable_body("body", "encoding", "The body is not UTF-8.") from error
    except (RecursionError, ValueError) as error:
        message = "The body is nested too deeply, or has a number that is too long."
        raise unreadable_body("body", "depth", message) from error
