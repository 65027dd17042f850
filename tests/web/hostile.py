"""An item whose author means harm, or has no sense of length, in every text that pages show."""

from typing import Any

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
LONG = "w" * 300
TEXT = f"{MARKUP} \u202e {LONG}"


def hostile_item() -> dict[str, Any]:
    """Return the item; its ticket is what a test makes JIRA refuse."""
    fields = [
        {
            "id": "word",
            "name": f"Word {TEXT}",
            "type": "string",
            "required": True,
            "description": TEXT,
            "placeholder": TEXT,
        },
        {
            "id": "choice",
            "name": f"Choice {TEXT}",
            "type": "select",
            "description": f"[link](javascript:alert(1)) {TEXT}",
            "enum": [{"value": "one", "label": TEXT}, {"value": "two", "label": "Two"}],
            "default": "one",
        },
        {
            "id": "several",
            "name": f"Several {TEXT}",
            "type": "multiselect",
            "enum": [{"value": "one", "label": TEXT}, {"value": "two", "label": "Two"}],
            "default": ["one"],
        },
        {"id": "file", "name": f"File {TEXT}", "type": "file"},
        {"id": "code", "name": f"Code {TEXT}", "type": "json"},
    ]
    ticket = {"project": "PLATFORM", "summaryTemplate": "{{fields.word}}", "priority": TEXT}
    action = {
        "id": "ask",
        "name": f"Ask {TEXT}",
        "type": "jira-ticket",
        "config": {"ticket": ticket},
    }
    return {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": {
            "id": "web-hostile",
            "name": f"Hostile {TEXT}",
            "description": f"{TEXT} and more that nobody should believe, for tests only.",
            "version": "1.0.0",
            "category": "web",
            "owner": {"team": "team-platform", "contact": f"javascript:alert(1) {TEXT}"},
            "tags": [TEXT],
            "sla": {"provisioningTime": "4h", "supportLevel": TEXT},
            "cost": {"baseMonthly": 12, "currency": "EUR"},
        },
        "presentation": {
            "documentation": f"# {TEXT}\n\n[here](javascript:alert(1))\n\n{TEXT}",
            "display": {"documentationUrl": f"https://wiki.example.com/{LONG}"},
            "form": {
                "groups": [
                    {"id": "main", "name": f"Main {TEXT}", "description": TEXT, "fields": fields}
                ]
            },
        },
        "fulfillment": {"strategy": {"mode": "manual"}, "manual": {"actions": [action]}},
    }
