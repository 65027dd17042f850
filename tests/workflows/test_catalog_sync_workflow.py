"""The workflow of the catalog's sync: one run at a time, and whatever is signalled is seen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.temporal_connection import CONVERTER, TemporalTarget, connect
from pao.core import names
from pao.core.payloads.catalog import (
    FOLDER,
    POLL,
    PUSH,
    REFRESH,
    SyncInput,
    SyncReport,
    SyncRequest,
    SyncSignal,
)
from tests.support.worker import eventually
from workflows.catalog_sync import CatalogSyncWorkflow


@dataclass
class Runs:
    """Takes the place of the activity: notes each run, and ends it when it is told to."""

    asked: list[SyncInput] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    free: asyncio.Event = field(default_factory=asyncio.Event)
    reports: list[SyncReport] = field(default_factory=list)
    failures: int = 0

    @activity.defn(name=names.SYNC_CATALOG_ACTIVITY)
    async def run(self, asked: SyncInput) -> SyncReport:
        self.asked.append(asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        while not self.free.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.05)
        self.at_once -= 1
        if self.failures:
            self.failures -= 1
            raise ConnectionError("Postgres is away")
        return self.reports.pop(0) if self.reports else SyncReport(judged=len(self.asked))

    @activity.defn(name=names.FORGET_RUNS_ACTIVITY)
    async def forget(self, _workflow: str) -> int:
        return 0


@dataclass
class Bench:
    """A client, the sync of its own queue, and its runs."""

    client: Client
    syncs: CatalogSyncs
    runs: Runs
    queue: str

    async def has_ended(self) -> bool:
        handle = self.client.get_workflow_handle(names.catalog_sync_id(self.queue))
        return (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED


@asynccontextmanager
async def _bench(temporal_address: str) -> AsyncIterator[Bench]:
    client = await connect(TemporalTarget(address=temporal_address))
    queue, runs = f"sync-{uuid4().hex[:8]}", Runs()
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[CatalogSyncWorkflow],
        activities=[runs.run, runs.forget],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        yield Bench(client, CatalogSyncs(client, task_queue=queue), runs, queue)
        runs.free.set()


@pytest.fixture
async def bench(temporal_address: str) -> AsyncIterator[Bench]:
    async with _bench(temporal_address) as made:
        yield made


async def test_a_burst_of_pushes_is_one_run_and_those_during_a_run_are_one_more(
    bench: Bench,
) -> None:
    pushes = [SyncSignal(PUSH, f"c{at}", f"c{at - 1}", delivery=f"d{at}") for at in range(1, 201)]
    await asyncio.gather(*(bench.syncs.signal(one) for one in pushes[:150]))
    await eventually(lambda: len(bench.runs.asked) == 1)
    # In any order, and some of them twice: the last commit that nothing has replaced counts.
    await bench.syncs.signal(pushes[-1])
    await asyncio.gather(*(bench.syncs.signal(one) for one in [*pushes[150:-1], *pushes[:20]]))
    bench.runs.free.set()
    await eventually(bench.has_ended)

    assert [one.expects for one in bench.runs.asked] == ["c150", "c200"]
    assert bench.runs.most_at_once == 1
    assert {tuple(one.reasons) for one in bench.runs.asked} == {(PUSH,)}


async def test_a_delivery_that_was_heard_already_changes_nothing(bench: Bench) -> None:
    await bench.syncs.signal(SyncSignal(FOLDER, delivery="d1"))
    await eventually(lambda: len(bench.runs.asked) == 1)
    await bench.syncs.signal(SyncSignal(FOLDER, delivery="d1"))
    bench.runs.free.set()
    await eventually(bench.has_ended)
    assert len(bench.runs.asked) == 1


async def test_a_refresh_gets_what_the_run_that_began_after_it_has_found(bench: Bench) -> None:
    bench.runs.reports = [SyncReport(judged=1), SyncReport(changed=("a",), revision="r2")]
    await bench.syncs.signal(SyncSignal(POLL))
    await eventually(lambda: len(bench.runs.asked) == 1)
    asked = SyncRequest(confirm="c0ffee1")
    waiting = [
        asyncio.create_task(bench.syncs.refresh(one, budget=60))
        for one in (asked, SyncRequest(force=True))
    ]
    assert not waiting[0].done()
    assert bench.runs.asked[0].is_poll
    await eventually(lambda: _pending_updates(bench, 2))
    bench.runs.free.set()

    reports = await asyncio.gather(*waiting)
    assert reports == [SyncReport(changed=("a",), revision="r2")] * 2
    [_, second] = bench.runs.asked
    assert second == SyncInput([REFRESH], force=True, confirm="c0ffee1")


async def _pending_updates(bench: Bench, wanted: int) -> bool:
    handle = bench.client.get_workflow_handle(names.catalog_sync_id(bench.queue))
    history = await handle.fetch_history()
    accepted = [
        one
        for one in history.events
        if one.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    return len(accepted) == wanted


async def test_a_refresh_that_takes_too_long_is_no_longer_waited_for_and_goes_on(
    bench: Bench,
) -> None:
    assert await bench.syncs.refresh(SyncRequest(), budget=1.5) is None
    await eventually(lambda: len(bench.runs.asked) == 1)
    bench.runs.free.set()
    await eventually(bench.has_ended)


async def test_a_replica_that_is_late_is_asked_again_until_something_else_comes(
    bench: Bench,
) -> None:
    bench.runs.free.set()
    bench.runs.reports = [SyncReport(late=True), SyncReport(late=True), SyncReport(revision="c1")]
    await bench.syncs.signal(SyncSignal(PUSH, "c1", "c0", delivery="d1"))
    # After five seconds by itself, and at once when somebody asks.
    await eventually(lambda: len(bench.runs.asked) == 2)
    report = await bench.syncs.refresh(SyncRequest(), budget=30)
    assert report == SyncReport(revision="c1")
    await eventually(bench.has_ended)
    assert [one.expects for one in bench.runs.asked] == ["c1", "c1", None]


async def test_a_run_that_fails_is_repeated_as_it_was_asked_for_until_it_succeeds(
    bench: Bench,
) -> None:
    bench.runs.failures = 2
    bench.runs.free.set()
    report = await bench.syncs.refresh(SyncRequest(confirm="c0ffee1"), budget=60)
    assert report == SyncReport(judged=3)
    assert {one.confirm for one in bench.runs.asked} == {"c0ffee1"}


HISTORIES = sorted((Path(__file__).parents[1] / "histories" / "catalog_sync").glob("*.json"))


def stored(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json("pao-catalog-sync", file.read_text())


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
async def test_a_stored_history_replays(file: Path) -> None:
    """A sync under way survives a deploy: one that did not would keep every later one waiting."""
    replayer = Replayer(
        workflows=[CatalogSyncWorkflow],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(stored(file))
