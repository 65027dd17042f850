"""An earlier request once more."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.pao.app.cli.scripted import FORM, REQUEST, REQUEST_ID, Pao, Service, answered, request
from tests.pao.app.cli.terminals import Terminal

ITEM = "database-postgresql-standard"
SCHEMA = {**FORM, "id": ITEM, "version": "1.2.0"}
FIELDS = {"instanceName": "orders-db", "storageSize": 30, "size": "s", "backups": False}


def judged(*hidden: str, **values: Any) -> dict[str, Any]:
    errors = [{"field": one, "constraint": "hidden", "message": "does not apply"} for one in hidden]
    found = {"valid": not errors, "values": values, "errors": errors, "visible": []}
    return found | {"required": [], "computed": [], "warnings": []}


@pytest.fixture
def earlier(service: Service) -> dict[str, Any]:
    document = request(
        "failed", fields=dict(FIELDS), metadata={"tags": ["production"], "note": "for Q4"}
    )
    service.on("GET", REQUEST, document)
    service.on("GET", f"/catalog/items/{ITEM}/schema", SCHEMA)
    service.on("GET", f"/catalog/items/{ITEM}", {"id": ITEM, "name": "PostgreSQL"})
    service.on("POST", f"/catalog/items/{ITEM}/form", judged())
    service.on("POST", "/requests", answered(request(), 201))
    return document


def sent(service: Service) -> dict[str, Any]:
    [call] = service.calls_of("POST", "/requests")
    return dict(call.body)


@pytest.mark.usefixtures("earlier")
def test_values_tags_and_note_are_those_of_the_earlier_request(pao: Pao, service: Service) -> None:
    result = pao("request", "resubmit", REQUEST_ID, "-f", "storageSize=50", "--unset", "backups")

    assert result.exit_code == 0, result.output
    assert sent(service) == {
        "catalogItemId": ITEM,
        "fields": {"instanceName": "orders-db", "storageSize": 50, "size": "s"},
        "metadata": {"tags": ["production"], "note": "for Q4"},
    }
    assert result.stderr == ""


@pytest.mark.usefixtures("earlier")
def test_tags_and_note_can_be_replaced(pao: Pao, service: Service) -> None:
    result = pao("request", "resubmit", REQUEST_ID, "--tag", "test", "--note", "")

    assert result.exit_code == 0, result.output
    assert sent(service)["metadata"] == {"tags": ["test"]}


def test_what_has_changed_since_is_said(
    pao: Pao, service: Service, earlier: dict[str, Any]
) -> None:
    service.on("GET", f"/catalog/items/{ITEM}/schema", SCHEMA | {"version": "1.3.0"})
    earlier["fields"] |= {"colour": "blue"}
    service.on("POST", f"/catalog/items/{ITEM}/form", judged("backups"))

    result = pao("request", "resubmit", REQUEST_ID)

    assert result.exit_code == 0, result.output
    assert "is version 1.3.0 now; the request was for 1.2.0" in result.stderr
    assert "The form no longer has colour; its value is left out." in result.stderr
    assert "backups does not apply with these values; it is left out." in result.stderr
    assert sent(service)["fields"].keys() == {"instanceName", "storageSize", "size"}


def test_secrets_are_to_be_given_again_without_a_terminal(
    pao: Pao, service: Service, earlier: dict[str, Any]
) -> None:
    earlier["fields"] |= {"backups": True, "adminPassword": "********"}

    refused = pao("request", "resubmit", REQUEST_ID)
    assert refused.exit_code == 2
    assert "adminPassword: give it again" in refused.stderr
    assert service.calls_of("POST", "/requests") == []

    given = pao("request", "resubmit", REQUEST_ID, "-f", "adminPassword=Sup3rSecret")
    assert given.exit_code == 0, given.output
    assert sent(service)["fields"]["adminPassword"] == "Sup3rSecret"


def test_a_person_is_asked_for_secrets_alone(
    on_terminal: Callable[..., Terminal], service: Service, earlier: dict[str, Any]
) -> None:
    earlier["fields"] |= {"backups": True, "adminPassword": "********"}

    terminal = on_terminal("request", "resubmit", REQUEST_ID, NO_COLOR="1")
    terminal.wait_for("> ")
    assert "Admin password" in terminal.seen
    assert "Instance name" not in terminal.seen
    terminal.type("Sup3rSecret")
    terminal.wait_for("again > ")
    terminal.type("Sup3rSecret")
    terminal.wait_for("Submit? [Y/n/e(dit)] > ")
    assert "orders-db" in terminal.seen
    terminal.type("y")

    assert terminal.ends_with() == 0, terminal.seen
    assert "Sup3rSecret" not in terminal.seen
    assert sent(service)["fields"] == FIELDS | {"backups": True, "adminPassword": "Sup3rSecret"}


@pytest.mark.parametrize("own", [True, False])
def test_a_computed_value_is_computed_anew_unless_it_was_given(
    pao: Pao, service: Service, earlier: dict[str, Any], *, own: bool
) -> None:
    host = {"id": "host", "name": "Host", "type": "string"}
    template = {"default": {"template": "{{fields.instanceName}}.example.com"}}
    fields = FORM["form"]["groups"][0]["fields"]  # type: ignore[index]
    groups = [{"id": "basic", "name": "Basic", "fields": [*fields, host | template]}]
    form = SCHEMA | {"form": {"layout": "single-page", "groups": groups}}
    service.on("GET", f"/catalog/items/{ITEM}/schema", form)
    earlier["fields"] |= {"host": "own.example.com" if own else "orders-db.example.com"}
    service.on("POST", f"/catalog/items/{ITEM}/form", judged(host="orders-db.example.com"))

    result = pao("request", "resubmit", REQUEST_ID, "-f", "instanceName=billing-db")

    assert result.exit_code == 0, result.output
    assert ("host" in sent(service)["fields"]) is own


@pytest.mark.usefixtures("earlier")
def test_it_can_be_tried_first(pao: Pao, service: Service) -> None:
    service.on("POST", "/validate/request", {"valid": True, "actions": []})

    assert pao("request", "resubmit", REQUEST_ID, "--dry-run").exit_code == 0
    assert service.calls_of("POST", "/requests") == []
