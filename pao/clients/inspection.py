"""Queries the state of request workflows for the reconciler; decides nothing.

Every query ends within ``SECONDS``: a workflow that does not answer blocks no other.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHistoryEventFilterType,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from pao.clients.installation import is_foreign
from pao.core import names
from pao.core.payloads.mirror import Snapshot
from pao.core.payloads.requests import RequestInput
from pao.core.search_attributes import CORRELATION_ID, STATUS

SECONDS = 5.0
MOST_CLOSED = 500
_REASON_LENGTH = 200
_KINDS = f"'{names.REQUEST_WORKFLOW}', '{names.BUNDLE_WORKFLOW}'"
_LOST_TEXTS = {
    WorkflowExecutionStatus.TERMINATED: "was terminated in Temporal",
    WorkflowExecutionStatus.TIMED_OUT: "timed out in Temporal",
    WorkflowExecutionStatus.FAILED: "failed in Temporal",
    WorkflowExecutionStatus.CANCELED: "was cancelled in Temporal",
}
GONE = "Temporal no longer knows the request's workflow."


class WorkflowUnansweredError(Exception):
    """A workflow or Temporal did not answer; the next run retries."""


class WorkflowPresence(StrEnum):
    """Whether Temporal knows a workflow, and whether it runs."""

    RUNNING = "running"
    COMPLETED = "completed"
    LOST = "lost"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowState:
    """The newest run of a workflow: its presence, its status, and why it is lost."""

    presence: WorkflowPresence
    run_id: str | None = None
    status: str | None = None
    reason: str = GONE


@dataclass(frozen=True, slots=True)
class ListedWorkflow:
    """A request's workflow that Temporal knows, and whether it runs."""

    request_id: str
    runs: bool
    is_bundle: bool = False


@dataclass(frozen=True, slots=True)
class RunningRequest:
    """A request whose workflow runs, and when that was started."""

    request_id: str
    started_at: datetime
    correlation_id: str = ""


