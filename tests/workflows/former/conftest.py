"""A worker whose requests call hosts that may be cut off after they have made something."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.hosts import Hosts, bench_with_token
from tests.support.postgres import Database
from tests.support.raw_servers import RawServer, raw_server
from tests.support.worker import Workbench


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()


@pytest.fixture
def server(hosts: Hosts) -> Iterator[RawServer]:
    with raw_server(hosts.serve) as running:
        yield running


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    async with bench_with_token(database, temporal_address, tmp_path) as running:
        yield running
