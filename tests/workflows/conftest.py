"""A worker of the test's own between real servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.jobs import JobAction
from tests.support.postgres import Database
from tests.support.worker import Workbench, workbench


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    """A worker that polls, and what it works with."""
    async with workbench(database, temporal_address, tmp_path) as running:
        yield running


@pytest.fixture
def job() -> JobAction:
    """Return an action type whose target keeps working."""
    return JobAction()


@pytest.fixture
async def idle_bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    """The same without a worker, until the test starts one."""
    async with workbench(database, temporal_address, tmp_path, with_worker=False) as running:
        yield running
