"""Workers that do not come, do not answer, or are killed while JIRA is being called."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pao.core.payloads.requests import WorkflowTimeouts
from tests.support.postgres import Database
from tests.support.requests import new_request, ticket
from tests.support.worker import Workbench, eventually, workbench


@asynccontextmanager
async def worker_process(bench: Workbench) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``pao worker`` as a process of its own; what is left of it is killed in the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pao",
        "worker",
        env={"PATH": os.environ["PATH"], **bench.environ},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        schedule = bench.client.get_schedule_handle(f"{bench.task_queue}-sweep")
        await schedule.delete()


async def test_an_action_of_a_type_that_no_worker_knows_was_never_started(
    bench: Workbench,
) -> None:
    request = new_request(ticket())
    request.plan[0].type = "of-tomorrow"
    await bench.submit(request)
    row = await bench.reached(request, "failed")
    assert not row["error"]["outcomeUnknown"]
    assert "No worker supports this action type" in row["error"]["message"]


async def test_an_action_that_no_worker_takes_in_time_was_never_started(
    bench: Workbench,
) -> None:
    bench.jira.fault("slow", seconds=2.5, when="before")
    busy = await bench.submit()
    await bench.reached(busy, "in_progress")
    request = await bench.submit(new_request(waits=WorkflowTimeouts(schedule_to_start=1.0)))
    row = await bench.reached(request, "failed")
    assert not row["error"]["outcomeUnknown"]
    assert "it did not start" in row["error"]["message"]
    await bench.reached(busy, "completed")
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")


async def test_an_action_that_takes_too_long_has_an_unknown_outcome(bench: Workbench) -> None:
    bench.jira.fault("slow", seconds=3.0, when="after")
    request = await bench.submit(new_request(waits=WorkflowTimeouts(start_to_close=1.0)))
    row = await bench.reached(request, "failed")
    assert row["error"]["outcomeUnknown"]
    assert row["error_context"]["suggestedDecision"]["decision"] == "retry"
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 1


async def test_a_worker_killed_while_jira_is_called_leaves_an_unknown_outcome_to_adopt(
    idle_bench: Workbench,
) -> None:
    bench = idle_bench
    bench.jira.fault("slow", seconds=2.0, when="after")
    async with worker_process(bench) as process:
        request = await bench.submit(new_request(waits=WorkflowTimeouts(heartbeat=2.0)))
        await eventually(lambda: bench.tickets(request))
        process.send_signal(signal.SIGKILL)
        await process.wait()
    await bench.start_worker()
    row = await bench.reached(request, "failed")
    assert row["error"]["outcomeUnknown"]
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    [made] = bench.tickets(request)
    [action] = await bench.actions(request)
    assert (action["external_reference"], action["adopted"]) == (made["key"], True)


async def test_a_worker_that_is_told_to_end_finishes_the_action_in_hand(
    idle_bench: Workbench,
) -> None:
    bench = idle_bench
    bench.jira.fault("slow", seconds=2.0, when="before")
    async with worker_process(bench) as process:
        request = await bench.submit()
        await eventually(lambda: not bench.jira.faults())
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert len(bench.tickets(request)) == 1
    await bench.start_worker()
    await bench.reached(request, "completed")
    [action] = await bench.actions(request)
    assert (action["attempt"], action["adopted"]) == (1, False)


async def test_an_action_cut_off_by_its_workers_end_has_an_unknown_outcome(
    bench: Workbench,
) -> None:
    bench.jira.fault("slow", seconds=6.0, when="after")
    request = await bench.submit()
    await eventually(lambda: bench.tickets(request))
    await bench.stop_worker()
    await bench.start_worker()
    row = await bench.reached(request, "failed")
    assert row["error"]["outcomeUnknown"]
    assert "The worker was stopped while the action ran" in row["error"]["message"]
    await bench.decide(request, "retry")
    await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 1


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    """A worker that takes one action at a time."""
    one = {"WORKER_POOL_SIZE": "1"}
    async with workbench(database, temporal_address, tmp_path, environ=one) as running:
        yield running
