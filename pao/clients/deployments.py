"""Versions of the workers: which build Temporal gives requests to, and how that changes.

The workers of a task queue are one deployment of the same name; each build of them is a version.
Requests always go to the current version, those under way as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.deployment.v1 import WorkerDeploymentVersion as Version
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentVersionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

from pao.clients.builds import build_of
from pao.clients.queues import TASK_QUEUE_TYPES

# A poll lasts a minute at most: a worker that has not polled for longer is gone.
POLLS_WITHIN = timedelta(seconds=75)
_UNSUPPORTED = {RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED}


class VersioningUnavailableError(Exception):
    """The server does not support versions of workers, or denies access to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Which build gets the requests; None: workers without a version.

    ``is_chosen`` says that it was set explicitly, ``builds`` are those that Temporal knows.
    """

    current: str | None
    is_chosen: bool
    builds: tuple[str, ...] = ()


class Deployment:
    """The versions of the workers of one task queue, as Temporal has them.

    Every method raises the SDK's ``RPCError`` when Temporal does not answer or refuses.
    """

    def __init__(
        self, client: Client, task_queue: str, *, polls_within: timedelta = POLLS_WITHIN
    ) -> None:
        self._polls_within = polls_within
        self._client = client
        self._queue = task_queue
        self.name = deployment_name(task_queue)

    async def routing(self) -> Routing:
        """Return the current routing; raises ``VersioningUnavailableError``."""
        request = DescribeWorkerDeploymentRequest(
            namespace=self._client.namespace, deployment_name=self.name
        )
        try:
            answer = await self._client.workflow_service.describe_worker_deployment(
                request, retry=True
            )
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND and not _lacks_namespace(error):
                return Routing(current=None, is_chosen=False)
            if error.status in _UNSUPPORTED:
                raise VersioningUnavailableError(error.message) from error
            raise
        info = answer.worker_deployment_info
        config = info.routing_config
        return Routing(
            current=config.current_deployment_version.build_id or None,
            is_chosen=config.HasField("current_version_changed_time"),
            builds=tuple(one.deployment_version.build_id for one in info.version_summaries),
        )

    async def was_chosen(self) -> bool:
        """Return whether any build, or none on purpose, was ever made current.

        Asked of the task queue: about a deployment that does not exist the server logs an error.
        """
        answer = await self._describe_queue()
        return answer.versioning_info.HasField("update_time")

    async def polls(self, build_id: str, queues: Mapping[str, Sequence[str]]) -> bool:
        """Return whether Temporal has seen a build poll all of these queues for all their kinds."""
        request = DescribeWorkerDeploymentVersionRequest(
            namespace=self._client.namespace,
            deployment_version=Version(build_id=build_id, deployment_name=self.name),
        )
        service = self._client.workflow_service
        try:
            answer = await service.describe_worker_deployment_version(request, retry=True)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        infos = answer.worker_deployment_version_info.task_queue_infos
        seen = {(info.name, info.type) for info in infos}
        wanted = {
            (name, TASK_QUEUE_TYPES[kind]) for name, kinds in queues.items() for kind in kinds
        }
        return wanted <= seen

    async def polling_builds(self) -> set[str]:
        """Return the builds that poll for workflows; an empty text for workers without one."""
        answer = await self._describe_queue()
        oldest = datetime.now(UTC) - self._polls_within
        return {
            build_of(poller)
            for poller in answer.pollers
            if poller.last_access_time.ToDatetime(UTC) > oldest
        }

    async def _describe_queue(self) -> DescribeTaskQueueResponse:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=self._queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        return await self._client.workflow_service.describe_task_queue(request, retry=True)

    async def promote(self, build_id: str | None) -> None:
        """Make a build current, which then gets the requests; None: workers without a version."""
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self._client.namespace,
            deployment_name=self.name,
            build_id=build_id or "",
            # An earlier build may have polled a queue that this one no longer has.
            ignore_missing_task_queues=True,
            identity=self._client.identity,
        )
        await self._client.workflow_service.set_worker_deployment_current_version(
            request, retry=True
        )

    def config(self, build_id: str) -> WorkerDeploymentConfig:
        """Return the deployment options of a worker of this build.

        Requests may wait for weeks, so they are not pinned to a build.
        """
        return WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(self.name, build_id),
            use_worker_versioning=True,
            default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
        )


def _lacks_namespace(error: RPCError) -> bool:
    """Return whether there is no such namespace, rather than no such deployment in it."""
    return any(one.Is(NamespaceNotFoundFailure.DESCRIPTOR) for one in error.grpc_status.details)


def deployment_name(task_queue: str) -> str:
    """Return the name of a task queue's deployment, in which Temporal allows neither . nor :."""
    return task_queue.replace(".", "-").replace(":", "-")
