"""Removes completed maintenance workflows from Temporal, which keeps closed workflows for weeks.

Two a minute would bury the workflows of requests in Temporal's list. What a run has found is in
the table ``upkeep``; runs that did not complete stay as long as everything else.
"""

import asyncio
import logging
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from pao.core import names

_log = logging.getLogger(__name__)

# How many of each kind stay, to look at.
KEPT = 2
# An installation that has collected them for weeks loses them over some hours.
MOST_AT_ONCE = 200


@dataclass(slots=True)
class CompletedRuns:
    """Removes the completed maintenance runs of a task queue; a refusal is logged once."""

    client: Client
    task_queue: str
    _refusal: str | None = field(default=None, init=False)

    @activity.defn(name=names.FORGET_RUNS_ACTIVITY)
    async def forget(self, workflow: str) -> int:
        """Remove all completed runs of a workflow but the newest; return how many were removed."""
        query = (
            f"WorkflowType = '{workflow}' AND TaskQueue = '{self.task_queue}'"
            " AND ExecutionStatus = 'Completed'"
        )
        try:
            listed = self.client.list_workflows(query, limit=KEPT + MOST_AT_ONCE)
            found = [
                WorkflowExecution(workflow_id=one.id, run_id=one.run_id) async for one in listed
            ]
            removed = await asyncio.gather(*(self._remove(one) for one in found[KEPT:]))
        except RPCError as error:
            if error.message != self._refusal:
                _log.warning("completed runs of %s are not removed: %s", workflow, error.message)
            self._refusal = error.message
            return 0
        return sum(removed)

    async def _remove(self, execution: WorkflowExecution) -> bool:
        request = DeleteWorkflowExecutionRequest(
            namespace=self.client.namespace, workflow_execution=execution
        )
        try:
            await self.client.workflow_service.delete_workflow_execution(request)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True
