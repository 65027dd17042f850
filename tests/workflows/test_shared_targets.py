"""A target that does not answer takes its share of a worker's places, and no other target's."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.postgres import Database
from tests.support.raw_servers import RawServer, raw_server
from tests.support.requests import Request, new_request, ticket
from tests.support.worker import Workbench, eventually, workbench

POOL, SHARE, SUBMITTED = 10, 5, 14


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    environ = {"PAO_EGRESS_ALLOW": "127.0.0.1", "WORKER_POOL_SIZE": str(POOL)}
    async with workbench(database, temporal_address, tmp_path, environ=environ) as running:
        yield running


def call_to(bench: Workbench, server: RawServer) -> Request:
    made = new_request(ticket("call"), box=bench.box)
    made.plan[0].type = "rest-api"
    made.plan[0].timeout = 300.0
    made.plan[0].config = {"endpoint": {"url": f"{server.url}/things"}, "timeout": 300}
    return made


async def test_an_action_on_another_target_completes_while_calls_to_a_silent_one_hang(
    bench: Workbench,
) -> None:
    def silent(_connection: socket.socket, _request: bytes) -> None:
        server.over.wait()

    with raw_server(silent) as server:
        calls = [await bench.submit(call_to(bench, server)) for _ in range(SUBMITTED)]
        await eventually(lambda: server.count == SHARE)
        other = await bench.submit()
        await bench.reached(other, "completed")
        running = bench.metrics.registry.get_sample_value(
            "pao_activities_running", {"type": "rest-api"}
        )
        assert (server.count, server.over.is_set()) == (SHARE, False)
        assert running is not None
        assert running >= SHARE

        async def refused() -> list[str]:
            rows = await bench.rows("SELECT error FROM requests WHERE status = 'failed'")
            return [row["error"]["message"] for row in rows]

        async def all_refused() -> bool:
            return len(await refused()) == SUBMITTED - SHARE

        await eventually(all_refused)
        assert {("nothing was sent" in message) for message in await refused()} == {True}
        assert server.count == SHARE
    for one in calls:
        await bench.reached(one, "failed")
