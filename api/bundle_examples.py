"""Examples of bundles in the OpenAPI document. Those of all else are in examples.py."""

from typing import Any

from api import examples

_COMPONENT_ID = "5b1e0c1e-52c4-4f0a-9d5f-0f5a1c2b3d4e"

BUNDLE: dict[str, Any] = {
    **examples.REQUEST,
    "catalogItemId": "bundle-webapp-standard",
    "catalogItemName": "Web Application",
    "fields": {"appName": "orders", "storageSize": 100},
    "actions": [],
    "components": [
        {
            "id": "app-db",
            "name": "Database",
            "requestId": _COMPONENT_ID,
            "catalogItemId": "database-postgresql-standard",
            "catalogItemVersion": "1.2.0",
            "status": "completed",
            "retrying": False,
            "dependsOn": [],
            "error": None,
            "actions": examples.REQUEST["actions"],
            "links": {"self": f"/api/v1/requests/{_COMPONENT_ID}", "workflow": None},
        }
    ],
}
