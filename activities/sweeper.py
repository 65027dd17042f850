"""Starts requests that were stored while Temporal could not be reached."""

import logging
from dataclasses import KW_ONLY, dataclass, replace
from datetime import timedelta

from temporalio import activity
from temporalio.service import RPCError

from db.models import Request
from db.repositories.requests import RequestsRepository
from db.row_conversion import workflow_input
from db.session import Database
from pao.clients.temporal import RequestWorkflows
from pao.core import names
from pao.core.payloads.requests import IdempotencyRecord
from pao.runtime.logging import log_fields

_log = logging.getLogger(__name__)

# A submission that is still being started is skipped.
SWEEP_AFTER = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Finds rows without a run and starts their workflows; a repeat starts nothing twice.

    ``memory`` is how long Temporal surely still knows a workflow id: older rows are left to a
    person, because starting them could carry out again what was done.
    """

    database: Database
    workflows: RequestWorkflows
    _: KW_ONLY
    memory: timedelta = timedelta(days=names.RETENTION_DAYS / 2)
    sweep_after: timedelta = SWEEP_AFTER

    @activity.defn(name=names.SWEEP_ACTIVITY)
    async def sweep(self) -> int:
        """Start requests that were never started; return how many."""
        async with self.database.unit_of_work() as session:
            rows = await RequestsRepository(session).unstarted(
                older_than=self.sweep_after, younger_than=self.memory
            )
            requests = RequestsRepository(session)
            keys = [await requests.idempotency_of(str(row.id)) for row in rows]
        return sum([await self._start(*one) for one in zip(rows, keys, strict=True)])

    async def _start(self, row: Request, key: IdempotencyRecord | None) -> bool:
        """Start one request; a failure does not affect the others."""
        given = replace(workflow_input(row), idempotency=key)
        with log_fields(requestId=str(row.id), correlationId=str(row.correlation_id)):
            try:
                started = await self.workflows.start(given, summary=given.context.summary)
            except RPCError as error:
                _log.error("a stored request cannot be started: %s", error.message)
                return False
            if started:
                _log.warning("started a request that was stored but never started")
            return started
