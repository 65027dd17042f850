"""The backlog of Temporal's task queues, for metrics. Read-only."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from pao.clients.temporal import CHECK_SECONDS, TemporalUnavailableError
from pao.core.names import slow_queue, waits_queue

WORKFLOW, ACTIVITY = "workflow", "activity"
TASK_QUEUE_TYPES = {
    WORKFLOW: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    ACTIVITY: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


def polled_queues(task_queue: str) -> dict[str, Sequence[str]]:
    """Return every queue of an installation with the kinds of tasks that a worker polls it for."""
    return {
        task_queue: (WORKFLOW, ACTIVITY),
        slow_queue(task_queue): (ACTIVITY,),
        waits_queue(task_queue): (ACTIVITY,),
    }


@dataclass(frozen=True, slots=True)
class Backlog:
    """The tasks in one queue, and the age of the oldest in seconds, both approximate."""

    queue: str
    kind: str
    tasks: int
    age: float
    pollers: int


class TaskQueues:
    """Asks Temporal for the depth of the given queues, each for the kinds that it can have."""

    def __init__(self, client: Client, queues: Mapping[str, Sequence[str]]) -> None:
        self._client = client
        self._queues = queues

    async def backlogs(self) -> list[Backlog]:
        """Return the backlog of every queue and kind; raises ``TemporalUnavailableError``."""
        asked = [(queue, kind) for queue, kinds in self._queues.items() for kind in kinds]
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await asyncio.gather(*(self._backlog(*one) for one in asked))
        except (TimeoutError, RPCError, RuntimeError) as error:
            raise TemporalUnavailableError from error

    async def _backlog(self, queue: str, kind: str) -> Backlog:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TASK_QUEUE_TYPES[kind],
            report_stats=True,
        )
        answer = await self._client.workflow_service.describe_task_queue(request)
        return Backlog(
            queue=queue,
            kind=kind,
            tasks=answer.stats.approximate_backlog_count,
            age=answer.stats.approximate_backlog_age.ToTimedelta().total_seconds(),
            pollers=len({poller.identity for poller in answer.pollers}),
        )
