"""Fields whose choices come from elsewhere, and the list that they read."""

from typing import Any

Document = dict[str, Any]
SIZES: Document = {
    "schemaVersion": "catalog/v1",
    "kind": "CatalogList",
    "metadata": {"id": "sizes", "name": "Sizes", "version": "1.0.0", "category": "lists"},
    "rows": [
        {"value": "s", "label": "Small", "environment": "test"},
        {"value": "m", "label": "Medium", "environment": "test"},
        {"value": "xl", "label": "Huge", "environment": "production"},
    ],
}
ENVIRONMENT = {
    "id": "environment",
    "name": "Environment",
    "type": "select",
    "enum": ["test", "production"],
    "default": "test",
}
SIZE = {
    "id": "flavor",
    "name": "Flavor",
    "type": "select",
    "options": {
        "from": "list",
        "list": "sizes",
        "where": "{{row.environment == fields.environment}}",
    },
}
TEAM = {"id": "owner", "name": "Owner", "type": "select", "options": {"from": "teams"}}
PEER = {"id": "peer", "name": "Peer", "type": "user"}
CREW = {"id": "crew", "name": "Crew", "type": "team"}

NAME = {
    "id": "name",
    "name": "Name",
    "type": "string",
    "default": {"template": "{{request.user.id}}-{{fields.title}}"},
}
FEW = {"id": "few", "check": "fields.size < 2", "message": "Two is a lot.", "severity": "warning"}
