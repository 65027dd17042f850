"""Questions elsewhere: corrected fields before a retry, and a new catalog item."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pao.app.cli.scripted import (
    REQUEST,
    REQUEST_ID,
    Service,
    answered,
    failed_request,
    refused,
    request,
)
from tests.pao.app.cli.terminals import Terminal

Start = Callable[..., Terminal]
RETRY = ("request", "retry", REQUEST_ID, "--reason", "a better name")
FIELDS: list[dict[str, Any]] = [
    {"id": "host", "type": "string", "required": True, "validation": {"pattern": "^[a-z]+$"}},
    {"id": "size", "type": "integer", "default": 20},
    {"id": "secret", "type": "password", "required": True, "validation": {"minLength": 12}},
    {"id": "backups", "type": "boolean"},
    {
        "id": "days",
        "type": "integer",
        "conditional": {"dependsOn": "backups", "condition": "equals", "value": True},
    },
]
STORED = {
    "host": "Orders",
    "size": 20,
    "secret": "********",
    "backups": True,
    "days": 7,
    "old": "x",
}


@pytest.fixture
def failed(service: Service) -> None:
    item = failed_request()["catalogItemId"]
    service.on("GET", REQUEST, failed_request(fields=STORED, attempt=1))
    service.on(
        "GET", f"/catalog/items/{item}", {"id": item, "name": "Database", "version": "1.0.0"}
    )
    service.on(
        "GET",
        f"/catalog/items/{item}/schema",
        {"form": {"groups": [{"id": "g", "fields": FIELDS}]}},
    )
    service.on("POST", f"{REQUEST}/retry", answered(request()))


def decided(service: Service) -> dict[str, Any]:
    body: dict[str, Any] = service.calls_of("POST", f"{REQUEST}/retry")[-1].body
    return body


@pytest.mark.usefixtures("failed")
def test_the_fields_of_a_failed_request_are_shown_and_corrected(
    on_terminal: Start, service: Service
) -> None:
    terminal = on_terminal(*RETRY, "--ask", NO_COLOR="1")
    terminal.next("Secret   ********")
    terminal.answer("Retry?", "1")
    terminal.answer("[Orders]", "Billing")
    terminal.answer("must match", "billing")
    terminal.answer("Retry?", "backups", "n")
    terminal.answer("Retry?", "secret")
    terminal.answer("[********]", "")
    terminal.answer("Retry?", "")

    assert terminal.ends_with() == 0, terminal.seen
    # What is hidden now loses its value; what the form no longer has, and a secret, stay.
    assert decided(service)["fields"] == {"host": "billing", "backups": False, "days": None}
    assert decided(service)["attempt"] == 1


@pytest.mark.usefixtures("failed")
def test_a_wrong_correction_is_asked_for_again(on_terminal: Start, service: Service) -> None:
    details = [{"field": "fields.host", "constraint": "taken", "message": "the name is taken"}]
    service.on(
        "POST",
        f"{REQUEST}/retry",
        refused(422, "VALIDATION_FAILED", "not valid", details=details),
        answered(request()),
    )
    terminal = on_terminal(*RETRY, "-f", "host=Billing", NO_COLOR="1")
    terminal.answer("must match", "shop")
    terminal.answer("Retry?", "")
    terminal.answer("the name is taken", "billing")
    terminal.answer("Retry?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert decided(service)["fields"] == {"host": "billing"}


@pytest.mark.usefixtures("failed")
def test_corrections_are_kept_for_a_later_retry(
    on_terminal: Start, service: Service, tmp_path: Path
) -> None:
    terminal = on_terminal(*RETRY, "--ask", NO_COLOR="1")
    terminal.answer("Retry?", "host", "billing")
    terminal.answer("Retry?", "n")
    terminal.answer("Save your answers", "kept.json")
    assert terminal.ends_with() == 130
    assert json.loads((tmp_path / "kept.json").read_text())["fields"] == {"host": "billing"}
    assert (
        f"pao request retry {REQUEST_ID} --reason 'a better name' --config kept.json"
        in terminal.screen
    )

    terminal = on_terminal(*RETRY, "--config", "kept.json", NO_COLOR="1")
    assert terminal.ends_with() == 0, terminal.seen
    assert decided(service)["fields"] == {"host": "billing"}


def test_no_one_is_asked_about_a_request_that_cannot_be_retried(
    on_terminal: Start, service: Service
) -> None:
    service.on("GET", REQUEST, request(fields=STORED))
    service.on(
        "POST", f"{REQUEST}/retry", refused(409, "INVALID_STATE_TRANSITION", "it is completed")
    )
    terminal = on_terminal(*RETRY, "--ask", NO_COLOR="1")

    assert terminal.ends_with() == 1
    assert "> " not in terminal.seen
    assert "it is completed" in terminal.screen


def test_a_new_item_asks_again_for_what_is_wrong_and_says_how_to_go_on(
    on_terminal: Start, tmp_path: Path
) -> None:
    given = ("--name", "Message Queue", "--category", "Queues!", "--catalog", str(tmp_path))
    terminal = on_terminal("catalog", "init", *given, NO_COLOR="1")
    terminal.next("'Queues!': use lowercase letters")
    terminal.next("Category, the folder [databases]: ")
    terminal.press(b"\x1b[A\x7f\n")
    terminal.next("'Queues': use lowercase")
    terminal.next(": ")
    terminal.type("queues")
    terminal.next("Id [queue-message-standard]: ")
    terminal.interrupt("Continue with")

    assert terminal.ends_with() == 130
    words = "pao catalog init --name 'Message Queue' --category queues --catalog"
    assert f"Continue with: {words}" in terminal.screen
