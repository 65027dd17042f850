import secrets
import time
from dataclasses import replace

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.converter import DataConverter, DefaultPayloadConverter
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from pao.app.workflow_sandbox import sandbox_for


@workflow.defn
class AddingWorkflow:
    @workflow.run
    async def run(self, numbers: list[int]) -> int:
        return sum(numbers)


@workflow.defn
class ClockWorkflow:
    @workflow.run
    async def run(self, _numbers: list[int]) -> int:
        return int(time.time())


async def result_of(client: Client, definition: type) -> int:
    queue = f"sandbox-{secrets.token_hex(6)}"
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[definition],
        workflow_runner=sandbox_for(client.data_converter),
        workflow_failure_exception_types=[Exception],
    )
    async with worker:
        result: int = await client.execute_workflow(
            definition.__name__, [1, 2, 3], id=queue, task_queue=queue, result_type=int
        )
    return result


async def test_values_go_in_and_out_unchanged(temporal_address: str) -> None:
    client = await Client.connect(temporal_address)

    assert await result_of(client, AddingWorkflow) == 6


async def test_what_is_not_deterministic_is_still_refused(temporal_address: str) -> None:
    client = await Client.connect(temporal_address)

    with pytest.raises(WorkflowFailureError) as caught:
        await result_of(client, ClockWorkflow)

    assert "restricted" in str(caught.value.cause).lower()


def test_a_converter_of_ones_own_gets_the_sandbox_that_asks_for_contexts() -> None:
    class OwnConverter(DefaultPayloadConverter):
        pass

    own = replace(DataConverter.default, payload_converter_class=OwnConverter)

    assert type(sandbox_for(own)) is SandboxedWorkflowRunner
    assert type(sandbox_for(DataConverter.default)) is not SandboxedWorkflowRunner
