"""Replays every open workflow with this build, before any worker of it runs.

A build that cannot continue a request is found before anything has changed.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowExecution, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from pao.app.worker.workflow_kinds import WORKFLOWS
from pao.clients.installation import is_foreign

_CORE_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Unreplayable:
    """A workflow that this build cannot continue, and why."""

    workflow_id: str
    workflow: str
    reason: str


@dataclass(slots=True)
class GateResult:
    """How many histories were replayed, and which could not be."""

    replayed: int = 0
    failures: list[Unreplayable] = field(default_factory=list)


async def replay_open_workflows(
    client: Client,
    *,
    task_queue: str,
    installation: str,
    progress: Callable[[int], None] = lambda _count: None,
) -> GateResult:
    """Replay every running workflow of this installation; raises ``RPCError``.

    ``progress`` is called with the number of replayed workflows. Nothing is changed, and no worker
    is needed.
    """
    result = GateResult()
    kinds: dict[str, str] = {}
    replayer = Replayer(
        workflows=WORKFLOWS,
        data_converter=client.data_converter,
        workflow_runner=UnsandboxedWorkflowRunner(),
        namespace=client.namespace,
    )
    histories = _histories(client, task_queue=task_queue, installation=installation, kinds=kinds)
    async with replayer.workflow_replay_iterator(histories) as replays:
        async for one in replays:
            result.replayed += 1
            progress(result.replayed)
            if one.replay_failure is not None:
                name = one.history.workflow_id
                reason = _reason(one.replay_failure)
                result.failures.append(Unreplayable(name, kinds.get(name, ""), reason))
    return result


def _reason(failure: Exception) -> str:
    """Return what the SDK says; its core wraps it into a dump of its own."""
    text = " ".join(str(failure).split())
    core_message = _CORE_MESSAGE.search(text)
    return core_message[1].replace('\\"', '"') if core_message else text


async def _histories(
    client: Client, *, task_queue: str, installation: str, kinds: dict[str, str]
) -> AsyncIterator[WorkflowHistory]:
    query = f"TaskQueue = '{task_queue}' AND ExecutionStatus = 'Running'"
    async for execution in client.list_workflows(query):
        if await is_foreign(execution, installation):
            continue
        history = await _history(client, execution)
        if history is not None:
            kinds[execution.id] = execution.workflow_type
            yield history


async def _history(client: Client, execution: WorkflowExecution) -> WorkflowHistory | None:
    """Return the history of a workflow; None if it is gone since it was listed."""
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    try:
        return await handle.fetch_history()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise
