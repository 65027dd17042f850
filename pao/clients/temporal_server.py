"""Queries of health: pollers of this installation, and registered search attributes."""

import asyncio
from dataclasses import dataclass

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from pao.clients.builds import build_of
from pao.clients.installation import installation_of
from pao.clients.temporal import CHECK_SECONDS, TemporalUnavailableError
from pao.core import names

_FOR_OPERATORS_ONLY = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED})
UNVERSIONED = "without PAO_BUILD_ID"


@dataclass(frozen=True, slots=True)
class Pollers:
    """How many workers of this installation get requests, and who else polls.

    ``others`` are other installations; ``idle`` are builds of the workers that poll and get
    nothing, because another one is current (``current``), or none is.
    """

    own: int
    others: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    current: str | None = None

    def __bool__(self) -> bool:
        return self.own > 0


@dataclass(frozen=True, slots=True)
class TemporalServer:
    """Asks Temporal about the workers of a task queue and the namespace's search attributes."""

    client: Client
    task_queue: str

    async def pollers(self, installation: str | None = None) -> Pollers:
        """Return the workers that Temporal has seen polling for workflows, within five minutes.

        Those of an earlier version do not name their installation: they count as own.
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
        seen = {one.identity: build_of(one) for one in answer.pollers}
        current = answer.versioning_info.current_deployment_version.build_id
        others = {
            one: owner
            for one in seen
            if installation and (owner := installation_of(one)) not in {None, installation}
        }
        own = {name: build for name, build in seen.items() if name not in others}
        idle = {build for build in own.values() if build != current}
        return Pollers(
            own=sum(build == current for build in own.values()),
            others=tuple(sorted({*others.values()})),
            idle=tuple(sorted(build or UNVERSIONED for build in idle)),
            current=current or None,
        )

    async def missing_search_attributes(self) -> list[str]:
        """Return the search attributes that are not registered: without them no request starts.

        Empty if the server shows the list only to its operators, as Temporal Cloud does.
        """
        request = ListSearchAttributesRequest(namespace=self.client.namespace)
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                answer = await self.client.operator_service.list_search_attributes(request)
        except (TimeoutError, RPCError, RuntimeError) as error:
            if isinstance(error, RPCError) and error.status in _FOR_OPERATORS_ONLY:
                return []
            raise TemporalUnavailableError from error
        return sorted(names.SEARCH_ATTRIBUTES.keys() - answer.custom_attributes.keys())
