"""The status updater: what is stored of tickets, who is told, and that nothing depends on it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from activities.ticket_status import TicketUpdater
from pao.clients.inspection import WorkflowInspector
from pao.clients.jira.instances import JiraInstances
from tests.support.postgres import Database
from tests.support.requests import Request, new_request, ticket
from tests.support.worker import Workbench, workbench

SEARCH = {"path": "/search"}


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    async with workbench(database, temporal_address, tmp_path) as running:
        yield running


@pytest.fixture
async def jira(bench: Workbench) -> AsyncIterator[JiraInstances]:
    instances = JiraInstances([bench.jira.instance()])
    yield instances
    instances.close()


async def turn(bench: Workbench, jira: JiraInstances, *, page: int = 100) -> dict[str, int]:
    inspector = WorkflowInspector(bench.client, task_queue=bench.task_queue)
    return await TicketUpdater(bench.database, inspector, jira, box=bench.box, page=page).update()


async def with_ticket(bench: Workbench) -> tuple[Request, str]:
    request = await bench.submit()
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    return request, action["external_reference"]


async def known(bench: Workbench, request: Request) -> dict[str, Any]:
    [action] = await bench.actions(request)
    return action["ticket_status"] or {}


async def test_the_status_of_open_tickets_is_kept_until_they_are_done(
    bench: Workbench, jira: JiraInstances
) -> None:
    request, key = await with_ticket(bench)
    first = await turn(bench, jira)
    assert (first["asked"], first["changed"]) == (1, 1)
    assert (await known(bench, request))["statusCategory"] == "new"
    bench.jira.move(key, "In Progress")
    assert (await turn(bench, jira))["changed"] == 1
    kept = await known(bench, request)
    assert (kept["status"], kept["mappedStatus"]) == ("In Progress", "in_progress")
    bench.jira.move(key, "Done")
    await turn(bench, jira)
    assert (await known(bench, request))["statusCategory"] == "done"
    assert (await turn(bench, jira))["asked"] == 0


async def test_a_jira_that_does_not_answer_leaves_what_is_known(
    bench: Workbench, jira: JiraInstances
) -> None:
    request, _ = await with_ticket(bench)
    await turn(bench, jira)
    before = await known(bench, request)
    bench.jira.fault("status", status=503, times=100, match=SEARCH)
    assert (await turn(bench, jira))["unanswered"] == 1
    assert await known(bench, request) == before


async def test_a_ticket_that_is_gone_is_not_asked_for_again(
    bench: Workbench, jira: JiraInstances
) -> None:
    request, _ = await with_ticket(bench)
    bench.jira.reset()
    assert (await turn(bench, jira))["gone"] == 1
    assert (await known(bench, request))["gone"] is True
    assert (await turn(bench, jira))["asked"] == 0


async def test_every_ticket_gets_its_turn_however_many_there_are(
    bench: Workbench, jira: JiraInstances
) -> None:
    requests = [(await with_ticket(bench))[0] for _ in range(3)]
    for _ in requests:
        assert (await turn(bench, jira, page=1))["asked"] == 1
    assert all([await known(bench, request) for request in requests])


async def test_a_workflow_that_waits_for_its_ticket_is_told_that_it_is_resolved(
    bench: Workbench, jira: JiraInstances
) -> None:
    request = await bench.failed()
    await bench.stop_worker()
    other, key = await ticket_of_another(bench)
    async with bench.owning() as owner, owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(
            "UPDATE request_actions SET status = 'waiting', external_reference = $2, waiting = $3"
            " WHERE request_id = $1",
            request.id,
            key,
            '{"kind": "resolution"}',
        )
    assert (await turn(bench, jira))["resolved"] == 0
    bench.jira.move(key, "Done")
    assert (await turn(bench, jira))["resolved"] == 1
    history = await bench.handle(request).fetch_history()
    [told] = [
        event.workflow_execution_signaled_event_attributes
        for event in history.events
        if event.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert told.signal_name == "ticket_resolved"
    [payload] = await bench.client.data_converter.decode(list(told.input.payloads))
    assert (payload["actionId"], payload["mappedStatus"]) == ("ticket", "completed")
    assert other is not None


async def ticket_of_another(bench: Workbench) -> tuple[Request, str]:
    await bench.start_worker()
    made = await with_ticket(bench)
    await bench.stop_worker()
    return made


async def test_a_wait_for_a_ticket_that_was_deleted_fails_and_the_ticket_stays_listed(
    bench: Workbench, jira: JiraInstances
) -> None:
    waits = ticket()
    waits["config"]["waitFor"] = "resolved"
    request = await bench.submit(new_request(waits))
    await bench.is_waiting(request)
    [before] = await bench.actions(request)
    bench.jira.reset()
    assert (await turn(bench, jira))["gone"] == 1
    assert (await bench.row(request))["status"] == "in_progress"
    assert (await turn(bench, jira))["gone"] == 1
    row = await bench.reached(request, "failed")
    assert f"Ticket {before['external_reference']} no longer exists" in row["error"]["message"]
    [left] = row["error_context"]["partialResources"]
    assert left["id"] == before["external_reference"]
    await with_ticket(bench)  # The stand-in began anew: somebody else's ticket has that key now.
    await bench.decide(request, "retry")
    await bench.is_waiting(request)
    [action] = await bench.actions(request)
    assert action["external_reference"] != left["id"]
    assert [one["id"] for one in action["partial"]] == [left["id"]], "PAO may only not see it"
    await bench.decide(request, "cancel")
    row = await bench.reached(request, "failed", attempt=2)
    named = [one["id"] for one in row["error_context"]["partialResources"]]
    assert named == [left["id"], action["external_reference"]]
