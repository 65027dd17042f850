"""The measure that a submission is held against: a workflow with one empty activity, and no PAO.

Its worker is a process of its own with the settings of PAO's worker. Run as a program, this file is
that worker: `python -m benchmarks.bare ADDRESS NAMESPACE`.
"""

import asyncio
import sys
from datetime import timedelta
from uuid import uuid4

from temporalio import activity, workflow
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import GrpcCompression
from temporalio.worker import PollerBehaviorAutoscaling, Worker

QUEUE = "bare"
TASK_TIMEOUT = timedelta(seconds=3)
STICKY_TIMEOUT = timedelta(seconds=1)


@activity.defn
async def nothing() -> None:
    """Do nothing."""


@workflow.defn
class BareWorkflow:
    """One empty activity."""

    def __init__(self) -> None:
        self._done = False

    @workflow.run
    async def run(self) -> str:
        """Run the activity."""
        await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=12))
        self._done = True
        return "done"

    @workflow.update
    async def settled(self) -> str:
        """Answer when the activity is done, as the update of a request's workflow does."""
        await workflow.wait_condition(lambda: self._done)
        return "done"


async def connected(address: str, namespace: str) -> Client:
    """Connect as PAO does on loopback."""
    return await Client.connect(address, namespace=namespace, grpc_compression=GrpcCompression.NONE)


async def execute(client: Client) -> str:
    """Start the workflow and wait for its result."""
    return await client.execute_workflow(
        BareWorkflow.run, id=f"bare-{uuid4()}", task_queue=QUEUE, task_timeout=TASK_TIMEOUT
    )


async def update_with_start(client: Client) -> str:
    """Start the workflow and wait for its update, as a submission does."""
    return await client.execute_update_with_start_workflow(
        BareWorkflow.settled,
        start_workflow_operation=WithStartWorkflowOperation(
            BareWorkflow.run,
            id=f"bare-{uuid4()}",
            task_queue=QUEUE,
            task_timeout=TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        ),
    )


async def work(address: str, namespace: str) -> None:
    """Run the worker until its process is ended."""
    worker = Worker(
        await connected(address, namespace),
        task_queue=QUEUE,
        workflows=[BareWorkflow],
        activities=[nothing],
        max_concurrent_activities=10,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