class WorkflowInspector:
    """Queries Temporal for the workflows of requests, and these for their state.

    With an ``installation``, workflows of others on the same task queue are not listed.
    """

    def __init__(self, client: Client, *, task_queue: str, installation: str | None = None) -> None:
        self._client = client
        self._queue = task_queue
        self._installation = installation

    async def state(self, request_id: str) -> WorkflowState:
        """Return the state of a request's workflow; raises ``WorkflowUnansweredError``."""
        handle = self._client.get_workflow_handle(names.workflow_id(request_id))
        try:
            async with asyncio.timeout(SECONDS):
                found = await handle.describe(rpc_timeout=timedelta(seconds=SECONDS))
                return await self._read_state(found)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return WorkflowState(presence=WorkflowPresence.UNKNOWN)
            raise WorkflowUnansweredError(error.message) from error
        except TimeoutError as error:
            raise WorkflowUnansweredError("Temporal did not answer in time") from error

    async def _read_state(self, description: WorkflowExecutionDescription) -> WorkflowState:
        life = _presence(description.status)
        return WorkflowState(
            presence=life,
            run_id=description.run_id,
            status=description.typed_search_attributes.get(STATUS),
            reason=await self._reason(description) if life == WorkflowPresence.LOST else "",
        )

    async def _reason(self, description: WorkflowExecutionDescription) -> str:
        """Return how a workflow ended, with the given reason if it was terminated."""
        what = _LOST_TEXTS.get(
            description.status or WorkflowExecutionStatus.FAILED, "ended in Temporal"
        )
        if description.status != WorkflowExecutionStatus.TERMINATED:
            return f"The workflow {what}."
        handle = self._client.get_workflow_handle(description.id, run_id=description.run_id)
        given = ""
        async for event in handle.fetch_history_events(
            event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT
        ):
            given = event.workflow_execution_terminated_event_attributes.reason
        return (
            f"The workflow {what}: {given[:_REASON_LENGTH]}" if given else f"The workflow {what}."
        )

    async def lost_since(self, since: datetime) -> list[str]:
        """Return the requests whose workflows were lost since a moment.

        The list comes from Temporal's search, which lags a little behind and may be
        unavailable: it only says which requests to check first.
        """
        query = (
            f"WorkflowType IN ({_KINDS}) AND TaskQueue = '{self._queue}' AND "
            "ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed', 'Canceled') AND "
            f"CloseTime > '{since.isoformat()}'"
        )
        found: list[str] = []
        try:
            async with asyncio.timeout(SECONDS):
                listed = self._client.list_workflows(query, limit=MOST_CLOSED)
                found.extend([names.request_id_of(one.id) async for one in self._own(listed)])
        except (RPCError, TimeoutError):
            return found
        return found

    async def running(
        self, *, limit: int, started_before: datetime | None = None
    ) -> list[RunningRequest]:
        """Return the requests whose workflows run, newest first.

        The list comes from Temporal's search, which lags a little behind. Raises
        ``WorkflowUnansweredError``.
        """
        query = (
            f"WorkflowType IN ({_KINDS}) AND TaskQueue = '{self._queue}' AND "
            "ExecutionStatus = 'Running'"
        )
        if started_before is not None:
            query += f" AND StartTime < '{started_before.isoformat()}'"
        async with _bounded_call():
            listed = self._client.list_workflows(query, limit=limit)
            return [
                RunningRequest(
                    names.request_id_of(one.id),
                    one.start_time,
                    one.typed_search_attributes.get(CORRELATION_ID) or "",
                )
                async for one in self._own(listed)
            ]

    async def list_known(self) -> list[ListedWorkflow]:
        """Return the requests of all workflows that Temporal knows, each once, oldest first.

        Raises ``WorkflowUnansweredError`` when Temporal does not list them.
        """
        query = f"WorkflowType IN ({_KINDS}) AND TaskQueue = '{self._queue}'"
        found: dict[str, ListedWorkflow] = {}
        try:
            async for one in self._own(self._client.list_workflows(query)):
                request_id = names.request_id_of(one.id)
                runs = one.status == WorkflowExecutionStatus.RUNNING
                before = found.pop(request_id, None)
                found[request_id] = ListedWorkflow(
                    request_id,
                    runs=runs or (before is not None and before.runs),
                    is_bundle=one.workflow_type == names.BUNDLE_WORKFLOW,
                )
        except RPCError as error:
            raise WorkflowUnansweredError(error.message) from error
        return list(reversed(found.values()))

    async def _own(
        self, listed: AsyncIterator[WorkflowExecution]
    ) -> AsyncIterator[WorkflowExecution]:
        async for one in listed:
            if self._installation is None or not await is_foreign(one, self._installation):
                yield one

    async def read_input(self, request_id: str, run_id: str) -> RequestInput:
        """Return the input of a run; raises ``WorkflowUnansweredError``."""
        handle = self._client.get_workflow_handle(names.workflow_id(request_id), run_id=run_id)
        async with _bounded_call():
            async for event in handle.fetch_history_events(page_size=1):
                started = event.workflow_execution_started_event_attributes
                [given] = await self._client.data_converter.decode(
                    list(started.input.payloads), [RequestInput]
                )
                return cast("RequestInput", given)
        raise WorkflowUnansweredError("its history is empty")

    async def mirror_again(self, request_id: str, *, key: str) -> None:
        """Make a running workflow write its state again; returns when Postgres has it.

        Raises ``WorkflowUnansweredError`` if that takes too long.
        """
        handle = self._client.get_workflow_handle(names.workflow_id(request_id))
        async with _bounded_call():
            await handle.execute_update(
                names.MIRROR_AGAIN_UPDATE,
                id=f"{names.MIRROR_AGAIN_UPDATE}-{key}",
                rpc_timeout=timedelta(seconds=SECONDS),
            )

    async def snapshot(self, request_id: str, run_id: str) -> Snapshot:
        """Return the snapshot of a run, closed or not; raises ``WorkflowUnansweredError``."""
        handle = self._client.get_workflow_handle(names.workflow_id(request_id), run_id=run_id)
        async with _bounded_call():
            snapshot: Snapshot = await handle.query(
                names.SNAPSHOT_QUERY,
                result_type=Snapshot,
                rpc_timeout=timedelta(seconds=SECONDS),
            )
        return snapshot

    async def signal_resolved(self, request_id: str, payload: dict[str, Any]) -> None:
        """Signal a workflow that a ticket one of its actions waits for is resolved."""
        handle = self._client.get_workflow_handle(names.workflow_id(request_id))
        async with _bounded_call():
            await handle.signal(
                names.TICKET_RESOLVED_SIGNAL,
                payload,
                rpc_timeout=timedelta(seconds=SECONDS),
            )


@asynccontextmanager
async def _bounded_call() -> AsyncIterator[None]:
    """Bound a query, and turn every failure into ``WorkflowUnansweredError``."""
    try:
        async with asyncio.timeout(SECONDS):
            yield
    except (
        RPCError,
        TimeoutError,
        WorkflowQueryFailedError,
        WorkflowQueryRejectedError,
        WorkflowUpdateFailedError,
        WorkflowUpdateRPCTimeoutOrCancelledError,
    ) as error:
        raise WorkflowUnansweredError(str(error) or "no answer in time") from error


def _presence(status: WorkflowExecutionStatus | None) -> WorkflowPresence:
    if status == WorkflowExecutionStatus.RUNNING:
        return WorkflowPresence.RUNNING
    return (
        WorkflowPresence.COMPLETED
        if status == WorkflowExecutionStatus.COMPLETED
        else WorkflowPresence.LOST
    )
