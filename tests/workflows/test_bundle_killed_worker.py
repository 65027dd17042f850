"""A worker that is killed while several components of a bundle run."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.bundles import new_bundle
from tests.support.postgres import Database
from tests.support.worker import Workbench, eventually, workbench

pytestmark = pytest.mark.outage
AT_ONCE = ("left", "middle", "right")


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    async with workbench(database, temporal_address, tmp_path, with_worker=False) as running:
        yield running


async def test_each_component_waits_for_a_human_and_makes_its_ticket_once(
    bench: Workbench,
) -> None:
    made = new_bundle(after={**{name: [] for name in AT_ONCE}, "last": ["middle"]})
    creation = {"method": "POST", "path": "/issue$"}
    bench.jira.fault("slow", seconds=4.0, when="after", match=creation, times=3)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pao", "worker", env=bench.environ
    )
    try:
        whole = await made.submit(bench)
        await eventually(lambda: len(bench.jira.tickets()) == len(AT_ONCE))
    finally:
        process.kill()
        await process.wait()
    await bench.start_worker()

    await bench.reached(whole, "failed")
    for name in AT_ONCE:
        [action] = await bench.actions(made.parts[name])
        assert (action["status"], action["outcome_unknown"]) == ("failed", True)
        await bench.decide(made.parts[name], "retry")
    await bench.reached(whole, "completed")

    assert [len(bench.tickets(made.parts[name])) for name in (*AT_ONCE, "last")] == [1, 1, 1, 1]
