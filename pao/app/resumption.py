"""Restarts the workflow of a request if it is lost; the request then waits in ``failed``.

The reconciler does it for all requests in turn, the API for the one that somebody decides about.
"""

from dataclasses import dataclass, replace

from temporalio.common import WorkflowIDReusePolicy

from db.repositories.cleanups import CleanupsRepository
from db.repositories.decisions import DecisionsRepository
from db.repositories.open_requests import OpenRequest, OpenRequestsRepository
from db.repositories.requests import RequestsRepository
from db.row_conversion import resumed_input
from db.session import Database
from pao.clients.inspection import WorkflowInspector, WorkflowPresence, WorkflowState
from pao.clients.temporal import RequestWorkflows
from pao.core.errors import ErrorCode, PaoError
from pao.core.failure_classes import Cause
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.requests import RequestInput
from pao.core.states import RequestStatus

NEVER_STARTED = (
    "The request was never started, and is too old to be started automatically: Temporal may have "
    "forgotten an earlier run. A retry looks for what exists before it acts."
)
LOST_WORKFLOWS = (WorkflowPresence.LOST, WorkflowPresence.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Resumer:
    """Resumes requests; repeating it, or doing it concurrently, changes nothing."""

    database: Database
    workflows: RequestWorkflows

    async def resume(self, row: OpenRequest, workflow: WorkflowState) -> str:
        """Fail a request whose workflow is gone, and start it again; return why it is gone.

        Raises the SDK's ``RPCError`` when Temporal refuses the start, and ``PaoError``.
        """
        reason = reason_for(row, workflow)
        if row.status != RequestStatus.FAILED:
            failure = ActionFailure(
                code=ErrorCode.ACTION_FAILED, message=reason, retryable=True, cause=Cause.OURS
            )
            async with self.database.unit_of_work() as session:
                await OpenRequestsRepository(session).fail(row, failure=failure)
        given = await stored_input(self.database, row.id, reason)
        ended = workflow.presence == WorkflowPresence.COMPLETED
        await self.workflows.start(
            given,
            summary=given.context.summary,
            reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE if ended else None,
        )
        return reason


async def stored_input(database: Database, request_id: str, reason: str) -> RequestInput:
    """Return the input with which a request is restarted: all that Postgres knows of it."""
    async with database.reading() as session:
        requests = RequestsRepository(session)
        row = await requests.get(request_id)
        if row is None:
            raise PaoError(ErrorCode.REQUEST_NOT_FOUND, "the row went while it was read")
        actions = await requests.get_actions(request_id)
        decisions = await DecisionsRepository(session).list(request_id)
        key = await requests.idempotency_of(request_id)
        cleaned = await CleanupsRepository(session).done([request_id])
    given = resumed_input(row, actions, decisions, reason=reason, cleaned=cleaned.values())
    return replace(given, idempotency=key)


@dataclass(frozen=True, slots=True)
class LostRequests:
    """Resumes one request at once, for a person who decides about it."""

    database: Database
    inspector: WorkflowInspector
    resumer: Resumer

    async def resume(self, request_id: str) -> str | None:
        """Resume a request if its workflow is lost; return why it is lost, else None.

        One that was never started is left to the sweeper, and a component to its bundle. Raises
        ``WorkflowUnansweredError`` when Temporal is silent.
        """
        async with self.database.reading() as session:
            rows = await OpenRequestsRepository(session).named([request_id])
        workflow = await self.inspector.state(request_id)
        if not rows or workflow.presence not in LOST_WORKFLOWS or never_started(rows[0], workflow):
            return None
        return await self.resumer.resume(rows[0], workflow)


def never_started(row: OpenRequest, workflow: WorkflowState) -> bool:
    """Return whether a request waits for its first start: Temporal has not heard of it yet."""
    waits = row.run_id is None and row.status == RequestStatus.SUBMITTED
    return waits and workflow.presence == WorkflowPresence.UNKNOWN


def reason_for(row: OpenRequest, workflow: WorkflowState) -> str:
    """Return why a request's workflow is gone."""
    if never_started(row, workflow):
        return NEVER_STARTED
    if workflow.presence == WorkflowPresence.COMPLETED:
        return "The workflow has ended without carrying the request to its end."
    return workflow.reason
