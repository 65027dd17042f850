"""The worker is killed in the middle of a sync: another one brings it to its end."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.leases import lease
from db.repositories.catalog import LEASE, CatalogRepository
from pao.core import names
from tests.support.postgres import Database
from tests.support.stack import SAMPLES
from tests.support.worker import Workbench, eventually, workbench
from tests.support.worker_process import worker_process

pytestmark = pytest.mark.outage


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    catalog = tmp_path / "catalog"
    (catalog / "network").mkdir(parents=True)
    shutil.copy(SAMPLES / "network" / "network-dns-record.yaml", catalog / "network")
    environ = {"CATALOG_PATH": str(catalog)}
    async with workbench(
        database, temporal_address, tmp_path, environ=environ, with_worker=False
    ) as running:
        yield running


async def test_a_sync_whose_worker_was_killed_is_done_by_the_next_one(
    bench: Workbench, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    # In the middle: it has begun and waits for the lease.
    async with lease(bench.database, LEASE, seconds=5):
        async with worker_process(bench, log):
            await eventually(lambda: _is_running(bench))
        assert await _served(bench) == set()
    async with worker_process(bench, log):
        await eventually(lambda: _served(bench))
    assert await _served(bench) == {"network-dns-record"}


async def _is_running(bench: Workbench) -> bool:
    workflow = names.catalog_sync_id(bench.task_queue)
    listed = [one async for one in bench.client.list_workflows(f"WorkflowId = '{workflow}'")]
    if not listed:
        return False
    found = await bench.client.get_workflow_handle(workflow).describe()
    return any(one.attempt and one.last_started_time.seconds for one in _pending(found))


def _pending(found: object) -> list:  # type: ignore[type-arg]
    return list(found.raw_description.pending_activities)  # type: ignore[attr-defined]


async def _served(bench: Workbench) -> set[str]:
    async with bench.database.reading() as session:
        return set(await CatalogRepository(session).served_files())
