"""What health asks Temporal: who polls for this installation, and what is registered. Read-only."""

import asyncio
from dataclasses import dataclass

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from pao.clients.installation import installation_of
from pao.clients.temporal import CHECK_SECONDS, TemporalUnavailableError
from pao.core import names


@dataclass(frozen=True, slots=True)
class Pollers:
    """How many workers of this installation poll, and which other installations' workers do too."""

    own: int
    others: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.own > 0


@dataclass(frozen=True, slots=True)
class TemporalServer:
    """Asks Temporal about the workers of a task queue and the namespace's search attributes."""

    client: Client
    task_queue: str

    async def pollers(self, installation: str | None = None) -> Pollers:
        """Return the workers that Temporal has seen polling for workflows, within five minutes.

        Those of an earlier version do not say to which installation they belong: they count as own.
        """
        request = DescribeTaskQueueRequest(
            namespace=self.client.namespace,
            task_queue=TaskQueue(name=self.task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                answer = await self.client.workflow_service.describe_task_queue(request)
        except (TimeoutError, RPCError, RuntimeError) as error:
            raise TemporalUnavailableError from error
        seen = {poller.identity for poller in answer.pollers}
        others = {
            one: owner
            for one in seen
            if installation and (owner := installation_of(one)) not in {None, installation}
        }
        return Pollers(own=len(seen) - len(others), others=tuple(sorted({*others.values()})))

    async def missing_search_attributes(self) -> list[str]:
        """Return the search attributes that are not registered: without them no request starts."""
        request = ListSearchAttributesRequest(namespace=self.client.namespace)
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                answer = await self.client.operator_service.list_search_attributes(request)
        except (TimeoutError, RPCError, RuntimeError) as error:
            raise TemporalUnavailableError from error
        return sorted(names.SEARCH_ATTRIBUTES.keys() - answer.custom_attributes.keys())
