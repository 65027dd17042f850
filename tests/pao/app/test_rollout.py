"""Releases of the worker: a request outlives them, and what cannot go on is stopped before."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.service import RPCError

from pao.app import assembly
from pao.app.local.build import own_build
from pao.app.local.versioned import needed_build
from pao.app.schedules import MAINTENANCE
from pao.app.worker import build_worker
from pao.app.worker.promotion import Promoter
from pao.clients.deployments import Deployment
from pao.clients.queues import polled_queues
from pao.clients.temporal_connection import TemporalTarget, connect
from pao.clients.temporal_server import TemporalServer
from pao.core.states import Decision
from pao.runtime.background import BackgroundTask
from tests.support.builds import Build, make_build
from tests.support.postgres import Database
from tests.support.worker import GRACE, Workbench, eventually, workbench


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    async with workbench(database, temporal_address, tmp_path, with_worker=False) as made:
        yield made
        for one in MAINTENANCE:
            with contextlib.suppress(RPCError):
                await made.client.get_schedule_handle(f"{made.task_queue}-{one.name}").delete()


def deployment(bench: Workbench) -> Deployment:
    return Deployment(bench.client, bench.task_queue)


async def is_current(bench: Workbench, build_id: str | None) -> None:
    async def there() -> bool:
        await asyncio.sleep(0.2)
        return (await deployment(bench).routing()).current == build_id

    await eventually(there, f"build {build_id} never becomes current")


async def is_polling(bench: Workbench, build_id: str) -> None:
    async def there() -> bool:
        # Temporal answers this from a workflow of its own, and not as often as one may ask.
        await asyncio.sleep(0.2)
        return await deployment(bench).polls(build_id, polled_queues(bench.task_queue))

    await eventually(there, f"build {build_id} never polls")


async def passes(build: Build) -> int:
    """Pass the gate with a build; return how many histories it has replayed."""
    code, printed = await build.pao("replay-gate", "-o", "json")
    assert code == 0, printed
    return int(json.loads(printed)["replayed"])


async def test_a_request_waits_across_three_releases_and_a_rollback(
    bench: Workbench, tmp_path: Path
) -> None:
    one = make_build(tmp_path, "one", bench.environ)
    two = make_build(tmp_path, "two", bench.environ, patches=["second"])
    three = make_build(tmp_path, "3.0", bench.environ, patches=["second", "third"])
    broken = make_build(tmp_path, "broken", bench.environ, replays=False)
    async with one.worker():
        await is_current(bench, "one")
        request = await bench.failed()
        assert await passes(two) >= 1
        async with two.worker():
            await is_current(bench, "two")
    async with three.worker():
        await is_current(bench, "3.0")

        code, printed = await broken.pao("replay-gate", "-o", "json")
        assert code == 1
        [failure] = json.loads(printed)["failures"]
        assert failure["workflowId"] == request.workflow_id
        assert failure["reason"].startswith("[TMPRL1100] Nondeterminism error")
        await is_current(bench, "3.0")

        # Back again: the old build may, as long as nothing has begun that it does not know.
        assert await passes(two) >= 1
        async with two.worker():
            await is_current(bench, "two")
            await bench.decide(request, Decision.RETRY)
            await bench.reached(request, "completed", attempt=2)
    assert await builds_of(bench, request.workflow_id) >= {"one", "two"}
    assert len(bench.tickets(request)) == 1


async def builds_of(bench: Workbench, workflow_id: str) -> set[str]:
    """Return the builds that have carried a workflow on."""
    history = await bench.client.get_workflow_handle(workflow_id).fetch_history()
    return {
        event.workflow_task_completed_event_attributes.deployment_version.build_id
        for event in history.events
        if event.HasField("workflow_task_completed_event_attributes")
    }


async def test_a_namespace_that_is_not_there_is_no_deployment_without_builds(
    temporal_address: str,
) -> None:
    client = await connect(TemporalTarget(address=temporal_address, namespace="absent"))
    with pytest.raises(RPCError, match="absent is not found"):
        await Deployment(client, "pao").routing()
    client = await connect(TemporalTarget(address=temporal_address))
    assert (await Deployment(client, "nobody-polls-this").routing()).builds == ()


async def test_without_a_current_build_requests_wait_and_everybody_says_so(
    bench: Workbench, tmp_path: Path
) -> None:
    build = make_build(tmp_path, "first", bench.environ)
    async with build.worker(PAO_PROMOTE="manual") as said:
        await is_polling(bench, "first")
        assert await needed(bench) is None
        pollers = await TemporalServer(bench.client, bench.task_queue).pollers()
        assert (pollers.own, pollers.idle, pollers.current) == (0, ("first",), None)
        code, printed = await build.pao("worker", "promote", "--build-id", "unknown")
        assert code == 4
        assert "Temporal knows: first" in printed

        code, printed = await build.pao("worker", "promote")
        assert code == 0, printed
        await is_current(bench, "first")
        assert await needed(bench) == own_build()
        request = await bench.submit()
        await bench.reached(request, "completed")
        assert (await TemporalServer(bench.client, bench.task_queue).pollers()).own == 1

        code, printed = await build.pao("worker", "promote", "--unversioned")
        assert code == 0, printed
        assert await needed(bench) is None
        await bench.start_worker()
        request = await bench.submit()
        await bench.reached(request, "completed")
        assert await builds_of(bench, request.workflow_id) == {""}
        await bench.stop_worker()
    assert "no build of the workers is current" in said[0]


async def needed(bench: Workbench) -> str | None:
    """Return what `pao up` would give its worker as a build."""
    given = bench.settings.temporal
    return await needed_build(given.address, namespace=given.namespace, task_queue=bench.task_queue)


@asynccontextmanager
async def polling(bench: Workbench, build_id: str) -> AsyncIterator[None]:
    """Run a worker of a build within this process."""
    jira = assembly.jira_instances(bench.settings)
    worker = build_worker(
        bench.client,
        bench.settings,
        database=bench.database,
        jira=jira,
        grace=GRACE,
        deployment=deployment(bench).config(build_id),
    )
    running = asyncio.create_task(worker.run())
    try:
        await is_polling(bench, build_id)
        yield
    finally:
        await worker.shutdown()
        await running
        jira.close()


async def test_a_build_whose_workers_are_gone_is_replaced_and_a_choice_is_kept(
    bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    # Whoever does not poll at this very moment counts as gone.
    impatient = Deployment(bench.client, bench.task_queue, polls_within=timedelta())
    queues = polled_queues(bench.task_queue)
    promoter = Promoter(impatient, "left", queues=queues, automatic=True, check_seconds=0.1)
    async with polling(bench, "left"), polling(bench, "gone"):
        await deployment(bench).promote("gone")
        await promoter._check_routing(is_start=False)
        await is_current(bench, "left")

        await deployment(bench).promote(None)
        with caplog.at_level(logging.ERROR):
            async with BackgroundTask("promotion", promoter.run):
                await eventually(lambda: "no build of the workers is current" in caplog.text)
        await is_current(bench, None)


async def test_a_worker_without_a_build_says_when_it_gets_no_requests(
    bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    # Whoever does not poll at this very moment counts as gone.
    asked = Deployment(bench.client, bench.task_queue, polls_within=timedelta())
    promoter = Promoter(asked, None, queues=polled_queues(bench.task_queue), automatic=True)
    assert not await asked.was_chosen()
    await promoter._check_routing(is_start=False)
    assert caplog.text == ""
    async with polling(bench, "first"):
        await asked.promote("first")
        await eventually(asked.was_chosen)

    async def told() -> bool:
        await promoter._check_routing(is_start=False)
        return "this one has no PAO_BUILD_ID" in caplog.text

    await eventually(told, seconds=120.0)
