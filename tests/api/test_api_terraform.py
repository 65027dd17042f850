"""Requests that Terraform fulfils, through API, Temporal and worker, with the real program."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from pao.app.local.postgres import PostgresAddress
from pao.core.names import mark
from tests.support.callers import ADA, DANA
from tests.support.postgres import cloned_database
from tests.support.requests import item, ticket
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.terraform import HALF_WAY, PAIR, waiting_module

PASSWORD = "S3ntinel-Pa55word-for-Terraform"
TABLES = "select tablename from pg_tables where schemaname = 'public'"


def hybrid(name: str, **config: Any) -> dict[str, Any]:
    """Give an item that Terraform fulfils with the module of that name, else people."""
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
    items = {"pair": {"variables": variables}, "half": {}, "waiting": {}}
    modules = {"pair": PAIR, "half": HALF_WAY, "waiting": waiting_module(made)}
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


def submitted(client: httpx.Client, name: str, **fields: str) -> dict[str, Any]:
    """Submit, insist that a slow item is answered at once, and return the document."""
    body = {"catalogItemId": name, "fields": {"title": "orders", **fields}}
    answer = client.post("/requests", json=body)
    assert answer.status_code == 202, answer.text
    document: dict[str, Any] = answer.json()
    return document


def until(client: httpx.Client, document: dict[str, Any], status: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        shown: dict[str, Any] = client.get(f"/requests/{document['id']}").json()
        return shown if shown["status"] == status else None

    found = wait_until(there, seconds=60)
    assert found is not None
    return found


def everything_stored(stack: Stack) -> str:
    names = [row["tablename"] for row in stack.rows(TABLES)]
    queries = [f"select t::text line from {name} t" for name in names]  # noqa: S608 -- our tables
    return "\n".join(row["line"] for query in queries for row in stack.rows(query))


def test_a_request_is_fulfilled_by_terraform_and_its_password_is_nowhere(built: Stack) -> None:
    dana = built.caller(DANA)
    document = until(dana, submitted(dana, "pair", token=PASSWORD), "completed")

    [action] = document["actions"]
    own = mark(document["id"], "infra")
    assert action["externalReference"] == own
    assert action["outputs"]["values"]["name"] == "orders"
    assert action["outputs"]["plan"] == {"add": 2, "change": 0, "destroy": 0}
    log = dana.get(f"/requests/{document['id']}/logs").json()["data"]
    assert "Plan: 2 to add, 0 to change, 0 to destroy" in [line["message"] for line in log]
    assert PASSWORD not in built.history(document["id"]) + everything_stored(built) + str(log)


def test_half_of_the_work_is_listed_and_the_manual_way_can_be_taken(built: Stack) -> None:
    dana, ada = built.caller(DANA), built.caller(ADA)
    document = until(dana, submitted(dana, "half"), "failed")

    context = document["errorContext"]
    assert "The disk is full." in context["error"]["message"]
    left = [one["id"] for one in context["partialResources"]]
    assert left == ["terraform_data.bad", "terraform_data.good"]
    assert "terraform destroy in workspace" in str(context["cleanup"])
    body = {"reason": "by hand", "mode": "manual"}
    answer = ada.post(f"/requests/{document['id']}/retry", json=body)
    assert answer.is_success, answer.text
    until(dana, document, "completed")


def test_a_worker_that_stops_ends_terraform_in_order_and_a_retry_makes_the_rest(
    built: Stack, folder: Path
) -> None:
    dana, ada = built.caller(DANA), built.caller(ADA)
    document = submitted(dana, "waiting")
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
