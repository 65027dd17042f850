import asyncio
import signal
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus

from pao.app.local.ports import free_ports
from pao.app.local.processes import LocalError
from pao.app.local.temporal import TemporalDevServer
from pao.core.names import RETENTION_DAYS, SEARCH_ATTRIBUTES


def server_on(program: Path, folder: Path) -> TemporalDevServer:
    [port] = free_ports(1)
    return TemporalDevServer(program, port=port, ui_port=None, database=folder / "temporal.db")


def test_a_second_start_finds_the_workflows_of_the_first(
    temporal_program: Path, tmp_path: Path
) -> None:
    workflow_id = f"kept-{uuid.uuid4()}"

    async def begin(address: str) -> None:
        client = await Client.connect(address)
        await client.start_workflow("Nobody", id=workflow_id, task_queue="none")

    async def status(address: str) -> WorkflowExecutionStatus | None:
        client = await Client.connect(address)
        return (await client.get_workflow_handle(workflow_id).describe()).status

    server = server_on(temporal_program, tmp_path)
    asyncio.run(begin(server.start()))
    assert server.process is not None
    # The hard way: nothing is written in order.
    server.process.send(signal.SIGKILL)
    server.stop()

    try:
        assert asyncio.run(status(server.start())) is WorkflowExecutionStatus.RUNNING
    finally:
        server.stop()


async def test_the_namespace_keeps_requests_findable_for_thirty_days(temporal_address: str) -> None:
    client = await Client.connect(temporal_address)
    answer = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace="default")
    )

    kept = answer.config.workflow_execution_retention_ttl.ToTimedelta()
    assert kept == timedelta(days=RETENTION_DAYS)
    assert set(answer.config.custom_search_attribute_aliases.values()) >= set(SEARCH_ATTRIBUTES)


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    program = tmp_path / "temporal"
    program.write_text("#!/bin/sh\necho no room on this disk\nexit 3\n")
    program.chmod(0o755)
    server = server_on(program, tmp_path)

    with pytest.raises(LocalError, match="no room on this disk"):
        server.start()

    assert server.process is None
