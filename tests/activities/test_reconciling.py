"""Rows and workflows that disagree: found, repaired, counted, and none holds up another."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.reconciler import Reconciler, RunLimits
from activities.reconciliation_rules import Divergence, compare
from db.repositories.maintenance_runs import MaintenanceRunRecord, MaintenanceRunsRepository
from db.repositories.open_requests import OpenRequest
from pao.clients.inspection import WorkflowInspector, WorkflowPresence, WorkflowState
from pao.core.states import RequestStatus
from tests.support.postgres import Database
from tests.support.requests import Request, new_request, ticket
from tests.support.worker import Workbench, eventually, workbench

AT_ONCE = timedelta(seconds=-5)
SECOND = {"method": "POST", "path": "/issue$", "summaryContains": "second"}
NOTHING = {"behind": 0, "ended": 0, "lost": 0, "missing": 0, "unrepaired": 0}


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    async with workbench(database, temporal_address, tmp_path) as running:
        yield running


def reconciler(bench: Workbench, **turns: object) -> Reconciler:
    given = RunLimits(**{"quiet": AT_ONCE, **turns})  # type: ignore[arg-type]  # a test's words
    inspector = WorkflowInspector(bench.client, task_queue=bench.task_queue)
    return Reconciler(bench.database, bench.workflows, inspector, limits=given)


async def turn(bench: Workbench, **turns: object) -> dict[str, int]:
    found = await reconciler(bench, **turns).reconcile()
    found.pop("checked")
    return found


async def last(bench: Workbench) -> MaintenanceRunRecord:
    async with bench.database.reading() as session:
        noted = await MaintenanceRunsRepository(session).last("reconciler")
    assert noted is not None
    return noted


async def broken(bench: Workbench, request: Request, change: str) -> None:
    """Have the row say something else, as a restored copy of the database would."""
    async with bench.owning() as owner, owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        statement = f"UPDATE requests SET {change} WHERE id = $1"  # noqa: S608 -- a test's words
        await owner.execute(statement, request.id)


async def test_where_all_agree_nothing_is_done(bench: Workbench) -> None:
    await bench.failed()
    request = await bench.submit()
    await bench.reached(request, "completed")
    assert await turn(bench) == NOTHING


async def test_a_request_whose_workflow_was_terminated_waits_in_failed_with_that_reason(
    bench: Workbench,
) -> None:
    bench.jira.fault("slow", seconds=0.4, when="before", match=SECOND)
    request = await bench.submit(new_request(ticket("first"), ticket("second")))
    await eventually(lambda: not bench.jira.faults())
    await bench.handle(request).terminate(reason="cleaning up")
    assert await turn(bench) == {**NOTHING, "lost": 1}
    row = await bench.reached(request, "failed")
    assert "was terminated in Temporal: cleaning up" in row["error"]["message"]
    await eventually(lambda: in_newest_run(bench, request))
    assert (await bench.row(request))["error"]["outcomeUnknown"]
    [failed] = [one for one in await bench.audit(request) if one["event_type"] == "request.failed"]
    assert (failed["actor"], failed["event_data"]["from"]) == ("reconciler", "in_progress")
    await eventually(lambda: len(bench.tickets(request)) == 2)
    record = await bench.decide(request, "retry")
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 2
    assert await turn(bench) == NOTHING


async def test_a_failed_request_keeps_its_error_when_its_workflow_is_gone(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    await bench.terminate(request)
    assert await turn(bench) == {**NOTHING, "lost": 1}
    await eventually(lambda: in_newest_run(bench, request))
    row = await bench.row(request)
    assert (row["status"], row["error"]["httpStatus"]) == ("failed", 400)
    assert (await bench.decide(request, "abort")).outcome == "done"
    await bench.reached(request, "aborted")


async def test_a_workflow_that_timed_out_is_taken_up_before_any_worker_took_it(
    bench: Workbench,
) -> None:
    await bench.stop_worker()
    request = await bench.store(new_request())
    await bench.client.start_workflow(
        "RequestWorkflow",
        request.given,
        id=request.workflow_id,
        task_queue=bench.task_queue,
        execution_timeout=timedelta(seconds=1),
    )
    await eventually(lambda: has_closed(bench, request))
    await bench.start_worker()
    assert await turn(bench) == {**NOTHING, "lost": 1}
    row = await bench.reached(request, "failed")
    assert row["error"]["message"] == "The workflow timed out in Temporal."
    await eventually(lambda: in_newest_run(bench, request))
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")


async def test_a_request_that_temporal_does_not_know_any_more_is_taken_up(
    bench: Workbench,
) -> None:
    request = await bench.store(new_request())
    await bench.mirror_by_another(request, at=datetime.now(UTC))
    assert await turn(bench) == {**NOTHING, "lost": 1}
    row = await bench.reached(request, "failed")
    assert "no longer knows" in row["error"]["message"]


async def test_what_was_never_started_is_the_sweepers_until_it_is_too_old(
    bench: Workbench,
) -> None:
    request = await bench.store(new_request())
    assert await turn(bench) == NOTHING
    assert await turn(bench, memory=timedelta(0)) == {**NOTHING, "lost": 1}
    row = await bench.reached(request, "failed")
    assert "never started" in row["error"]["message"]


async def test_a_mirror_behind_its_living_workflow_is_written_again(bench: Workbench) -> None:
    request = await bench.failed()
    await broken(bench, request, "status = 'in_progress', error = NULL")
    assert await turn(bench) == {**NOTHING, "behind": 1}
    row = await bench.row(request)
    assert (row["status"], row["error"]["httpStatus"]) == ("failed", 400)
    assert await turn(bench) == NOTHING


@pytest.mark.parametrize("status", ["submitted", "in_progress", "failed"])
@pytest.mark.parametrize("decision", ["", "abort", "escalate"])
async def test_a_mirror_that_missed_the_end_shows_it(
    bench: Workbench, status: str, decision: str
) -> None:
    if decision:
        request = await bench.failed()
        await bench.decide(request, decision)
    else:
        request = await bench.submit()
    await bench.handle(request).result()
    before = await bench.row(request)
    await broken(bench, request, f"status = '{status}', escalation_ticket_key = NULL")
    assert await turn(bench) == {**NOTHING, "ended": 1}
    after = await bench.row(request)
    assert after["status"] == before["status"]
    assert after["escalation_ticket_key"] == before["escalation_ticket_key"]
    assert (await bench.audit(request))[-1]["actor"] == "reconciler"
    assert await turn(bench) == NOTHING


async def test_one_that_cannot_be_mended_is_counted_and_holds_up_no_other(
    bench: Workbench,
) -> None:
    stuck = await bench.failed()
    await broken(bench, stuck, "error = NULL, plan = '[{\"unknown\": 1}]'")
    other = await bench.failed()
    await bench.terminate(stuck)
    await bench.terminate(other)
    assert await turn(bench) == {**NOTHING, "lost": 1, "unrepaired": 1}
    await eventually(lambda: in_newest_run(bench, other))
    noted = await last(bench)
    assert noted.result["unrepaired"] == 1
    await turn(bench)
    noted = await last(bench)
    assert (noted.totals["unrepaired"], noted.totals["lost"]) == (2, 1)


async def test_all_open_requests_get_their_turn_however_many_there_are(bench: Workbench) -> None:
    requests = [await bench.failed() for _ in range(3)]
    for request in requests:
        await broken(bench, request, "status = 'in_progress'")
    found = [await turn(bench, page=1, at_once=1) for _ in range(3)]
    assert [one["behind"] for one in found] == [1, 1, 1]
    assert {(await bench.row(request))["status"] for request in requests} == {"failed"}


async def test_two_reconcilers_at_once_start_one_workflow(bench: Workbench) -> None:
    request = await bench.failed()
    await bench.terminate(request)
    first, second = reconciler(bench), reconciler(bench)
    await first.reconcile()
    await second.reconcile()
    await eventually(lambda: in_newest_run(bench, request))
    assert [one["event_type"] for one in await bench.audit(request)].count("request.resumed") == 1


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def row(status: RequestStatus, run_id: str | None = "run") -> OpenRequest:
    return OpenRequest("id", status, run_id, NOW, 1, "correlation", NOW, NOW)


@pytest.mark.parametrize(
    ("stored", "standing", "divergence"),
    [
        (
            row(RequestStatus.FAILED),
            WorkflowState(presence=WorkflowPresence.RUNNING, run_id="run", status="failed"),
            "agrees",
        ),
        (
            row(RequestStatus.FAILED),
            WorkflowState(presence=WorkflowPresence.RUNNING, run_id="new", status="failed"),
            "behind",
        ),
        (
            row(RequestStatus.FAILED),
            WorkflowState(presence=WorkflowPresence.RUNNING, run_id="run", status="aborted"),
            "behind",
        ),
        (
            row(RequestStatus.SUBMITTED, None),
            WorkflowState(presence=WorkflowPresence.RUNNING, status="submitted"),
            "agrees",
        ),
        (
            row(RequestStatus.SUBMITTED, None),
            WorkflowState(presence=WorkflowPresence.UNKNOWN),
            "agrees",
        ),
        (row(RequestStatus.SUBMITTED), WorkflowState(presence=WorkflowPresence.UNKNOWN), "lost"),
        # The reconciler itself may have failed it, and Temporal have refused the start.
        (row(RequestStatus.FAILED, None), WorkflowState(presence=WorkflowPresence.UNKNOWN), "lost"),
        (row(RequestStatus.FAILED), WorkflowState(presence=WorkflowPresence.LOST), "lost"),
        (row(RequestStatus.FAILED), WorkflowState(presence=WorkflowPresence.COMPLETED), "ended"),
    ],
)
def test_every_pair_of_row_and_workflow_has_its_divergence(
    stored: OpenRequest, standing: WorkflowState, divergence: Divergence
) -> None:
    assert compare(stored, standing, now=NOW, memory=timedelta(days=1)) == divergence


async def in_newest_run(bench: Workbench, request: Request) -> bool:
    description = await bench.handle(request).describe()
    return bool((await bench.row(request))["run_id"] == description.run_id)


async def has_closed(bench: Workbench, request: Request) -> bool:
    return (await bench.handle(request).describe()).close_time is not None
