"""The worker's process: what it polls for, and how it ends."""

import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCStatusCode
from temporalio.worker import Worker

from pao.app.local.postgres import SERVICE, PostgresAddress, run_sql
from pao.app.schedules import MAINTENANCE
from pao.app.worker import Workers
from pao.clients.temporal_connection import TemporalTarget, connect
from pao.clients.temporal_server import TemporalServer
from pao.core.names import slow_queue, waits_queue
from tests.support.postgres import Database
from tests.support.refusing_temporal import RefusingTemporal
from tests.support.worker import Workbench, eventually, workbench
from workflows.look import LookWorkflow


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    async with workbench(database, temporal_address, tmp_path, with_worker=False) as made:
        yield made


@asynccontextmanager
async def process(environ: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``pao worker``; what is left of it is killed in the end."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pao",
        "worker",
        env={"PATH": os.environ["PATH"], **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_that_is_told_to_end_does_so_in_order(
    bench: Workbench, number: signal.Signals
) -> None:
    temporal = TemporalServer(bench.client, bench.settings.temporal.task_queue)
    async with process(bench.environ) as worker:
        await eventually(temporal.pollers)
        worker.send_signal(number)
        printed, _ = await worker.communicate()
    assert worker.returncode == 0, printed.decode()
    assert b"Traceback" not in printed
    # What Temporal's SDK and its core have to say is in the same form as everything else.
    assert all(json.loads(line)["logger"] for line in printed.splitlines())
    for secret in ("JIRA_API_TOKEN", "PAO_ENCRYPTION_KEYS"):
        assert bench.environ[secret].encode() not in printed
    for one in MAINTENANCE:
        await bench.client.get_schedule_handle(f"{bench.task_queue}-{one.name}").delete()


async def test_a_worker_without_temporal_says_so_and_ends(bench: Workbench) -> None:
    nowhere = {**bench.environ, "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    async with process(nowhere) as worker:
        printed, _ = await worker.communicate()
    assert worker.returncode not in {0, None}
    assert b"127.0.0.1:1" in printed


async def test_a_temporal_that_answers_too_late_is_asked_again_until_told_to_end(
    bench: Workbench,
) -> None:
    with RefusingTemporal(RPCStatusCode.DEADLINE_EXCEEDED) as slow:
        async with process({**bench.environ, "TEMPORAL_ADDRESS": slow.address}) as worker:
            line = json.loads(await _line(worker, b"Temporal is not ready"))
            refused = slow.refused

            async def asked_again() -> bool:
                return slow.refused > refused

            await eventually(asked_again)
            worker.send_signal(signal.SIGTERM)
            printed, _ = await worker.communicate()
    assert line["level"] == "WARNING"
    assert worker.returncode == 0, printed.decode()
    assert b"Temporal is not ready" not in printed


async def _line(running: asyncio.subprocess.Process, text: bytes) -> bytes:
    """Return the first line that says so; fails when the process ends without it."""
    assert running.stdout is not None
    before = b""
    async for line in running.stdout:
        if text in line:
            return line
        before += line
    pytest.fail(before.decode())


async def test_a_namespace_that_is_not_there_is_named_without_a_traceback(bench: Workbench) -> None:
    async with process({**bench.environ, "TEMPORAL_NAMESPACE": "misspelt"}) as worker:
        printed, _ = await worker.communicate()
    assert worker.returncode not in {0, None}
    assert b"misspelt" in printed
    assert b"TEMPORAL_NAMESPACE" in printed
    assert b"Traceback" not in printed


async def test_when_one_poller_dies_the_others_end_and_its_error_ends_the_process(
    bench: Workbench,
) -> None:
    nowhere = await connect(
        TemporalTarget(address=bench.settings.temporal.address, namespace="misspelt")
    )
    healthy, dead = (
        Worker(client, task_queue=bench.task_queue, workflows=[LookWorkflow])
        for client in (bench.client, nowhere)
    )
    workers = Workers(healthy, dead)
    with pytest.raises(RuntimeError, match="misspelt"):
        await workers.run()
    assert not healthy.is_running


@pytest.mark.parametrize("queue", [slow_queue, waits_queue])
async def test_slow_actions_and_waits_have_queues_of_their_own_in_the_same_process(
    bench: Workbench, queue: Callable[[str], str]
) -> None:
    await bench.start_worker()
    asked = DescribeTaskQueueRequest(
        namespace=bench.client.namespace,
        task_queue=TaskQueue(name=queue(bench.task_queue)),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )

    async def is_polled() -> bool:
        return bool((await bench.client.workflow_service.describe_task_queue(asked)).pollers)

    await eventually(is_polled)


async def test_a_worker_on_a_database_that_is_not_usable_says_why_in_a_sentence(
    bench: Workbench, postgres_address: PostgresAddress
) -> None:
    name = f"empty_{secrets.token_hex(6)}"
    run_sql(postgres_address, f"create database {name};")
    wrong = {
        postgres_address.url(SERVICE, name): b"no migration is applied. Run `pao db migrate`",
        postgres_address.url(SERVICE, "absent"): b"The database does not exist on its server.",
    }
    for url, told in wrong.items():
        async with process({**bench.environ, "DATABASE_URL": url}) as worker:
            printed, _ = await worker.communicate()
        assert worker.returncode == 5
        assert told in printed
        assert b"Traceback" not in printed
    run_sql(postgres_address, f"drop database {name} with (force);")
