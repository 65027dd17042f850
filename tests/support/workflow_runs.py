"""Runs a workflow that a test defines, for code that needs nothing but Temporal."""

import secrets
from typing import Any

from temporalio.client import Client, WorkflowHistory
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from pao.clients.temporal_connection import CONVERTER


async def run_workflow(
    address: str, of: type, name: str, *given: Any
) -> tuple[Any, WorkflowHistory]:
    """Return the result of a workflow, which is called ``name``, and its history."""
    client = await Client.connect(address, data_converter=CONVERTER)
    queue = f"run-{secrets.token_hex(4)}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[of],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await client.start_workflow(name, args=[*given], id=queue, task_queue=queue)
        return await handle.result(), await handle.fetch_history()
