"""Keeps installations apart that share a Temporal namespace and a task queue by mistake.

Every workflow carries the id of its installation in its memo, every activity in a header. What
belongs to another installation is refused with a message that names both; what has no id is of an
earlier version and is accepted.
"""

import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from temporalio import activity, client, worker, workflow
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from pao.core import names
from pao.core.errors import ErrorCode, PaoError

MEMO = "installation"
_HEADER = "pao-installation"
_IDENTITY = "/installation:"
_REMEMBERED = 10_000
_PATIENCE = timedelta(seconds=5)

GetInstallation = Callable[[], Awaitable[str]]


class ForeignInstallationError(PaoError):
    """A workflow belongs to another installation: 503 until the operator has separated them."""

    def __init__(self, workflow_id: str, *, theirs: str, ours: str) -> None:
        message = foreign_installation_message(f"Workflow {workflow_id}", theirs=theirs, ours=ours)
        super().__init__(ErrorCode.SERVICE_UNAVAILABLE, message)


def foreign_installation_message(what: str, *, theirs: str, ours: str) -> str:
    """Return which installation something belongs to, and what to do about it."""
    return (
        f"{what} belongs to installation {theirs}; this process belongs to installation {ours}, "
        "by its database. Both use the same task queue: give each installation its own "
        "TEMPORAL_TASK_QUEUE or TEMPORAL_NAMESPACE, or point this process to the other's database."
    )


def worker_identity(installation: str) -> str:
    """Return the identity of a worker in Temporal."""
    return f"{os.getpid()}@{socket.gethostname()}{_IDENTITY}{installation}"


def installation_of(identity: str) -> str | None:
    """Return the installation in a worker's identity; None without one."""
    return identity.partition(_IDENTITY)[2] or None


async def is_foreign(execution: client.WorkflowExecution, installation: str) -> bool:
    """Return whether a listed workflow belongs to another installation."""
    return bool(await execution.memo_value(MEMO, installation) != installation)


class ClientGuard(client.Interceptor):
    """Marks started workflows, and refuses to query or signal those of other installations."""

    def __init__(self, installation: GetInstallation) -> None:
        self._installation = installation

    def intercept_client(self, inner: client.OutboundInterceptor) -> client.OutboundInterceptor:
        """Mark workflows at their start, and check their installation before other calls."""
        return _ClientOutboundGuard(inner, self._installation)


class WorkerGuard(worker.Interceptor):
    """Refuses workflows and activities of other installations; ``installation`` is the worker's."""

    def __init__(self, installation: str) -> None:
        self._installation = installation

    def intercept_activity(
        self,
        inner: worker.ActivityInboundInterceptor,
    ) -> worker.ActivityInboundInterceptor:
        """Check each activity before it begins."""
        return _ActivityGuard(inner, self._installation)

    def workflow_interceptor_class(
        self,
        given: worker.WorkflowInterceptorClassInput,  # noqa: ARG002 -- the SDK's signature
    ) -> type[worker.WorkflowInboundInterceptor]:
        """Check each workflow whenever a worker loads it."""
        return type("_OwnWorkflows", (_WorkflowGuard,), {"ours": self._installation})


class _ClientOutboundGuard(client.OutboundInterceptor):
    def __init__(self, inner: client.OutboundInterceptor, installation: GetInstallation) -> None:
        super().__init__(inner)
        self._installation = installation
        self._own_workflows: dict[str, None] = {}

    async def start_workflow(
        self, given: client.StartWorkflowInput
    ) -> client.WorkflowHandle[Any, Any]:
        given.memo = await self._with_installation(given.memo)
        return await super().start_workflow(given)

    async def start_update_with_start_workflow(
        self, given: client.StartWorkflowUpdateWithStartInput
    ) -> client.WorkflowUpdateHandle[Any]:
        start = given.start_workflow_input
        start.memo = await self._with_installation(start.memo)
        return await super().start_update_with_start_workflow(given)

    async def signal_workflow(self, given: client.SignalWorkflowInput) -> None:
        await self._require_ours(given.id)
        await super().signal_workflow(given)

    async def query_workflow(self, given: client.QueryWorkflowInput) -> Any:
        await self._require_ours(given.id)
        return await super().query_workflow(given)

    async def start_workflow_update(
        self, given: client.StartWorkflowUpdateInput
    ) -> client.WorkflowUpdateHandle[Any]:
        await self._require_ours(given.id)
        return await super().start_workflow_update(given)

    async def describe_workflow(
        self, given: client.DescribeWorkflowInput
    ) -> client.WorkflowExecutionDescription:
        found = await super().describe_workflow(given)
        ours = await self._installation()
        theirs = await found.memo_value(MEMO, ours)
        if theirs != ours:
            raise ForeignInstallationError(given.id, theirs=theirs, ours=ours)
        if len(self._own_workflows) >= _REMEMBERED:
            self._own_workflows.clear()
        self._own_workflows[given.id] = None
        return found

    async def _with_installation(self, memo: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {**(memo or {}), MEMO: await self._installation()}

    async def _require_ours(self, workflow_id: str) -> None:
        if workflow_id in self._own_workflows:
            return
        question = client.DescribeWorkflowInput(
            id=workflow_id, run_id=None, rpc_metadata={}, rpc_timeout=_PATIENCE
        )
        await self.describe_workflow(question)


class _WorkflowGuard(worker.WorkflowInboundInterceptor):
    ours = ""

    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_WorkflowOutboundGuard(outbound))

    async def execute_workflow(self, given: worker.ExecuteWorkflowInput) -> Any:
        theirs = workflow.memo_value(MEMO, self.ours)
        if theirs != self.ours:
            # No FailureError: it fails the workflow's task, which Temporal offers to others.
            raise ForeignInstallationError(
                workflow.info().workflow_id, theirs=theirs, ours=self.ours
            )
        return await super().execute_workflow(given)


class _WorkflowOutboundGuard(worker.WorkflowOutboundInterceptor):
    def start_activity(self, given: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        if raw := _memo_payload():
            given.headers = {**given.headers, _HEADER: raw}
        return super().start_activity(given)

    async def start_child_workflow(
        self, given: worker.StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        if _memo_payload():
            given.memo = {**(given.memo or {}), MEMO: workflow.memo_value(MEMO)}
        return await super().start_child_workflow(given)


class _ActivityGuard(worker.ActivityInboundInterceptor):
    def __init__(self, inner: worker.ActivityInboundInterceptor, ours: str) -> None:
        super().__init__(inner)
        self._ours = ours

    async def execute_activity(self, given: worker.ExecuteActivityInput) -> Any:
        raw = given.headers.get(_HEADER)
        theirs = _read(raw) if raw else self._ours
        if theirs != self._ours:
            what = f"Activity {activity.info().activity_type} of {activity.info().workflow_id}"
            raise ApplicationError(
                f"{foreign_installation_message(what, theirs=theirs, ours=self._ours)} "
                "It did not start.",
                type=names.FOREIGN_INSTALLATION,
            )
        return await super().execute_activity(given)


def _memo_payload() -> Payload | None:
    return workflow.info().raw_memo.get(MEMO)


def _read(raw: Payload) -> str:
    [value] = DataConverter.default.payload_converter.from_payloads([raw], [str])
    return str(value)
