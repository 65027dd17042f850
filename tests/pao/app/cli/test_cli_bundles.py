"""How the command line draws a bundle."""

import io
from typing import Any

from rich.console import Console

from pao.app.cli.timeline import print_request

FAILED: dict[str, Any] = {
    "id": "whole",
    "catalogItemId": "bundle-webapp",
    "catalogItemVersion": "1.0.0",
    "status": "failed",
    "createdAt": "2026-03-05T14:07:09.123Z",
    "possibleDecisions": ["abort", "escalate"],
    "actions": [],
    "components": [
        {
            "id": "app-db",
            "name": "Database",
            "requestId": "one",
            "status": "completed",
            "actions": [{"name": "Ask", "status": "completed", "externalReference": "DB-1"}],
        },
        {
            "id": "app-name",
            "name": "Name",
            "requestId": "two",
            "status": "failed",
            "dependsOn": ["app-db"],
            "error": {"message": "JIRA said no"},
            "actions": [],
        },
    ],
}


def drawn(request: dict[str, Any], tickets: dict[str, Any] | None = None) -> str:
    out = io.StringIO()
    print_request(Console(file=out, no_color=True, width=200), request, tickets)
    return out.getvalue()


def test_components_are_drawn_as_a_tree_with_their_tickets_and_failures() -> None:
    shown = drawn(FAILED, {"DB-1": {"live": True, "status": "In Review"}})

    assert "├─ " in shown
    assert "DB-1  [In Review]" in shown
    assert "after app-db" in shown
    assert "JIRA said no" in shown
    assert "pao request retry two" in shown


def test_only_what_a_bundle_decides_itself_is_offered() -> None:
    shown = drawn(FAILED)

    assert "pao request abort whole" in shown
    assert "pao request retry whole" not in shown
