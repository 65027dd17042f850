"""Tickets that are waited for until people have resolved them, with every part real but JIRA."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pao.app.local.postgres import PostgresAddress
from pao.core import names
from tests.pao.app.cli.scripted import Pao
from tests.support.callers import DANA, REGION
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import new_host, tickets_of

ITEM = "network-partner-link"


@pytest.fixture(scope="module")
def stack(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("waited-tickets")
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder) as running,
    ):
        yield running


def identity(stack: Stack) -> dict[str, str]:
    key_id, secret = stack.key(DANA)
    return {
        "PAO_URL": stack.url,
        "PAO_REGION": REGION,
        "PAO_ACCESS_KEY_ID": key_id,
        "PAO_SECRET_ACCESS_KEY": secret,
    }


def submitted(pao: Pao, stack: Stack) -> dict[str, Any]:
    partner = new_host()
    made = pao(
        "request", "submit", ITEM, "-f", f"partner={partner}", "-o", "json", **identity(stack)
    )
    request_id = json.loads(made.stdout)["id"]
    return wait_until(lambda: at(stack, request_id, "waiting"))


def get(stack: Stack, request_id: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.caller().get(f"/requests/{request_id}").json()
    return found


def at(stack: Stack, request_id: str, status: str) -> Any:
    """Return the request when its first action has come there."""
    found = get(stack, request_id)
    return found if found["actions"][0]["status"] == status and not found["retrying"] else None


def ended(stack: Stack, request_id: str, status: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        found = get(stack, request_id)
        return found if found["status"] == status and not found["retrying"] else None

    found = wait_until(there)
    assert found is not None
    return found


def turn(stack: Stack) -> dict[str, Any]:
    """Have the status updater go round once, as its schedule does."""
    handle = stack.run(
        stack.temporal.start_workflow(
            names.TICKETS_WORKFLOW, id=f"{stack.task_queue}-turn", task_queue=stack.task_queue
        )
    )
    found: dict[str, Any] = stack.run(handle.result())
    return found


def test_a_ticket_that_people_resolve_ends_the_wait_and_what_follows_knows_how(
    pao: Pao, stack: Stack
) -> None:
    request = submitted(pao, stack)
    key = request["actions"][0]["externalReference"]
    shown = pao("request", "get", request["id"], **identity(stack)).stdout
    assert (request["status"], request["actions"][1]["status"]) == ("in_progress", "pending")
    assert "waiting" in shown
    assert f"waits until {key} is resolved" in shown

    stack.jira.move(key, "In Progress")
    assert turn(stack)["resolved"] == 0
    status = stack.caller().get(f"/requests/{request['id']}/status").json()
    assert (status["status"], status["tickets"][0]["status"]) == ("in_progress", "In Progress")
    assert "[In Progress]" in pao("request", "status", request["id"], **identity(stack)).stdout

    stack.jira.move(key, "Done")
    assert turn(stack)["resolved"] == 1
    done = ended(stack, request["id"], "completed")
    outputs = done["actions"][0]["outputs"]
    assert (outputs["key"], outputs["status"], outputs["resolution"]) == (key, "Done", "Done")
    [row] = stack.rows(
        "SELECT status, outputs FROM request_actions WHERE request_id = $1 AND action_id = 'link'",
        request["id"],
    )
    assert (row["status"], row["outputs"]["resolution"]) == ("completed", "Done")
    [_, review] = tickets_of(stack, done)
    assert f"Built with {key}, which ended as Done\n(Done)." in review["description"]


def test_a_ticket_that_will_not_be_done_fails_and_a_retry_looks_at_the_same_ticket_again(
    pao: Pao, stack: Stack
) -> None:
    request = submitted(pao, stack)
    key = request["actions"][0]["externalReference"]
    stack.jira.move(key, "Won't Do")
    assert turn(stack)["resolved"] == 1
    failed = ended(stack, request["id"], "failed")
    assert f"Ticket {key} was resolved as Won't Do" in failed["error"]["message"]
    assert [one["id"] for one in failed["errorContext"]["partialResources"]] == [key]

    again = pao("request", "retry", request["id"], "--reason", "tell me", **identity(stack))
    assert again.exit_code == 1, again.output
    assert f"Ticket {key} was resolved as Won't Do" in again.output
    assert "Suggested: abort" in again.output
    assert get(stack, request["id"])["actions"][0]["attempt"] == 2

    stack.jira.move(key, "In Progress")
    pao("request", "retry", request["id"], "--reason", "it was reopened", **identity(stack))
    waiting = wait_until(lambda: at(stack, request["id"], "waiting"))
    assert (waiting["status"], waiting["actions"][0]["adopted"]) == ("in_progress", True)
    stack.jira.move(key, "Done")
    assert turn(stack)["resolved"] == 1
    done = ended(stack, request["id"], "completed")
    assert done["actions"][0]["externalReference"] == key
    assert len(tickets_of(stack, done)) == 2


def test_a_ticket_resolved_while_no_worker_is_there_is_not_lost(pao: Pao, stack: Stack) -> None:
    request = submitted(pao, stack)
    stack.stop_worker()
    stack.jira.move(request["actions"][0]["externalReference"], "Done")
    stack.start_worker()
    assert turn(stack)["resolved"] == 1
    ended(stack, request["id"], "completed")


def test_a_waiting_request_is_cancelled_by_the_command_and_a_rebuild_writes_it_again(
    pao: Pao, stack: Stack
) -> None:
    document = submitted(pao, stack)
    arguments = ("request", "cancel", document["id"], "--reason", "nobody will do it")
    result = pao(*arguments, "-o", "json", **identity(stack))
    assert result.exit_code == 0, result.output
    failed = wait_until(lambda: found_failed(stack, document["id"]))
    assert failed is not None
    assert "Cancelled by dana: nobody will do it" in failed["error"]["message"]

    def rebuilt() -> bool:
        done = pao("db", "rebuild", "-o", "json", **stack.environ)
        assert done.exit_code == 0, done.output
        return bool(json.loads(done.stdout)["written"])

    wait_until(rebuilt)
    after = get(stack, document["id"])
    assert {**after, "updatedAt": ""} == {**failed, "updatedAt": ""}


def found_failed(stack: Stack, request_id: str) -> dict[str, Any] | None:
    document = get(stack, request_id)
    return document if document["status"] == "failed" else None
