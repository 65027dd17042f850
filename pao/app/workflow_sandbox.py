"""The sandbox that workflows run in, without checks that make no difference.

For every payload that goes in or out the SDK asks a workflow's sandbox, up to four times, which
context the payload belongs to. Each time compiles and runs a line of code in it: a tenth of the
processor time that the worker needed for a request. Temporal's own converter and PAO's do the same
in every context, so nothing has to be asked as long as one of them is in use.
"""

from dataclasses import dataclass
from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import DataConverter, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

from pao.clients.temporal_connection import CONVERTER


def sandbox_for(converter: DataConverter) -> WorkflowRunner:
    """Return the sandbox of workflows; a converter from elsewhere is told every context."""
    if converter in (DataConverter.default, CONVERTER):
        return _SparingRunner()
    return SandboxedWorkflowRunner()


@dataclass(frozen=True)
class _SparingRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox, with every restriction that it has."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Spared(super().create_instance(det))


class _Spared(WorkflowInstance):
    """A workflow in its sandbox that is not asked for contexts."""

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._sandboxed.activate(act)

    def get_serialization_context(self, command_info: Any) -> None:  # noqa: ARG002 -- the SDK's signature
        return None

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:  # noqa: ARG002 -- as above
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> Info:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()
