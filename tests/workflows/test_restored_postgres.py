"""Postgres was restored from an older copy: what it lacks, the workflows tell it again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.mirror_rebuild import Rebuilder, RebuildResult
from activities.reconciler import Reconciler, RunLimits
from pao.clients.inspection import WorkflowInspector
from tests.support.bundles import new_bundle
from tests.support.postgres import Database
from tests.support.requests import Request, new_request, ticket
from tests.support.worker import Workbench, eventually, workbench

SECOND = {"method": "POST", "path": "/issue$", "summaryContains": "second"}
TABLES = ("request_events", "decisions", "request_audience", "request_actions")


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    async with workbench(database, temporal_address, tmp_path) as running:
        yield running


async def lose(bench: Workbench, *requests: Request) -> None:
    """Have the database lack these requests, as a copy does that is older than they are."""
    async with bench.owning() as owner, owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        for request in requests:
            for table in TABLES:
                statement = f"DELETE FROM {table} WHERE request_id = $1"  # noqa: S608 -- a constant
                await owner.execute(statement, request.id)
            await owner.execute("DELETE FROM audit_logs WHERE request_id = $1", request.id)
            await owner.execute("DELETE FROM requests WHERE id = $1", request.id)


async def set_back(bench: Workbench, request: Request, status: str, *, seq: int) -> None:
    """Have the row stand where an earlier write of its run had left it."""
    async with bench.owning() as owner, owner.transaction():
        await owner.execute("SET LOCAL session_replication_role = replica")
        await owner.execute(
            "UPDATE requests SET status = $2, mirror_seq = $3, error = NULL, error_context = NULL,"
            " mirror_at = mirror_at - interval '1 minute' WHERE id = $1",
            request.id,
            status,
            seq,
        )
        await owner.execute(
            "UPDATE request_actions SET status = 'in_progress', attempt = 1, error = NULL"
            " WHERE request_id = $1",
            request.id,
        )
        await owner.execute("DELETE FROM decisions WHERE request_id = $1", request.id)


async def turn(bench: Workbench) -> dict[str, int]:
    inspector = WorkflowInspector(bench.client, task_queue=bench.task_queue)
    turns = RunLimits(quiet=timedelta(seconds=-5))
    reconciler = Reconciler(bench.database, bench.workflows, inspector, limits=turns)
    return await reconciler.reconcile()


async def is_listed(bench: Workbench, *requests: Request) -> None:
    """Wait until Temporal's search, which lags, shows the workflows as running."""
    inspector = WorkflowInspector(bench.client, task_queue=bench.task_queue)
    wanted = {request.id for request in requests}

    async def there() -> bool:
        return wanted <= {one.request_id for one in await inspector.running(limit=100)}

    await eventually(there)


async def test_a_signal_makes_a_lost_row_anew_and_is_carried_out(bench: Workbench) -> None:
    request = await bench.failed()
    await lose(bench, request)
    record = await bench.decide(request, "retry", reason="it is back")
    assert (record.outcome, record.via) == ("done", "api")
    row = await bench.reached(request, "completed")
    assert (row["user_id"], row["catalog_item_id"]) == ("dana", "thing")
    assert row["metadata"] == request.metadata
    assert [one["status"] for one in await bench.actions(request)] == ["completed"]
    assert len(bench.tickets(request)) == 1
    assert "request.restored" in await bench.events(request)


async def test_the_reconciler_finds_running_requests_that_have_no_row(bench: Workbench) -> None:
    request = await bench.failed(times=2)
    await bench.decide(request, "retry", decisionId="d-1", fields={"size": 7})
    before = await bench.reached(request, "failed", attempt=2)
    await is_listed(bench, request)
    await lose(bench, request)
    assert (await turn(bench))["missing"] == 1
    after = await bench.row(request)
    for name in ("status", "fields", "error", "error_context", "plan", "created_at", "run_id"):
        assert after[name] == before[name], name
    [decision] = await bench.decisions(request)
    assert (decision["decision_id"], decision["outcome"]) == ("d-1", "done")
    assert (await turn(bench))["missing"] == 0
    assert (await bench.decide(request, "abort")).outcome == "done"
    await bench.reached(request, "aborted")


