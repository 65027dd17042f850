"""Signals and queries the workflow that reads the catalog's source."""

import asyncio
from datetime import timedelta

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from pao.clients.temporal import RPC_TIMEOUT, TASK_TIMEOUT, TemporalUnavailableError
from pao.core import names
from pao.core.payloads.catalog import CatalogProposal, SyncReport, SyncRequest, SyncSignal

# A workflow may end just when it is asked; asking again starts the next one.
_TRIES = 3


class CatalogSyncs:
    """The sync of one installation; nothing here reads the catalog."""

    def __init__(self, client: Client, *, task_queue: str) -> None:
        self._client = client
        self._queue = task_queue

    async def signal(self, signal: SyncSignal) -> None:
        """Ask the workflow to check the source; returns once Temporal has stored the signal.

        Raises ``TemporalUnavailableError``.
        """
        try:
            async with asyncio.timeout(RPC_TIMEOUT.total_seconds()):
                await self._client.start_workflow(
                    names.CATALOG_SYNC_WORKFLOW,
                    id=names.catalog_sync_id(self._queue),
                    task_queue=self._queue,
                    task_timeout=TASK_TIMEOUT,
                    start_signal=names.LOOK_SIGNAL,
                    start_signal_args=[signal],
                    rpc_timeout=RPC_TIMEOUT,
                )
        except (TimeoutError, RPCError, RuntimeError) as error:
            raise TemporalUnavailableError from error

    async def propose(self, proposal: CatalogProposal) -> None:
        """Ask for a check of a pull or merge request; returns once Temporal has stored that.

        Raises ``TemporalUnavailableError``.
        """
        try:
            async with asyncio.timeout(RPC_TIMEOUT.total_seconds()):
                await self._client.start_workflow(
                    names.CATALOG_PROPOSAL_WORKFLOW,
                    proposal,
                    id=names.catalog_proposal_id(self._queue, proposal.commit),
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    task_queue=self._queue,
                    task_timeout=TASK_TIMEOUT,
                    rpc_timeout=RPC_TIMEOUT,
                )
        except (TimeoutError, RPCError, RuntimeError) as error:
            raise TemporalUnavailableError from error

    async def refresh(self, request: SyncRequest, *, budget: float) -> SyncReport | None:
        """Ask for a check of the source and return its report; None if it takes longer.

        Raises ``TemporalUnavailableError`` if it is unknown whether the source will be checked.
        """
        try:
            async with asyncio.timeout(budget):
                for left in reversed(range(_TRIES)):
                    try:
                        return await self._refresh(request, budget=budget)
                    except WorkflowUpdateFailedError:
                        if not left:
                            raise
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            return None
        except (WorkflowUpdateFailedError, RPCError, RuntimeError) as error:
            raise TemporalUnavailableError from error
        return None

    async def _refresh(self, request: SyncRequest, *, budget: float) -> SyncReport:
        operation: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
            names.CATALOG_SYNC_WORKFLOW,
            id=names.catalog_sync_id(self._queue),
            task_queue=self._queue,
            task_timeout=TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        try:
            report: SyncReport = await self._client.execute_update_with_start_workflow(
                names.REFRESH_UPDATE,
                request,
                start_workflow_operation=operation,
                result_type=SyncReport,
                rpc_timeout=timedelta(seconds=budget + 1),
            )
        except BaseException:
            # The operation keeps the error a second time; unread, it would be logged as forgotten.
            await asyncio.gather(operation.workflow_handle(), return_exceptions=True)
            raise
        return report
