"""Waits that are cancelled while no worker has them in hand: their target is told nevertheless."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pao.core.states import Decision
from tests.support.jobs import JobAction
from tests.support.postgres import Database
from tests.support.requests import Document, Request, new_request
from tests.support.worker import Workbench, eventually, workbench


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path, job: JobAction
) -> AsyncIterator[Workbench]:
    """A worker that has one wait in hand at a time."""
    narrow = {"WORKER_WAITS_POOL_SIZE": "1"}
    async with workbench(
        database, temporal_address, tmp_path, environ=narrow, with_worker=False
    ) as running:
        yield await job.work(running)


async def waiting_behind_another(bench: Workbench, job: JobAction, **more: object) -> Request:
    """Return a request whose wait no worker takes, because another one has the only place."""
    await bench.submit(new_request(a_job("first")))
    await eventually(lambda: job.follows)
    request = await bench.submit(new_request(a_job("second", **more)))
    await bench.is_waiting(request)
    return request


def a_job(name: str, **more: object) -> Document:
    return {"id": name, "type": "job", "name": f"The {name}", "config": {"name": name, **more}}


@pytest.mark.parametrize("by", ["signal", "temporal"])
async def test_a_target_is_told_though_no_worker_had_the_wait(
    bench: Workbench, job: JobAction, by: str
) -> None:
    request = await waiting_behind_another(bench, job)
    if by == "signal":
        record = await bench.decide(request, "cancel", reason="it hangs")
        assert record.outcome == "done"
    else:
        await bench.handle(request).cancel()
    row = await bench.reached(request, "failed")
    assert (job.stopped, job.follows) == (["second"], 1)
    assert row["error"]["outcomeUnknown"]
    [left] = row["error_context"]["partialResources"]
    assert (left["id"], left["action"]) == ("second", "second")
    assert await bench.has_logged(request, "The target was asked to stop.")


async def test_a_target_that_will_not_stop_leaves_the_decision_to_people(
    bench: Workbench, job: JobAction
) -> None:
    request = await waiting_behind_another(bench, job)
    job.is_stubborn = True
    record = await bench.decide(request, "cancel")
    assert record.outcome == "done"
    row = await bench.reached(request, "failed")
    assert job.stopped == ["second"]
    assert [left["id"] for left in row["error_context"]["partialResources"]] == ["second"]
    assert await bench.has_logged(request, "The target could not be asked to stop.")


async def test_a_retry_goes_on_waiting_for_what_was_begun(bench: Workbench, job: JobAction) -> None:
    request = await waiting_behind_another(bench, job, nameless=True)
    await bench.decide(request, "cancel")
    row = await bench.reached(request, "failed")
    assert row["error"]["outcomeUnknown"]
    job.end("fine", "first")
    await bench.signal(request, Decision.RETRY, {"by": "ann"})
    await eventually(lambda: job.follows == 2)
    job.end("fine", "second")
    await bench.reached(request, "completed")
    assert len(job.begun) == 2


async def test_a_target_is_told_though_the_worker_of_its_wait_has_ended(
    bench: Workbench, job: JobAction
) -> None:
    request = await bench.submit(new_request(a_job("only")))
    await eventually(lambda: job.follows)
    await bench.stop_worker()
    await bench.signal(request, "cancel", {"by": "ann"})
    await bench.start_worker()
    row = await bench.reached(request, "failed")
    assert "only" in job.stopped
    assert row["error"]["outcomeUnknown"]
