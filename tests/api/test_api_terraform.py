"""Requests that Terraform fulfils, through API, Temporal and worker, with the real program."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
import yaml

from pao.app.local.postgres import PostgresAddress
from pao.core.names import mark
from tests.support.callers import ADA, DANA, STRANGER
from tests.support.postgres import cloned_database
from tests.support.requests import item, ticket
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.terraform import HALF_WAY, PAIR, waiting_module

PASSWORD = "S3ntinel-Pa55word-for-Terraform"
TABLES = "select tablename from pg_tables where schemaname = 'public'"


def hybrid(name: str, **config: Any) -> dict[str, Any]:
    """Return an item that Terraform fulfils with the module of that name, else people."""
    document = item([ticket("by-hand")])
    document["metadata"] |= {"id": name, "name": name}
    action: dict[str, Any] = {"id": "infra", "name": "Build it", "type": "terraform"}
    action["config"] = {"source": {"path": name}, **config}
    document["fulfillment"]["strategy"]["mode"] = "hybrid"
    document["fulfillment"]["automatic"] = {"actions": [action]}
    return document


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("terraform-items")
    variables = {"name": "{{fields.title}}", "token": "{{fields.token}}"}
    local = {"path": "{{fields.title}}/x.tfstate", "workspace_dir": "{{fields.title}}/w"}
    named = {"backend": {"type": "local", "config": local}}
    items: dict[str, dict[str, Any]] = {
        "pair": {"variables": variables},
        "half": {},
        "waiting": {},
        "moving": named,
    }
    items["named"] = named | {"workspace": "one", "variables": variables}
    modules = {"pair": PAIR, "half": HALF_WAY, "waiting": waiting_module(made)}
    modules |= {"moving": HALF_WAY, "named": PAIR}
    (made / "catalog").mkdir()
    for name, config in items.items():
        (made / "modules" / name).mkdir(parents=True)
        (made / "modules" / name / "main.tf").write_text(modules[name])
        (made / "catalog" / f"{name}.yaml").write_text(yaml.safe_dump(hybrid(name, **config)))
    return made


@pytest.fixture(scope="module")
def built(
    postgres_address: PostgresAddress,
    temporal_address: str,
    terraform_program: Path,
    folder: Path,
) -> Iterator[Stack]:
    environ = {
        # A refused retry is answered 202 where the worker's refusal comes later than this.
        "PAO_SUBMISSION_BUDGET": "20s",
        "TERRAFORM_BINARY": str(terraform_program),
        "TERRAFORM_SOURCES": str(folder / "modules"),
        "TERRAFORM_STATE_PATH": str(folder / "states"),
        "TERRAFORM_ALLOW_PROVISIONERS": "true",
        # The modules of these tests write into folders of whoever runs the tests.
        "TERRAFORM_USER": pwd.getpwuid(os.geteuid()).pw_name,
    }
    with (
        cloned_database(postgres_address) as database,
        running_stack(
            database, temporal_address, folder, catalog=folder / "catalog", environ=environ
        ) as stack,
    ):
        yield stack


def submit_slow(client: httpx.Client, name: str, **fields: str) -> dict[str, Any]:
    """Submit, insist that a slow item is answered at once, and return the document."""
    body = {"catalogItemId": name, "fields": {"title": f"orders-{token_hex(4)}", **fields}}
    answer = client.post("/requests", json=body)
    assert answer.status_code == 202, answer.text
    document: dict[str, Any] = answer.json()
    return document


def until(client: httpx.Client, document: dict[str, Any], status: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        shown: dict[str, Any] = client.get(f"/requests/{document['id']}").json()
        return shown if shown["status"] == status and not shown["retrying"] else None

    found = wait_until(there)
    assert found is not None
    return found


def stored_text(stack: Stack) -> str:
    names = [row["tablename"] for row in stack.rows(TABLES)]
    queries = [f"select t::text line from {name} t" for name in names]  # noqa: S608 -- our tables
    return "\n".join(row["line"] for query in queries for row in stack.rows(query))


def test_a_request_is_fulfilled_by_terraform_and_its_password_is_nowhere(built: Stack) -> None:
    dana = built.caller(DANA)
    made = submit_slow(dana, "pair", title="orders", token=PASSWORD)
    document = until(dana, made, "completed")

    [action] = document["actions"]
    own = mark(document["id"], "infra")
    assert action["externalReference"] == own
    assert action["outputs"]["values"]["name"] == "orders"
    assert action["outputs"]["plan"] == {"add": 2, "change": 0, "destroy": 0}
    log = dana.get(f"/requests/{document['id']}/logs").json()["data"]
    assert "Plan: 2 to add, 0 to change, 0 to destroy" in [line["message"] for line in log]
    assert PASSWORD not in built.history(document["id"]) + stored_text(built) + str(log)


def test_half_of_the_work_is_listed_and_the_manual_way_can_be_taken(built: Stack) -> None:
    dana, ada = built.caller(DANA), built.caller(ADA)
    document = until(dana, submit_slow(dana, "half"), "failed")

    context = document["errorContext"]
    assert "The disk is full." in context["error"]["message"]
    left = [one["id"] for one in context["partialResources"]]
    assert left == ["terraform_data.bad", "terraform_data.good"]
    assert "terraform destroy in workspace" in str(context["cleanup"])
    body = {"reason": "by hand", "mode": "manual"}
    answer = ada.post(f"/requests/{document['id']}/retry", json=body)
    assert answer.is_success, answer.text
    until(dana, document, "completed")


@pytest.mark.parametrize("end", ["abort", "escalate"])
def test_what_was_left_stays_listed_over_a_module_that_does_not_initialise(
    built: Stack, folder: Path, end: str
) -> None:
    dana, ada = built.caller(DANA), built.caller(ADA)
    module = folder / "modules" / "half" / "main.tf"
    document = until(dana, submit_slow(dana, "half"), "failed")
    module.write_text(HALF_WAY + 'terraform {\n  required_version = ">= 99"\n}\n')
    answer = ada.post(f"/requests/{document['id']}/retry", json={"reason": "once more"})
    assert answer.is_success, answer.text
    failed = until(dana, document, "failed")
    module.write_text(HALF_WAY)
    assert ">= 99" in failed["error"]["message"]

    answer = ada.post(f"/requests/{document['id']}/{end}", json={"reason": "enough"})
    assert answer.is_success, answer.text

    ended = dana.get(f"/requests/{document['id']}").json()
    left = [one["id"] for one in ended["errorContext"]["partialResources"]]
    assert left == ["terraform_data.bad", "terraform_data.good"]
    assert len(ended["errorContext"]["cleanup"]) == 2
    if end == "escalate":
        [ticket] = [
            one for one in built.jira.tickets() if one["key"] == ended["escalation"]["ticketKey"]
        ]
        assert "terraform destroy" in str(ticket)
        assert "data.good" in str(ticket)


def move_state(client: httpx.Client) -> dict[str, Any]:
    """Leave a half-made infrastructure behind by a correction that goes to another state."""
    before = until(client, submit_slow(client, "moving"), "failed")
    body = {"reason": "another name", "fields": {"title": f"payments-{before['id'][:8]}"}}
    path = f"/requests/{before['id']}/retry"
    assert client.post(path, json=body).status_code == 409
    answer = client.post(path, json=body | {"leaveBehind": True})
    assert answer.is_success, answer.text
    return until(client, before, "failed")


def test_what_a_correction_has_left_behind_is_marked_as_cleaned_up_at_any_time(
    built: Stack,
) -> None:
    dana = built.caller(DANA)
    failed = move_state(dana)
    first, second = failed["leftBehind"]
    assert [first["id"], second["id"]] == ["terraform_data.bad", "terraform_data.good"]
    mark = f"/requests/{failed['id']}/cleanup/{first['entryId']}"

    answer = dana.post(mark, json={"note": "destroyed by hand"})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert [bool(one["done"]) for one in shown["leftBehind"]] == [True, False]
    assert "cleanup_done" in built.history(failed["id"]), "Temporal's page shows it, too"

    answer = dana.post(f"/requests/{failed['id']}/escalate", json={"reason": "the rest"})
    ended = answer.json()
    listed = {one["entryId"]: one["done"] for one in ended["errorContext"]["cleanup"]}
    assert listed[first["entryId"]]["note"] == "destroyed by hand", "the same in every view"
    assert listed[second["entryId"]] is None
    key = ended["escalation"]["ticketKey"]
    [ticket] = [one for one in built.jira.tickets() if one["key"] == key]
    assert "Done by dana" in ticket["description"]
    answer = dana.post(mark.replace(first["entryId"], second["entryId"]), json={"note": "too"})
    assert all(one["done"] for one in answer.json()["leftBehind"])


def release(client: httpx.Client, state: dict[str, Any], **body: Any) -> httpx.Response:
    return client.post(f"/terraform-states/{state['id']}/release", json={"note": "gone", **body})


def test_a_state_is_one_requests_until_a_person_releases_it(built: Stack) -> None:
    dana, ada, steve = built.caller(DANA), built.caller(ADA), built.caller(STRANGER)
    first = until(dana, submit_slow(dana, "named", title="shop"), "completed")
    refused = until(dana, submit_slow(dana, "named", title="shop"), "failed")
    assert f"is registered for request {first['id']}" in refused["error"]["message"]
    assert "fields.title" in refused["error"]["message"]
    assert refused["error"]["cause"] == "input"

    [state] = dana.get(f"/requests/{first['id']}/terraform-states").json()["data"]
    assert (state["resources"], state["released"]) == (2, None)
    assert dana.get(f"/requests/{refused['id']}/terraform-states").json()["data"] == []
    assert steve.get(f"/requests/{first['id']}/terraform-states").status_code == 404
    assert release(steve, state, destroyed=True).status_code == 404
    not_said = release(dana, state)
    assert not_said.status_code == 409
    assert "2 resources were in this state last" in not_said.json()["error"]["message"]
    answer = release(ada, state, destroyed=True)
    assert answer.status_code == 200, answer.text
    assert answer.json()["released"]["by"] == ADA.name
    assert release(dana, state).json() == answer.json(), "a repeat changes nothing"
    trail = "select actor from audit_logs where event_type = 'terraform_state.released'"
    assert [row["actor"] for row in built.rows(trail)] == [ADA.name]

    again = dana.post(f"/requests/{refused['id']}/retry", json={"reason": "it is free"})
    assert again.is_success, again.text
    until(dana, refused, "completed")


def test_the_state_of_an_open_request_is_not_released(built: Stack) -> None:
    dana = built.caller(DANA)
    failed = until(dana, submit_slow(dana, "half"), "failed")
    [state] = dana.get(f"/requests/{failed['id']}/terraform-states").json()["data"]
    answer = release(dana, state, destroyed=True)
    assert answer.status_code == 409
    assert "may still use this state" in answer.json()["error"]["message"]


def test_a_worker_that_stops_ends_terraform_in_order_and_a_retry_makes_the_rest(
    built: Stack, folder: Path
) -> None:
    dana, ada = built.caller(DANA), built.caller(ADA)
    document = submit_slow(dana, "waiting")
    wait_until((folder / "begun").exists)
    built.stop_worker()
    [state] = (folder / "states").glob(f"*/workspaces/{mark(document['id'], 'infra')}/*.tfstate")
    assert "terraform_data" in state.read_text()
    assert not list(state.parent.glob("*.lock.info"))

    built.start_worker()
    failed = until(dana, document, "failed")
    assert failed["error"]["outcomeUnknown"]
    (folder / "go").touch()
    answer = ada.post(f"/requests/{document['id']}/retry", json={"reason": "worker is back"})
    assert answer.is_success, answer.text

    [action] = until(dana, document, "completed")["actions"][:1]
    assert action["attempt"] == 2
    assert action["outputs"]["plan"] == {"add": 1, "change": 0, "destroy": 1}, "the tainted one"
