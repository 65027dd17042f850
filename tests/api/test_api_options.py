"""Choices that come from elsewhere: lists, teams, HTTP interfaces on good and bad days."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pao.app.local.postgres import PostgresAddress
from tests.support.callers import ADA, DANA, STRANGER
from tests.support.inventory import Inventory
from tests.support.option_fields import (
    CREW,
    ENVIRONMENT,
    FEW,
    NAME,
    PEER,
    SIZE,
    SIZES,
    TEAM,
    Document,
)
from tests.support.postgres import cloned_database
from tests.support.raw_servers import answering, cutting
from tests.support.requests import item
from tests.support.stack import Stack, running_stack, wait_until

TOKEN = "s3cr3t-inventory-token"


@pytest.fixture(scope="module")
def inventory() -> Iterator[Inventory]:
    made = Inventory()
    yield made
    made.server.close()


def http(inventory: Inventory, path: str = "", **more: Any) -> Document:
    """Return options of HTTP that no other test shares."""
    return {
        "from": "http",
        "url": f"{inventory.server.url}/clusters{path}?env={{{{fields.environment}}}}",
        "select": "$.items[*]",
        "value": "$.id",
        "label": "$.name",
        "cache": "0s",
        **more,
    }


def cluster(inventory: Inventory, name: str = "cluster", **more: Any) -> Document:
    options = http(inventory, f"/{name}", **more)
    return {"id": name, "name": name.capitalize(), "type": "select", "options": options}


@pytest.fixture(scope="module")
def own(
    inventory: Inventory,
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("options")
    catalog = folder / "files"
    (catalog / "lists").mkdir(parents=True)
    (catalog / "things").mkdir()
    (catalog / "lists" / "sizes.yaml").write_text(yaml.safe_dump(SIZES))
    fields: list[Document] = [
        ENVIRONMENT,
        SIZE,
        TEAM,
        PEER,
        CREW,
        cluster(inventory),
        cluster(inventory, "kept", cache="1h"),
        cluster(inventory, "lenient", whenAway="allow"),
        cluster(
            inventory,
            "secure",
            authentication={"type": "bearer", "token": "{{secrets.inventory_token}}"},
        ),
        cluster(
            inventory,
            "unset",
            authentication={"type": "bearer", "token": "{{secrets.nobody_set_it}}"},
        ),
        cluster(
            inventory,
            "blank",
            authentication={"type": "bearer", "token": "{{secrets.blank_token}}"},
        ),
        {
            "id": "spots",
            "name": "Spots",
            "type": "list",
            "fields": [
                {"id": "place", "name": "Place", "type": "string"},
                {
                    "id": "zone",
                    "name": "Zone",
                    "type": "select",
                    "options": http(inventory, query={"place": "{{fields.place}}"}),
                },
            ],
        },
        {
            "id": "places",
            "name": "Places",
            "type": "list",
            "fields": [{**cluster(inventory, "zone"), "id": "zone"}],
        },
    ]
    document = item(fields=fields)
    document["metadata"]["access"] = {"allowedTeams": ["team-orders", "pao-admins"]}
    (catalog / "things" / "thing.yaml").write_text(yaml.safe_dump(document))
    computing = item(fields=[NAME])
    computing["metadata"]["id"] = "computing"
    computing["presentation"]["form"]["rules"] = [FEW]
    (catalog / "things" / "computing.yaml").write_text(yaml.safe_dump(computing))
    bundle = {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogBundle",
        "metadata": {"id": "both", "name": "Both", "version": "1.0.0", "category": "things"},
        "components": [
            {"id": "a", "catalogItem": "thing", "config": {"title": "A", "cluster": "c-9"}}
        ],
    }
    (catalog / "things" / "both.yaml").write_text(yaml.safe_dump(bundle))
    kept = folder / "secrets"
    kept.mkdir()
    (kept / "inventory_token").write_text(TOKEN)
    (kept / "blank_token").write_text("\n")
    environ = {"PAO_EGRESS_ALLOW": "127.0.0.1", "PAO_SECRETS_DIR": str(kept)}
    with (
        cloned_database(postgres_address) as database,
        running_stack(
            database, temporal_address, folder, catalog=catalog, environ=environ
        ) as stack,
    ):
        yield stack


def ask(stack: Stack, field: str, person: Any = DANA, **body: Any) -> Any:
    return stack.caller(person).post(f"/catalog/items/thing/options/{field}", json=body)


def submit(stack: Stack, **fields: Any) -> Any:
    body = {"catalogItemId": "thing", "fields": {"title": "T", **fields}}
    return stack.caller(DANA).post("/validate/request", json=body)


def refused_fields(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    details = answer.json()["error"]["details"]
    return [(one["field"], one["constraint"]) for one in details]


def test_a_list_offers_the_rows_that_fit_the_other_fields(own: Stack) -> None:
    answer = ask(own, "flavor", fields={"environment": "production"})
    assert answer.json() == {
        "options": [{"value": "xl", "label": "Huge"}],
        "total": 1,
        "freeText": False,
    }
    found = ask(own, "flavor", search="med")
    assert [one["value"] for one in found.json()["options"]] == ["m"]
    assert ask(own, "flavor", limit=1).json()["total"] == 2


def test_a_value_that_the_list_does_not_offer_is_refused(own: Stack) -> None:
    assert submit(own, flavor="s").status_code == 200
    assert refused_fields(submit(own, flavor="xl")) == [("fields.flavor", "enum")]


def test_a_list_is_no_item_and_is_not_shown_among_them(own: Stack) -> None:
    ids = [one["id"] for one in own.caller(DANA).get("/catalog").json()["data"]]
    assert ids == ["both", "computing", "thing"]
    assert own.caller(DANA).get("/catalog/items/sizes").status_code == 404


def test_teams_are_those_of_the_caller(own: Stack) -> None:
    assert ask(own, "owner").json()["options"] == [{"value": "team-orders", "label": "team-orders"}]
    assert refused_fields(submit(own, owner="team-database")) == [("fields.owner", "enum")]


def test_users_and_teams_are_somebody_known(own: Stack) -> None:
    assert submit(own, peer="priya@example.com", crew="team-database").status_code == 200
    assert refused_fields(submit(own, peer="nobody@example.com", crew="team-nobody")) == [
        ("fields.peer", "known"),
        ("fields.crew", "known"),
    ]


def test_an_http_interface_offers_what_it_answers(own: Stack, inventory: Inventory) -> None:
    inventory.offers("c-1", "c-2")
    found = ask(own, "cluster", fields={"environment": "production"}).json()
    assert found["options"] == [
        {"value": "c-1", "label": "C-1"},
        {"value": "c-2", "label": "C-2"},
    ]
    line = inventory.server.requests[-1].split(b"\r\n")[0]
    assert line == b"GET /clusters/cluster?env=production HTTP/1.1"
    assert submit(own, cluster="c-2").status_code == 200


def test_an_option_that_disappeared_says_so_and_what_is_offered_now(
    own: Stack, inventory: Inventory
) -> None:
    inventory.offers("c-1", "c-2")
    assert submit(own, cluster="c-2").status_code == 200
    inventory.offers("c-1", "c-3")
    answer = submit(own, cluster="c-2")
    assert refused_fields(answer) == [("fields.cluster", "enum")]
    message = answer.json()["error"]["details"][0]["message"]
    assert message == "Cluster is not or no longer offered: c-2. Offered now: c-1, c-3"


def test_an_answer_is_kept_and_shared_by_callers(own: Stack, inventory: Inventory) -> None:
    inventory.offers("c-1")
    ask(own, "kept", fields={"environment": "test"})
    before = inventory.server.count
    assert ask(own, "kept", ADA, fields={"environment": "test"}).json()["total"] == 1
    assert submit(own, kept="c-1").status_code == 200
    assert inventory.server.count == before
    ask(own, "kept", fields={"environment": "production"})
    assert inventory.server.count == before + 1


BIG = json.dumps({"items": [{"id": "x" * 1000, "name": "y"}] * 10_000}).encode()
MANY = json.dumps({"items": [{"id": n} for n in range(1001)]}).encode()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (answering(BIG), "more than 256 kB"),
        (answering(MANY), "more than 1,000 options"),
        (answering(b"<html>sign in</html>"), "did not answer with JSON"),
        (answering(b"{}", status="500 Oops"), "answered 500"),
        (cutting, ""),
    ],
    ids=["10 MB", "1001 options", "html", "500", "cut"],
)
def test_a_bad_day_of_the_source_is_told_and_refuses_the_value(
    own: Stack, inventory: Inventory, answer: Any, says: str
) -> None:
    inventory.answer = answer
    found = ask(own, "cluster").json()
    assert (found["options"], found["freeText"]) == ([], False)
    assert says in found["problem"]
    assert refused_fields(submit(own, cluster="c-1")) == [("fields.cluster", "options")]


def test_a_correction_is_checked_against_what_is_offered_then(
    own: Stack, inventory: Inventory
) -> None:
    inventory.offers("c-1", "c-2")
    own.jira.fault("status", status=400, match={"method": "POST", "path": "/issue$"})
    dana = own.caller(DANA)
    body = {"catalogItemId": "thing", "fields": {"title": "T", "cluster": "c-1"}}
    request = dana.post("/requests", json=body).json()
    assert request["status"] == "failed", request

    def retry(name: str) -> Any:
        correction = {"reason": "Moved", "fields": {"cluster": name}}
        return dana.post(f"/requests/{request['id']}/retry", json=correction)

    inventory.answer = answering(BIG)
    assert refused_fields(retry("c-2")) == [("fields.cluster", "options")]
    inventory.offers("c-1", "c-3")
    assert refused_fields(retry("c-2")) == [("fields.cluster", "enum")]
    assert dana.get(f"/requests/{request['id']}").json()["attempt"] == request["attempt"]
    answer = retry("c-3")
    assert answer.json()["status"] == "completed", answer.text
    assert answer.json()["fields"]["cluster"] == "c-3"


def test_while_a_lenient_source_is_away_any_text_is_taken(own: Stack, inventory: Inventory) -> None:
    inventory.answer = cutting
    assert ask(own, "lenient").json()["freeText"] is True
    assert submit(own, lenient="c-by-hand").status_code == 200
    inventory.offers("c-1")
    assert refused_fields(submit(own, lenient="c-by-hand")) == [("fields.lenient", "enum")]


def test_a_source_that_does_not_answer_in_time_is_left(own: Stack, inventory: Inventory) -> None:
    def hanging(_connection: socket.socket, _request: bytes) -> None:
        inventory.server.over.wait(30)

    inventory.answer = hanging
    assert ask(own, "cluster").json()["problem"]


def test_credentials_are_sent_and_never_shown(own: Stack, inventory: Inventory) -> None:
    inventory.offers("c-1", TOKEN)
    answer = ask(own, "secure")
    assert f"Bearer {TOKEN}".encode() in inventory.server.requests[-1]
    assert TOKEN not in answer.text
    assert answer.json()["total"] == 2
    inventory.answer = answering(json.dumps({"error": f"no {TOKEN}"}).encode(), status="403 No")
    assert TOKEN not in ask(own, "secure").text


def test_a_secret_that_the_operator_has_not_set_is_named(own: Stack, inventory: Inventory) -> None:
    inventory.offers("c-1")
    told = ask(own, "unset").json()["problem"]
    host = inventory.server.url.removeprefix("http://")
    assert told == (
        f"A secret of the choices of Unset from {host} is missing: "
        "the operator has not set the secret nobody_set_it (PAO_SECRET_NOBODY_SET_IT)"
    )
    message = submit(own, unset="c-1").json()["error"]["details"][0]["message"]
    assert told in message
    assert "has not set the secret blank_token" in ask(own, "blank").json()["problem"]


def test_a_field_in_a_row_has_options_too(own: Stack, inventory: Inventory) -> None:
    inventory.offers("z-1")
    assert ask(own, "places.zone", row={}).json()["total"] == 1
    rows = [{"zone": "z-1"}, {"zone": "z-2"}]
    assert refused_fields(submit(own, places=rows)) == [("fields.places[1].zone", "enum")]


def test_rows_that_ask_the_same_are_one_call(own: Stack, inventory: Inventory) -> None:
    inventory.offers("z-1")
    before = inventory.server.count
    rows = [{"zone": "z-1"}] * 200 + [{"zone": "z-2"}]
    assert refused_fields(submit(own, places=rows)) == [("fields.places[200].zone", "enum")]
    assert inventory.server.count == before + 1


def test_rows_cannot_make_pao_call_without_end(own: Stack, inventory: Inventory) -> None:
    inventory.offers("z-1")
    before = inventory.server.count
    rows = [{"place": f"p-{n}", "zone": "z-1"} for n in range(21)]
    found = refused_fields(submit(own, spots=rows))
    assert found[-1] == ("fields.spots[20].zone", "options")
    # What is not answered within the budget is asked all the same.
    wait_until(lambda: inventory.server.count == before + 20)


def test_the_values_that_a_bundle_gives_are_checked_too(own: Stack, inventory: Inventory) -> None:
    inventory.offers("c-1")
    body = {"catalogItemId": "both", "fields": {}}
    answer = own.caller(DANA).post("/validate/request", json=body)
    assert refused_fields(answer) == [("components.a.config.cluster", "enum")]
    inventory.offers("c-9")
    assert own.caller(DANA).post("/validate/request", json=body).status_code == 200


def test_only_who_may_request_the_item_sees_what_it_offers(own: Stack) -> None:
    assert ask(own, "flavor", STRANGER).status_code == 403
    answer = own.caller(STRANGER).post("/catalog/items/thing/form", json={"fields": {}})
    assert answer.status_code == 403


@pytest.mark.parametrize("field", ["title", "nothing", "places", "places.nothing", "title.x"])
def test_a_field_without_options_is_not_found(own: Stack, field: str) -> None:
    assert ask(own, field).status_code == 404


def test_a_form_says_what_options_depend_on_and_no_address(own: Stack) -> None:
    document = own.caller(DANA).get("/catalog/items/thing/schema").json()
    fields = {one["id"]: one for one in document["form"]["groups"][0]["fields"]}
    assert fields["cluster"]["options"] == {
        "from": "http",
        "dependsOn": ["environment"],
        "whenAway": "refuse",
    }
    assert fields["places"]["fields"][0]["options"]["dependsOn"] == ["environment"]
    assert "127.0.0.1" not in json.dumps(document)
    assert document["jsonSchema"]["properties"]["cluster"]["x-pao-options"] == {"from": "http"}


def test_a_form_is_evaluated_without_asking_anybody(own: Stack, inventory: Inventory) -> None:
    before = inventory.server.count
    body = {"fields": {"cluster": "anything", "token": "hunter22", "size": "x"}}
    found = own.caller(DANA).post("/catalog/items/thing/form", json=body).json()
    assert inventory.server.count == before
    assert not found["valid"]
    assert [(one["field"], one["constraint"]) for one in found["errors"]] == [
        ("title", "required"),
        ("size", "type"),
    ]
    assert found["values"]["token"] == "********"
    assert found["required"] == ["title"]


def test_the_audit_trail_names_what_was_sent_and_what_was_computed(own: Stack) -> None:
    body = {"catalogItemId": "computing", "fields": {"title": "T", "size": 2}}
    dry = own.caller(DANA).post("/validate/request", json=body).json()
    assert (dry["computed"], dry["warnings"]) == (["name"], ["Two is a lot."])
    answer = own.caller(DANA).post("/requests", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["fields"]["name"] == "dana-T"
    sql = "SELECT event_data FROM audit_logs WHERE request_id = $1 AND event_type = $2"
    (row,) = own.rows(sql, answer.json()["id"], "request.submitted")
    assert row["event_data"].items() >= {"sent": ["size", "title"], "computed": ["name"]}.items()
