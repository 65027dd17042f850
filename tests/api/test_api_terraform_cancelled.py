"""A running Terraform is cancelled by a person, whichever way, and the request waits for them."""

import json
import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from temporalio.client import Client
from typer.testing import CliRunner

from pao.app.cli.main import app as pao_app
from pao.app.local.postgres import PostgresAddress
from pao.core.names import workflow_id
from tests.support.callers import DANA
from tests.support.postgres import cloned_database
from tests.support.requests import automatic
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.terraform import PAIR, StateServer

REASON = "the wrong workspace"
COMMANDS = """
resource "terraform_data" "first" { input = "first" }
resource "terraform_data" "second" {
  input = terraform_data.first.output
  provisioner "local-exec" { command = COMMAND }
}
"""
IN_ORDER = "echo $$ > FOLDER/child; until [ -e FOLDER/go ]; do sleep 0.05; done"
STUBBORN = "kill -STOP $PPID; setsid sleep 1000 & echo $! > FOLDER/child; sleep 1000"
"""Terraform, which runs this, is stopped by it and so cannot end in order."""

Cancel = Callable[[Stack, str], None]


def by_api(stack: Stack, request_id: str) -> None:
    answer = stack.caller(DANA).post(f"/requests/{request_id}/cancel", json={"reason": REASON})
    assert answer.status_code in {200, 202}, answer.text


def by_cli(stack: Stack, request_id: str) -> None:
    key, secret = stack.key(DANA)
    environ = {
        "PAO_URL": stack.url,
        "PAO_ACCESS_KEY_ID": key,
        "PAO_SECRET_ACCESS_KEY": secret,
        "PAO_REGION": stack.settings.auth.region,
        "NO_COLOR": "1",
    }
    command = ["request", "cancel", request_id, "--reason", REASON]
    result = CliRunner().invoke(pao_app, command, env=environ)
    assert result.exit_code == 0, result.output


def by_temporal(stack: Stack, request_id: str) -> None:
    async def cancel() -> None:
        client = await Client.connect(stack.environ["TEMPORAL_ADDRESS"])
        await client.get_workflow_handle(workflow_id(request_id)).cancel()

    stack.run(cancel())


@pytest.fixture(scope="module")
def states() -> Iterator[StateServer]:
    with StateServer() as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, states: StateServer) -> Path:
    made = tmp_path_factory.mktemp("cancelled")
    (made / "catalog").mkdir()
    address = f"{states.url}/{{{{request.id}}}}"
    addresses = dict.fromkeys(("address", "lock_address", "unlock_address"), address)
    backend = {"type": "http", "config": {**addresses, "retry_max": "0"}}
    modules = {"held": PAIR, "in-order": IN_ORDER, "stubborn": STUBBORN}
    for name, text in modules.items():
        command = json.dumps(text.replace("FOLDER", str(made)))
        module = text if text is PAIR else COMMANDS.replace("COMMAND", command)
        (made / "modules" / name).mkdir(parents=True)
        (made / "modules" / name / "main.tf").write_text(module)
        config: dict[str, Any] = {"source": {"path": name}, "backend": backend}
        config |= {"variables": {"name": "x"}} if text is PAIR else {}
        action = {"id": "infra", "name": "Build it", "type": "terraform", "config": config}
        document = automatic(action)
        document["metadata"] |= {"id": name, "name": name}
        (made / "catalog" / f"{name}.yaml").write_text(yaml.safe_dump(document))
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


@pytest.fixture(autouse=True)
def _fresh(folder: Path, states: StateServer) -> None:
    """Every test has a state of its own, and its own word of what has begun."""
    states.states.clear()
    states.hold = None
    states.holding.clear()
    states.let_go.clear()
    for name in ("child", "go"):
        (folder / name).unlink(missing_ok=True)


def submit_terraform(dana: httpx.Client, item: str) -> str:
    answer = dana.post("/requests", json={"catalogItemId": item, "fields": {"title": "orders"}})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def until(dana: httpx.Client, request_id: str, status: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        shown: dict[str, Any] = dana.get(f"/requests/{request_id}").json()
        return shown if shown["status"] == status and not shown["retrying"] else None

    found = wait_until(there)
    assert found is not None
    return found


def child_of(folder: Path) -> Path:
    """Wait for what the module has started; gives the folder of its process."""
    file = folder / "child"
    wait_until(lambda: file.exists() and file.read_text().strip())
    return Path("/proc") / file.read_text().strip()


def left(document: dict[str, Any]) -> list[str]:
    return [one["id"] for one in document["errorContext"]["partialResources"]]


@pytest.mark.parametrize("cancel", [by_api, by_cli, by_temporal])
def test_what_was_made_is_listed_and_a_retry_makes_the_rest(
    built: Stack, folder: Path, states: StateServer, cancel: Cancel
) -> None:
    dana = built.caller(DANA)
    request_id = submit_terraform(dana, "in-order")
    child = child_of(folder)
    cancel(built, request_id)
    failed = until(dana, request_id, "failed")

    assert not child.exists()
    assert states.lock is None
    assert states.addresses == ["terraform_data.first", "terraform_data.second"]
    assert left(failed) == ["terraform_data.first", "terraform_data.second"]
    assert "cancelled and stopped in order" in failed["error"]["message"]
    assert failed["possibleDecisions"] == ["retry", "abort", "escalate"]
    [decision] = failed["decisions"]
    assert (decision["decision"], decision["outcome"]) == ("cancel", "done")
    assert decision["by"] == ("temporal" if cancel is by_temporal else DANA.name)

    (folder / "go").touch()
    answer = dana.post(f"/requests/{request_id}/retry", json={"reason": "it is the right one"})
    assert answer.is_success, answer.text
    completed = until(dana, request_id, "completed")
    assert completed["actions"][0]["outputs"]["plan"] == {"add": 1, "change": 0, "destroy": 1}


def test_what_does_not_end_is_killed_with_all_that_it_started_and_unlocked(
    built: Stack, folder: Path, states: StateServer
) -> None:
    dana = built.caller(DANA)
    request_id = submit_terraform(dana, "stubborn")
    child = child_of(folder)
    by_api(built, request_id)
    failed = until(dana, request_id, "failed")

    assert not child.exists()
    assert states.lock is None
    assert failed["error"]["outcomeUnknown"]
    assert left(failed) == ["terraform_data.first", "terraform_data.second"]


@pytest.mark.parametrize(("held", "made"), [("POST", True), ("GET", False)])
def test_a_backend_that_hangs_holds_nobody(
    built: Stack, states: StateServer, *, held: str, made: bool
) -> None:
    dana = built.caller(DANA)
    states.hold = held
    request_id = submit_terraform(dana, "held")
    wait_until(states.holding.is_set)
    states.hold = None
    by_api(built, request_id)
    failed = until(dana, request_id, "failed")
    states.let_go.set()

    assert states.lock is None
    assert failed["error"]["outcomeUnknown"] is made
    assert left(failed) == (["terraform_data.first", "terraform_data.second"] if made else [])
    assert ("this attempt has changed nothing" in failed["error"]["message"]) is not made
