"""Mirrors the request to Postgres: one write per change, in order, retried until it succeeds.

What a snapshot holds is in snapshots.py; what a write does is in db/repositories/mirror.py.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.mirror import MirrorAnswer, Snapshot
from pao.core.payloads.requests import RequestInput
from pao.core.search_attributes import STATUS
from pao.core.states import TERMINAL, RequestStatus
from workflows import policies
from workflows.failures import is_refusal
from workflows.ledger import Ledger
from workflows.open_decisions import OpenDecisions
from workflows.snapshots import Snapshots

RESTORED = (
    "Postgres was restored from an older copy and had lost what the workflow had written since. "
    "The workflow has written it again; audit lines and log entries from in between are lost."
)

MirroredStatus = tuple[RequestStatus, bool]
"""A request's status, and whether a retry is under way."""


class SupersededError(Exception):
    """Another run of this request ended it or got further: this one must not act."""


class Mirror:
    """Writes the ledger's state to Postgres.

    ``started`` names what any run has started, ``recorded`` holds decisions that an earlier
    run has closed or accepted, as far as this one received them again.
    ``updated_at`` is the time that readers find with the last write, where it is known.
    ``after_write`` is called after an applied write with the status that it has written, and
    whether a retry is under way: what it notifies finds the same in Postgres.
    """

    def __init__(
        self, ledger: Ledger, open_decisions: OpenDecisions, request_input: RequestInput
    ) -> None:
        self.snapshots = Snapshots(ledger)
        self._request_input = request_input
        self.started: set[str] = set()
        self.recorded: dict[str, DecisionRecord] = {}
        self.after_write: Callable[[MirroredStatus], Awaitable[None]] | None = None
        self._ledger = ledger
        self._open_decisions = open_decisions
        self._waits = request_input.waits
        self._lock = asyncio.Lock()
        self._written_version = 0
        self._superseded = False
        self._shown_status = RequestStatus.SUBMITTED
        self.updated_at: str | None = None

    @property
    def is_superseded(self) -> bool:
        """Return whether a write has shown that this run must no longer act."""
        return self._superseded

    async def write(self) -> None:
        """Write the current state to Postgres; return when readers find it there.

        Raises ``SupersededError`` when this run must no longer act.
        """
        # After a reset, a run gets its old signals before it has begun: the work itself writes the
        # first state, because no stored request goes back to submitted.
        if self._ledger.status == RequestStatus.SUBMITTED:
            await workflow.wait_condition(lambda: self._ledger.status != RequestStatus.SUBMITTED)
        wanted_version = self._ledger.journal.version
        async with self._lock:
            if self._superseded:
                raise SupersededError
            if self._written_version >= wanted_version:
                return
            version = self._ledger.journal.version
            snapshot = self.snapshots.take(workflow.info().run_id)
            self.show()
            answer = await self._write(snapshot)
            while answer.absent:
                await self._recreate_row()
                answer = await self._write(snapshot)
            while answer.stored_at is not None and not answer.terminal:
                snapshot = await self._overtake(answer.stored_at, answer.stored_seq)
                answer = await self._write(snapshot)
            self._written_version = version
            self.snapshots.confirm(snapshot)
            self._open_decisions.mark_mirrored(snapshot.decisions)
            self._adopt_stored(answer)
            self.updated_at = answer.updated_at
            if answer.behind and answer.applied:
                snapshot = await self._write_all()
        if not answer.applied and self._ledger.status not in TERMINAL:
            self._superseded = True
            raise SupersededError
        if self.after_write is not None:
            await self.after_write((snapshot.status, snapshot.retrying))

    async def _write_all(self) -> Snapshot:
        """Write everything again: Postgres was restored from a copy that knows less."""
        self.snapshots.resend_all(RESTORED)
        version = self._ledger.journal.version
        snapshot = self.snapshots.take(workflow.info().run_id)
        self.updated_at = (await self._write(snapshot)).updated_at
        self._written_version = version
        self.snapshots.confirm(snapshot)
        self._open_decisions.mark_mirrored(snapshot.decisions)
        return snapshot

    async def _recreate_row(self) -> None:
        """Recreate the request's row, however long Postgres is unavailable.

        A component's row must wait for its bundle's row.
        """
        row = replace(self._request_input, resumption=None)
        with contextlib.suppress(FailureError):
            await workflow.execute_local_activity(
                names.MAKE_ROW_ACTIVITY,
                row,
                summary="recreate the row that is missing in Postgres",
                **policies.mirror_first_try(self._waits),
            )
            return
        await workflow.execute_activity(
            names.MAKE_ROW_ACTIVITY,
            row,
            summary="recreate the row that is missing in Postgres",
            **policies.MIRROR_UNTIL_DONE,
        )

    def _adopt_stored(self, answer: MirrorAnswer) -> None:
        """Adopt what only the mirror knows: an earlier run got further than this one."""
        # Not only at the first write: a reset may have dropped starts that had happened.
        self.started |= set(answer.started_actions)
        self.recorded |= {one.decision_id: one for one in answer.recorded}
        if answer.fields is not None:
            self._ledger.context.fields = answer.fields
        self.snapshots.inherit(answer.actions)

    async def write_from_handler(self) -> None:
        """Write from a signal handler, without raising ``SupersededError``."""
        with contextlib.suppress(SupersededError):
            await self.write()

    async def drain(self) -> None:
        """Mirror what handlers left unwritten before the workflow closes."""
        while True:
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self._written_version >= self._ledger.journal.version:
                return
            await self.write()

    async def _overtake(self, stored_at: str, stored_seq: int) -> Snapshot:
        """Return a new snapshot, ordered after a stored one that is ahead of this run's clock.

        Of two runs of a request, only the live one gets its timer: the timer proves that this run
        is not the stale one.
        """
        await workflow.sleep(policies.ALIVE)
        self.snapshots.continue_after(stored_at, stored_seq)
        return self.snapshots.take(workflow.info().run_id)

    async def _write(self, snapshot: Snapshot) -> MirrorAnswer:
        """Write until Postgres has it; a refused state fails the workflow task, visibly.

        Temporal retries the task, and the refusal is not in history: once the database
        is fixed the request continues. Failing the workflow would lose the request.
        """
        while True:
            try:
                return await self._write_quickly(snapshot)
            except FailureError as error:
                if is_refusal(error):
                    raise RuntimeError(f"Postgres rejected this state: {error}") from error
            # A refusal here occurs again in the write above, where history does not keep it.
            with contextlib.suppress(FailureError):
                return await self._write_until_done(snapshot)

    async def _write_quickly(self, snapshot: Snapshot) -> MirrorAnswer:
        answer: MirrorAnswer = await workflow.execute_local_activity(
            names.MIRROR_ACTIVITY,
            snapshot,
            result_type=MirrorAnswer,
            summary=f"write the state to Postgres: {snapshot.status}",
            **policies.mirror_first_try(self._waits),
        )
        return answer

    async def _write_until_done(self, snapshot: Snapshot) -> MirrorAnswer:
        answer: MirrorAnswer = await workflow.execute_activity(
            names.MIRROR_ACTIVITY,
            snapshot,
            result_type=MirrorAnswer,
            summary=f"write the state to Postgres: {snapshot.status}",
            **policies.MIRROR_UNTIL_DONE,
        )
        return answer

    def show(self) -> None:
        """Show the current state in Temporal."""
        ledger = self._ledger
        if ledger.status != self._shown_status:
            self._shown_status = ledger.status
            workflow.upsert_search_attributes([STATUS.value_set(ledger.status)])
        workflow.set_current_details(ledger.details())