async def test_a_request_that_ends_before_its_row_is_back_is_stored_as_it_ended(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    await lose(bench, request)
    await bench.signal(request, "abort", {"by": "ann", "decisionId": "d-1"})
    await bench.handle(request).result()
    row = await bench.reached(request, "aborted")
    assert row["error"]["httpStatus"] == 400
    assert [one["outcome"] for one in await bench.decisions(request)] == ["done"]


async def test_a_bundle_and_its_components_are_made_anew(bench: Workbench) -> None:
    bench.jira.fault("status", status=400, match={"summaryContains": "left"})
    bundle = new_bundle(after={"left": [], "right": []})
    request = await bundle.submit(bench)
    await bench.reached(request, "failed")
    await is_listed(bench, request, bundle.parts["left"])
    await lose(bench, bundle.parts["left"], request)
    await eventually(lambda: made(bench, request, bundle.parts["left"]))
    record = await bench.decide(bundle.parts["left"], "retry")
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")


async def made(bench: Workbench, *requests: Request) -> bool:
    await turn(bench)
    found = [
        await bench.rows("SELECT run_id FROM requests WHERE id = $1", one.id) for one in requests
    ]
    return all(rows and rows[0]["run_id"] for rows in found)


async def test_an_older_row_catches_up_with_the_next_write(bench: Workbench) -> None:
    request = new_request(ticket("first"), ticket("second"))
    await bench.failed(request, match=SECOND, times=2)
    await bench.decide(request, "retry", decisionId="d-1")
    await bench.reached(request, "failed", attempt=2)
    await set_back(bench, request, "in_progress", seq=2)
    record = await bench.decide(request, "retry", decisionId="d-2")
    assert record.outcome == "done", record.message
    await bench.reached(request, "completed")
    assert [one["status"] for one in await bench.actions(request)] == ["completed"] * 2
    known = {one["decision_id"]: one["outcome"] for one in await bench.decisions(request)}
    assert known == {"d-1": "done", "d-2": "done"}


async def test_an_older_row_catches_up_although_its_workflow_ends_by_the_next_write(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    await set_back(bench, request, "submitted", seq=1)
    await bench.signal(request, "abort", {"by": "ann"})
    row = await bench.reached(request, "aborted")
    assert row["error"]["httpStatus"] == 400
    [action] = await bench.actions(request)
    assert action["status"] == "failed"


async def rebuilt(bench: Workbench) -> RebuildResult:
    inspector = WorkflowInspector(bench.client, task_queue=bench.task_queue)
    return await Rebuilder(bench.database, inspector).rebuild()


async def test_a_rebuild_makes_ended_requests_anew_and_has_open_ones_write(
    bench: Workbench,
) -> None:
    titled = new_request()
    titled.context.title = "orders-db"
    completed = await bench.submit(titled)
    before = {completed.id: await bench.reached(completed, "completed")}
    aborted, failed = await bench.failed(), await bench.failed()
    await bench.decide(aborted, "abort", decisionId="d-1")
    before |= {aborted.id: await bench.reached(aborted, "aborted")}
    before |= {failed.id: await bench.row(failed)}
    everything = (completed, aborted, failed)
    await eventually(lambda: all_known(bench, *everything))
    await lose(bench, *everything)
    both = await asyncio.gather(rebuilt(bench), rebuilt(bench))
    assert [(one.written, one.unanswered) for one in both] == [(1, ()), (1, ())]
    assert sum(one.made for one in both) == 2
    for request in everything:
        row = await bench.row(request)
        for name in ("status", "fields", "error", "error_context", "plan", "user_id", "created_at"):
            assert row[name] == before[request.id][name], name
    assert (await bench.row(completed))["title"] == "orders-db"
    [action] = await bench.actions(completed)
    assert action["external_reference"] == bench.tickets(completed)[0]["key"]
    assert [one["outcome"] for one in await bench.decisions(aborted)] == ["done"]
    told = await bench.rows("SELECT request_id FROM audit_logs WHERE actor = 'rebuild'")
    assert sorted(str(row["request_id"]) for row in told) == sorted((completed.id, aborted.id))
    again = await rebuilt(bench)
    assert (again.written, again.made) == (1, 0)


async def test_a_rebuild_brings_an_older_row_up_to_date_that_looks_right(
    bench: Workbench,
) -> None:
    request = await bench.failed(times=2)
    await bench.decide(request, "retry", decisionId="d-1")
    await bench.reached(request, "failed", attempt=2)
    await set_back(bench, request, "failed", seq=2)
    await eventually(lambda: all_known(bench, request))
    assert (await rebuilt(bench)).written == 1
    [action] = await bench.actions(request)
    assert (action["status"], action["attempt"]) == ("failed", 2)
    assert [one["outcome"] for one in await bench.decisions(request)] == ["done"]


async def test_a_request_whose_worker_is_away_is_named_and_the_others_are_rebuilt(
    bench: Workbench,
) -> None:
    request = await bench.failed()
    await eventually(lambda: all_known(bench, request))
    await bench.stop_worker()
    assert (await rebuilt(bench)).unanswered == (request.id,)


async def all_known(bench: Workbench, *requests: Request) -> bool:
    """Return whether Temporal's search, which lags, shows the workflows as they are."""
    inspector = WorkflowInspector(bench.client, task_queue=bench.task_queue)
    shown = {one.request_id: one.runs for one in await inspector.list_known()}
    rows = {one.id: (await bench.row(one))["status"] == "failed" for one in requests}
    return all(shown.get(id_) == runs for id_, runs in rows.items())
