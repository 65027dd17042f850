"""A value stays where the template put it: told at submission and in the dry run, and at run."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from pao.app.local.postgres import PostgresAddress
from tests.support.callers import DANA
from tests.support.postgres import cloned_database
from tests.support.raw_servers import RawServer, echoing, raw_server
from tests.support.stack import Stack, running_stack, wait_until


def text(key: str) -> dict[str, Any]:
    return {"id": key, "name": key.upper(), "type": "string"}


def item(key: str, actions: list[dict[str, Any]]) -> dict[str, Any]:
    fields = [text("a"), text("b"), {"id": "secret", "type": "password"}]
    return {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": {
            "id": key,
            "name": key,
            "description": "An item whose values are put into addresses and messages.",
            "version": "1.0.0",
            "category": "places",
            "owner": {"team": "team-database", "contact": "db@example.com"},
        },
        "presentation": {"form": {"groups": [{"id": "g", "name": "G", "fields": fields}]}},
        "fulfillment": {"manual": {"actions": actions}},
    }


def items(url: str) -> list[dict[str, Any]]:
    path = "/v1/teams/{{fields.a}}/repos/.{{fields.b}}"
    call = {"endpoint": {"url": url + path, "method": "POST"}}
    looked = {
        "endpoint": {"url": url + "/x"},
        "look": {"url": url + path, "found": {"path": "$.id"}},
    }
    hook = {"url": url + path, "secret": "a-signing-key-of-32-characters!!"}
    told = {"url": url + path, "text": "Hello", "required": True}
    by_secret = {"endpoint": {"url": url + "/v1/{{fields.secret}}/x"}}
    echoed = {
        "endpoint": {"url": url + "/x", "method": "POST"},
        "body": {"type": "text", "contentTemplate": "{{fields.a}}"},
        "response": {"extract": {"said": "$.echo"}},
    }
    by_output = {"endpoint": {"url": url + "/v1/{{outputs.t.said}}/x"}}
    ticket = {"ticket": {"project": "DB", "summaryTemplate": "x"}}
    first = {"id": "t", "name": "The ticket", "type": "jira-ticket", "config": ticket}
    return [
        item("place-call", [action("rest-api", call)]),
        item("place-look", [action("rest-api", looked)]),
        item("place-hook", [action("webhook", hook)]),
        item("place-notice", [action("notification", told)]),
        item("place-later", [first, action("rest-api", call)]),
        item("place-secret", [action("rest-api", by_secret)]),
        item(
            "place-output",
            [{**first, "type": "rest-api", "config": echoed}, action("rest-api", by_output)],
        ),
    ]


def action(type_: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"id": "call", "name": "The call", "type": type_, "config": config}


@pytest.fixture(scope="module")
def target() -> Iterator[RawServer]:
    with raw_server(echoing) as server:
        yield server


@pytest.fixture(scope="module")
def places(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
    target: RawServer,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("places")
    catalog = folder / "catalog" / "places"
    catalog.mkdir(parents=True)
    for one in items(target.url):
        (catalog / f"{one['metadata']['id']}.yaml").write_text(yaml.safe_dump(one))
    environ = {"PAO_EGRESS_ALLOW": "127.0.0.1"}
    with (
        cloned_database(postgres_address) as database,
        running_stack(
            database, temporal_address, folder, catalog=catalog.parent, environ=environ
        ) as stack,
    ):
        yield stack


def body(key: str, **fields: Any) -> dict[str, Any]:
    return {"catalogItemId": key, "fields": fields}


def details(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 422, answer.text
    found: list[dict[str, Any]] = answer.json()["error"]["details"]
    return found


@pytest.mark.parametrize("path", ["/validate/request", "/requests"])
@pytest.mark.parametrize("key", ["call", "look", "hook", "notice", "later"])
def test_a_step_in_an_address_is_refused_at_submission(
    places: Stack, target: RawServer, key: str, path: str
) -> None:
    before = target.count
    at_fault = {
        "a": ({"a": "..", "b": "x"}, {"a": "%2e%2E", "b": "x"}),
        "b": ({"a": "x", "b": "."},),
    }
    for field, fields in ((one, each) for one, tried in at_fault.items() for each in tried):
        found = details(places.caller(DANA).post(path, json=body(f"place-{key}", **fields)))
        assert {one["field"] for one in found} == {f"fields.{field}"}
        assert all("leads elsewhere" in one["message"] for one in found)
    assert target.count == before


def test_the_dry_run_shows_the_address_that_is_called(places: Stack, target: RawServer) -> None:
    fields = {"a": "x?y#z@w:1", "b": "ä/b"}
    shown = places.caller(DANA).post("/validate/request", json=body("place-call", **fields)).json()
    [one] = shown["actions"]
    document = places.caller(DANA).post(
        "/requests", json=body("place-call", **fields), headers={"Prefer": "wait=5"}
    )
    assert document.json()["status"] == "completed", document.text
    called = target.requests[-1].decode("latin-1").split(" ")[1]
    assert called == "/v1/teams/x%3Fy%23z%40w%3A1/repos/.%C3%A4%2Fb"
    assert one["config"]["endpoint"]["url"] == target.url + called


def test_a_step_in_a_password_is_refused_at_submission_without_its_value(
    places: Stack, target: RawServer
) -> None:
    before = target.count
    answer = places.caller(DANA).post("/requests", json=body("place-secret", secret="x/../.."))
    [found] = details(answer)
    assert found["field"] == "fields.secret"
    assert "leads elsewhere" in found["message"]
    assert found["received"] is None
    assert target.count == before


def test_a_step_that_only_the_worker_can_see_is_refused_there(
    places: Stack, target: RawServer
) -> None:
    before = target.count
    dana = places.caller(DANA)
    made = dana.post("/requests", json=body("place-output", a="..")).json()

    def failed() -> dict[str, Any] | None:
        found: dict[str, Any] = dana.get(f"/requests/{made['id']}").json()
        return found if found["status"] == "failed" else None

    found = wait_until(failed)
    assert found is not None
    assert "leads elsewhere" in str(found["error"])
    assert target.count == before + 1
