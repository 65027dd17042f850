"""`pao` against the real API, worker, database, Temporal and the JIRA stand-in."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pao.app.local.postgres import PostgresAddress
from tests.pao.app.cli.scripted import Pao
from tests.pao.app.cli.terminals import Terminal
from tests.support.callers import ADA, DANA, REGION, STRANGER, Person
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack

ITEM = "secret-vault-static"
PASSWORD = "Sup3rSecretValue1"
FIELDS = ("-f", "secretPath=orders/db", "-f", f"secretValue={PASSWORD}")


@pytest.fixture(scope="module")
def module_stack(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("cli-stack")
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder) as stack,
    ):
        yield stack


@pytest.fixture
def stack(module_stack: Stack) -> Iterator[Stack]:
    yield module_stack
    module_stack.jira.clear_faults()


def identity(stack: Stack, person: Person = DANA) -> dict[str, str]:
    key_id, secret = stack.key(person)
    return {
        "PAO_URL": stack.url,
        "PAO_REGION": REGION,
        "PAO_ACCESS_KEY_ID": key_id,
        "PAO_SECRET_ACCESS_KEY": secret,
    }


def failed_request(pao: Pao, stack: Stack, kind: str, **fault: Any) -> str:
    stack.jira.fault(kind, match={"method": "POST"}, **fault)
    result = pao("request", "submit", ITEM, *FIELDS, "--wait", "-o", "json", **identity(stack))
    assert result.exit_code == 1, result.output
    return str(json.loads(result.stdout)["id"])


def test_a_request_becomes_a_ticket_and_can_be_read_back(pao: Pao, stack: Stack) -> None:
    who = identity(stack)

    made = pao("request", "submit", ITEM, *FIELDS, "--wait", "-o", "json", **who)
    assert made.exit_code == 0, made.output
    request = json.loads(made.stdout)
    [action] = request["actions"]

    assert action["externalReference"] in pao("request", "get", request["id"], **who).stdout
    assert "[To Do]" in pao("request", "status", request["id"], **who).stdout
    assert request["id"] in pao("request", "list", "--status", "completed", **who).stdout
    followed = pao("request", "logs", request["id"], "--follow", "-o", "json", **who)
    assert action["externalReference"] in followed.stdout
    assert PASSWORD not in pao("request", "get", request["id"], "-o", "json", **who).stdout


def test_a_failure_is_corrected_and_retried(pao: Pao, stack: Stack) -> None:
    who = identity(stack)
    ident = failed_request(pao, stack, "status", status=400)
    correction = ("--reason", "moved", "-f", "secretPath=orders/other")

    preview = pao("request", "retry", ident, *correction, "--dry-run", **who)
    assert "secretPath: orders/db -> orders/other" in preview.stdout
    assert (
        json.loads(pao("request", "get", ident, "-o", "json", **who).stdout)["status"] == "failed"
    )

    retried = pao("request", "retry", ident, *correction, **who)
    assert retried.exit_code == 0, retried.output
    assert "secretPath: orders/db -> orders/other" in retried.stdout


def test_a_cut_line_is_looked_into_and_the_ticket_adopted(pao: Pao, stack: Stack) -> None:
    who = identity(stack)
    before = len(stack.jira.tickets())
    ident = failed_request(pao, stack, "cut-after")

    assert pao("request", "look", ident, **who).stdout.startswith("found")
    assert pao("request", "retry", ident, "--reason", "adopt", **who).exit_code == 0
    assert len(stack.jira.tickets()) == before + 1


def test_failures_are_aborted_and_escalated_once(pao: Pao, stack: Stack) -> None:
    who = identity(stack)
    aborted, escalated = (failed_request(pao, stack, "status", status=503) for _ in range(2))

    assert pao("request", "abort", aborted, "--reason", "x", **who).exit_code == 0
    assert pao("request", "escalate", escalated, "--reason", "x", **who).exit_code == 0
    assert "ORCHESTRATION-" in pao("request", "escalation", escalated, **who).stdout
    assert pao("request", "abort", escalated, "--reason", "x", **who).exit_code == 1


def test_requests_that_failed_for_one_reason_are_retried_together_and_one_once_more(
    pao: Pao, stack: Stack
) -> None:
    who = identity(stack)
    first, second = (failed_request(pao, stack, "status", status=503) for _ in range(2))
    chosen = ("--all", "--item", ITEM, "--cause", "target-down", "--since", "1h")

    retried = pao("request", "retry", *chosen, "--yes", "-r", "It is back", "-o", "json", **who)

    assert retried.exit_code == 0, retried.output
    rows = {row["id"]: row for row in json.loads(retried.stdout)["data"]}
    assert {rows[ident]["status"] for ident in (first, second)} == {"completed"}
    ticket = pao("request", "get", first, "--jq", ".actions[0].externalReference", **who)
    for reference in (first[:8], ticket.stdout.strip()):
        assert pao("request", "get", reference, "-o", "id", **who).stdout == f"{first}\n"

    refused = pao("request", "resubmit", first[:8], **who)
    assert refused.exit_code == 2
    assert "secretValue: give it again" in refused.stderr
    again = ("-f", f"secretValue={PASSWORD}", "-f", "secretPath=orders/again", "--wait")
    made = pao("request", "resubmit", first[:8], *again, "--jq", ".fields.secretPath", **who)
    assert (made.exit_code, made.stdout) == (0, "orders/again\n"), made.output


def test_an_invalid_submission_names_its_fields_and_exits_with_1(pao: Pao, stack: Stack) -> None:
    result = pao("request", "submit", ITEM, "-f", "nonsense=1", **identity(stack))

    assert result.exit_code == 1
    assert "fields.secretPath" in result.stderr
    assert "fields.nonsense" in result.stderr


def test_who_may_not_is_told_so(pao: Pao, stack: Stack) -> None:
    mine = identity(stack)
    ident = failed_request(pao, stack, "status", status=400)

    assert pao("request", "get", ident, **identity(stack, STRANGER)).exit_code == 4
    assert pao("catalog", "refresh", **mine).exit_code == 3
    assert pao("catalog", "refresh", **identity(stack, ADA)).exit_code == 0
    assert pao("request", "get", ident, **{**mine, "PAO_SECRET_ACCESS_KEY": "x"}).exit_code == 3


def test_the_service_is_healthy_and_browsable(pao: Pao, stack: Stack) -> None:
    who = identity(stack)

    assert pao("health", **who).exit_code == 0
    assert pao("health", "ready", **who).exit_code == 0
    assert "pao_catalog_items" in pao("metrics", "--filter", "catalog_items", **who).stdout
    assert ITEM in pao("catalog", "list", **who).stdout
    assert "secretPath" in pao("catalog", "get", ITEM, **who).stdout


def test_a_form_is_filled_in_on_a_terminal_and_corrected_after_a_failure(
    on_terminal: Callable[..., Terminal], stack: Stack
) -> None:
    who = identity(stack)
    stack.jira.fault("status", match={"method": "POST"}, status=400)
    terminal = on_terminal("request", "submit", ITEM, NO_COLOR="1", **who)
    terminal.next("Secret in the Vault")
    terminal.answer("Path in the vault", "/orders")
    terminal.answer("must look like", "orders/db")
    terminal.answer("Stored encrypted", "short")
    terminal.answer("at least 12 characters", PASSWORD)
    terminal.answer("again", PASSWORD)
    terminal.answer("Replace before", "2020-01-01")
    terminal.answer("on or after", "")
    terminal.answer("Remind", "")
    terminal.answer("Submit?", "")
    assert terminal.ends_with() == 1, terminal.seen
    assert PASSWORD not in terminal.seen
    found = re.search(r"Request ([0-9a-f-]{36})", terminal.screen)
    assert found

    terminal = on_terminal(
        "request", "retry", found[1], "--reason", "moved", "--ask", NO_COLOR="1", **who
    )
    terminal.answer("Retry?", "path", "/orders", "orders/other")
    terminal.next("orders/other")
    terminal.answer("Retry?", "")
    assert terminal.ends_with() == 0, terminal.seen
