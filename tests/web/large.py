"""An item with as many fields as nobody should ever ask for."""

from typing import Any


def large_item(*, fields: int) -> dict[str, Any]:
    """Return an item whose form has so many fields of the usual types, every tenth conditional."""
    made: list[dict[str, Any]] = [{"id": "all", "name": "Show all", "type": "boolean"}]
    for number in range(1, fields):
        one: dict[str, Any] = {
            "id": f"field{number}",
            "name": f"Field {number}",
            "type": ("string", "integer", "boolean", "textarea")[number % 4],
            "description": f"What field {number} is good for.",
        }
        if number % 10 == 0:
            one["conditional"] = {"dependsOn": "all", "condition": "equals", "value": True}
        made.append(one)
    text = "A form with very many fields, for the tests of what pages cost. Nobody requests it."
    ticket = {"project": "PLATFORM", "summaryTemplate": "Large", "descriptionTemplate": "All"}
    action = {"id": "ask", "name": "Ask", "type": "jira-ticket", "config": {"ticket": ticket}}
    return {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": {
            "id": "web-large",
            "name": "Large Form",
            "description": text,
            "version": "1.0.0",
            "category": "web",
            "owner": {"team": "team-platform", "contact": "team-platform@example.com"},
        },
        "presentation": {"form": {"groups": [{"id": "main", "name": "Main", "fields": made}]}},
        "fulfillment": {"strategy": {"mode": "manual"}, "manual": {"actions": [action]}},
    }
