"""Rebuilds the mirror from Temporal after Postgres was restored from an older backup.

Running workflows write their own rows. For those that have ended, the row is created from their
input and last state. No action is executed, and a repeat changes nothing.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from activities.bookkeeping import Bookkeeper
from db.repositories.audit import AuditEntry, AuditRepository
from db.repositories.mirror import MirrorRepository
from db.repositories.open_requests import OpenRequestsRepository
from db.repositories.recovery import DONE, REBUILDING, UNANSWERED, RecoveryRepository
from db.session import Database
from pao.clients.inspection import ListedWorkflow, WorkflowInspector, WorkflowUnansweredError
from pao.core.payloads.mirror import Snapshot
from pao.core.payloads.requests import RequestInput
from pao.core.states import TERMINAL

_log = logging.getLogger(__name__)

WRITTEN = "written"
MADE = "made"
AT_ONCE = 10
REBUILD = "rebuild"
RESTORED = (
    "The row was missing in Postgres; it was rebuilt from Temporal. Audit lines and logs of "
    "that time are lost."
)


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """The result of a rebuild: rows written by workflows, rows created, unanswered requests.

    If there are unanswered ones, repeat the rebuild.
    """

    written: int
    made: int
    unanswered: tuple[str, ...]


class Rebuilder:
    """Rebuilds the rows of requests in Postgres from their workflows."""

    def __init__(self, database: Database, inspector: WorkflowInspector) -> None:
        self._database = database
        self._inspector = inspector
        self._bookkeeper = Bookkeeper(database)

    async def rebuild(self, *, opens: bool = False) -> RebuildResult:
        """Rebuild all workflows that Temporal knows; bundles first, which components refer to.

        The API is not ready until a rebuild has ended with every workflow's answer, or ``opens``.
        Raises ``WorkflowUnansweredError`` when Temporal does not list them.
        """
        await self._note(REBUILDING)
        known = await self._inspector.list_known()
        counts: Counter[str] = Counter()
        unanswered: list[str] = []
        for is_bundle in (True, False):
            part = [one for one in known if one.is_bundle == is_bundle]
            for start in range(0, len(part), AT_ONCE):
                group = part[start : start + AT_ONCE]
                for one, what in zip(group, await self._rebuild_group(group), strict=True):
                    counts[what] += 1
                    if what == UNANSWERED:
                        unanswered.append(one.request_id)
        left = 0 if opens else len(unanswered)
        await self._note(UNANSWERED if left else DONE, unanswered=left)
        return RebuildResult(counts[WRITTEN], counts[MADE], tuple(unanswered))

    async def _note(self, state: str, *, unanswered: int = 0) -> None:
        async with self._database.unit_of_work() as session:
            await RecoveryRepository(session).note(state, unanswered=unanswered)

    async def _rebuild_group(self, group: Sequence[ListedWorkflow]) -> list[str]:
        async with self._database.reading() as session:
            requests = OpenRequestsRepository(session)
            missing = set(await requests.missing([one.request_id for one in group]))
        return await asyncio.gather(
            *(self._rebuild_one(one, one.request_id in missing) for one in group)
        )

    async def _rebuild_one(self, known: ListedWorkflow, missing: bool) -> str:  # noqa: FBT001 -- private
        try:
            if known.runs:
                await self._inspector.mirror_again(known.request_id, key=str(uuid4()))
                return WRITTEN
            return await self._rebuild_ended(known.request_id) if missing else ""
        except WorkflowUnansweredError as error:
            _log.warning("request %s could not be rebuilt: %s", known.request_id, error)
            return UNANSWERED

    async def _rebuild_ended(self, request_id: str) -> str:
        """Create the row of a request that has ended; the reconciler handles the others."""
        state = await self._inspector.state(request_id)
        run_id = state.run_id or ""
        request_input = await self._inspector.read_input(request_id, run_id)
        snapshot = await self._inspector.snapshot(request_id, run_id)
        if not await self._bookkeeper.make_row(request_input):
            # Another rebuild was faster, and stores its state.
            return ""
        await self._store(request_input, snapshot)
        return MADE

    async def _store(self, request_input: RequestInput, snapshot: Snapshot) -> None:
        if snapshot.status not in TERMINAL or not snapshot.mirror_seq:
            return
        # As one that follows earlier writes: the row may get there by several transitions.
        whole = replace(snapshot, after_at=snapshot.mirror_at, after_seq=snapshot.mirror_seq)
        async with self._database.unit_of_work() as session:
            await MirrorRepository(session).write(whole)
            await AuditRepository(session).insert(
                AuditEntry(
                    event_type="request.restored",
                    at=datetime.now(UTC),
                    request_id=snapshot.request_id,
                    correlation_id=request_input.context.correlation_id,
                    reason=RESTORED,
                    actor=REBUILD,
                    via=REBUILD,
                    source_system=REBUILD,
                )
            )
