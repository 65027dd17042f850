"""Compares open requests with their workflows and repairs diverging rows. Temporal wins.

One run checks what Temporal has lost lately, and the next page of all open requests. Each request
is repaired separately: an error is counted, and does not affect the others.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from temporalio import activity
from temporalio.service import RPCError

from activities.reconciliation_rules import Divergence, compare
from db.repositories.audit import AuditEntry, AuditRepository
from db.repositories.maintenance_runs import MaintenanceRunsRepository
from db.repositories.mirror import MirrorRepository
from db.repositories.open_requests import RECONCILER, OpenRequest, OpenRequestsRepository
from db.session import Database
from pao.app.resumption import Resumer
from pao.clients.inspection import (
    RunningRequest,
    WorkflowInspector,
    WorkflowState,
    WorkflowUnansweredError,
)
from pao.clients.temporal import RequestWorkflows
from pao.core import names
from pao.core.errors import PaoError
from pao.core.payloads.mirror import Snapshot
from pao.core.states import TERMINAL, RequestStatus, can_move
from pao.core.timestamps import timestamp
from pao.runtime.logging import log_fields

T = TypeVar("T")

_log = logging.getLogger(__name__)

UNREPAIRED = "unrepaired"
CHECKED = "checked"
MISSING = "missing"
MISSING_ROWS = "missing-rows"
COUNTED = (CHECKED, Divergence.BEHIND, Divergence.ENDED, Divergence.LOST, MISSING, UNREPAIRED)
REPAIRED_BY = {"actor": RECONCILER, "via": RECONCILER, "source_system": RECONCILER}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """How much one run does, and what it skips.

    ``seconds``: after this time a run begins nothing new; the next one continues there.
    ``quiet``: how long a row must be unchanged, as it may be about to change again. ``lately``:
    how far back Temporal is asked for lost workflows. ``memory``: how long it surely knows an id.
    """

    page: int = 1_000
    at_once: int = 10
    seconds: float = 35.0
    quiet: timedelta = timedelta(seconds=20)
    lately: timedelta = timedelta(minutes=10)
    memory: timedelta = timedelta(days=names.RETENTION_DAYS / 2)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Finds open rows whose workflow says otherwise or is gone; a repeat changes nothing."""

    database: Database
    workflows: RequestWorkflows
    inspector: WorkflowInspector
    limits: RunLimits = field(default_factory=RunLimits)

    @property
    def _resumer(self) -> Resumer:
        return Resumer(self.database, self.workflows)

    @activity.defn(name=names.RECONCILE_ACTIVITY)
    async def reconcile(self) -> dict[str, int]:
        """Do one run; return counts by divergence, and of what was not repaired."""
        ends = time.monotonic() + self.limits.seconds
        counts: Counter[str] = Counter()
        urgent, page = await self._next_requests()
        for rows in batched(urgent, self.limits.at_once):
            counts.update(await self._repair_all(rows))
        done, position = {row.id for row in urgent}, None
        for rows in batched(page, self.limits.at_once):
            if time.monotonic() > ends:
                break
            counts.update(await self._repair_all([row for row in rows if row.id not in done]))
            position = rows[-1]
        counts.update(await self._make_missing_rows())
        # After the last page the next run starts at the first.
        ended = len(page) < self.limits.page and (not page or position == page[-1])
        found = {name: counts[name] for name in COUNTED}
        async with self.database.unit_of_work() as session:
            place = None if ended or position is None else _position(position)
            await MaintenanceRunsRepository(session).note(RECONCILER, found, position=place)
        return found

    async def _make_missing_rows(self) -> Counter[str]:
        """Ask running workflows without a row to write it again: Postgres has lost it."""
        async with self.database.reading() as session:
            last = await MaintenanceRunsRepository(session).last(MISSING_ROWS)
        place = (last.position or {}).get("startedBefore") if last else None
        try:
            running = await self.inspector.running(
                limit=self.limits.page,
                started_before=datetime.fromisoformat(place) if place else None,
            )
        except WorkflowUnansweredError as error:
            _log.warning("running workflows could not be listed; the next run retries: %s", error)
            return Counter()
        async with self.database.reading() as session:
            known = {one.request_id: one for one in running}
            missing = await OpenRequestsRepository(session).missing(list(known))
        counts: Counter[str] = Counter()
        for ids in batched(missing, self.limits.at_once):
            counts.update(await asyncio.gather(*(self._recreate_row(known[one]) for one in ids)))
        more = len(running) == self.limits.page
        position = {"startedBefore": running[-1].started_at.isoformat()} if more else None
        async with self.database.unit_of_work() as session:
            await MaintenanceRunsRepository(session).note(
                MISSING_ROWS, {MISSING: len(missing)}, position=position
            )
        return counts

    async def _recreate_row(self, request: RunningRequest) -> str:
        with log_fields(requestId=request.request_id, correlationId=request.correlation_id):
            try:
                await self.inspector.mirror_again(request.request_id, key=str(uuid4()))
            except WorkflowUnansweredError as error:
                _log.warning("a lost row could not be recreated; the next run retries: %s", error)
                return UNREPAIRED
            _log.warning("a request's row was missing; its workflow has recreated it")
            return MISSING

    async def _next_requests(self) -> tuple[list[OpenRequest], list[OpenRequest]]:
        """Return requests whose workflow was lost lately, and the next page of open requests."""
        now = datetime.now(UTC)
        lost = await self.inspector.lost_since(now - self.limits.lately)
        async with self.database.reading() as session:
            requests = OpenRequestsRepository(session)
            last = await MaintenanceRunsRepository(session).last(RECONCILER)
            page = await requests.page(
                after=_read_position(last.position if last else None),
                limit=self.limits.page,
                quiet_since=now - self.limits.quiet,
            )
            urgent = await requests.named(lost)
        return urgent, page

    async def _repair_all(self, rows: Sequence[OpenRequest]) -> Counter[str]:
        found = await asyncio.gather(*(self._repair(row) for row in rows))
        return Counter(name for names_ in found for name in names_)

    async def _repair(self, row: OpenRequest) -> list[str]:
        """Check one request and repair it; an error affects this request only."""
        with log_fields(requestId=row.id, correlationId=row.correlation_id):
            try:
                divergence = await self._compare_and_repair(row)
            except (WorkflowUnansweredError, RPCError, PaoError) as error:
                _log.warning("a request could not be reconciled; the next run retries: %s", error)
                return [CHECKED, UNREPAIRED]
            except Exception:  # noqa: BLE001 -- one must not stop the others
                _log.exception("a request cannot be reconciled")
                return [CHECKED, UNREPAIRED]
        return [CHECKED] if divergence == Divergence.AGREES else [CHECKED, divergence]

    async def _compare_and_repair(self, row: OpenRequest) -> Divergence:
        state = await self.inspector.state(row.id)
        divergence = compare(row, state, now=datetime.now(UTC), memory=self.limits.memory)
        if divergence == Divergence.AGREES or not await self._is_unchanged(row):
            return Divergence.AGREES
        _log.warning(
            "a request and its workflow disagree",
            extra={"divergence": divergence, "row": row.status, "workflow": state.status},
        )
        if divergence == Divergence.BEHIND:
            await self.inspector.mirror_again(row.id, key=str(uuid4()))
        elif divergence == Divergence.LOST or not await self._write_end(row, state):
            await self._resumer.resume(row, state)
        return divergence

    async def _is_unchanged(self, row: OpenRequest) -> bool:
        """Return whether the row is unchanged since it was compared with its workflow."""
        async with self.database.reading() as session:
            return await OpenRequestsRepository(session).named([row.id]) == [row]

    async def _write_end(self, row: OpenRequest, state: WorkflowState) -> bool:
        """Write the final state of a closed workflow; return False if it has none."""
        snapshot = await self.inspector.snapshot(row.id, state.run_id or "")
        if snapshot.status not in TERMINAL:
            return False
        reason = "The mirror had missed the end of the workflow."
        async with self.database.unit_of_work() as session:
            mirror = MirrorRepository(session)
            for step in _steps(row, snapshot):
                await mirror.write(step)
            await AuditRepository(session).insert(
                AuditEntry(
                    event_type=f"request.{snapshot.status}",
                    at=datetime.now(UTC),
                    request_id=row.id,
                    correlation_id=row.correlation_id,
                    reason=reason,
                    event_data={"from": row.status, "to": snapshot.status},
                    **REPAIRED_BY,
                )
            )
        return True


def batched(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Return the rows in groups of this size."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _steps(row: OpenRequest, snapshot: Snapshot) -> list[Snapshot]:
    """Return the writes that bring a row to a workflow's end, by allowed transitions."""
    seq = max(row.mirror_seq or 0, snapshot.mirror_seq)
    at = max(timestamp(row.mirror_at) if row.mirror_at else "", snapshot.mirror_at)
    last = replace(snapshot, mirror_at=at, mirror_seq=seq + 2)
    if can_move(row.status, snapshot.status):
        return [last]
    between = replace(snapshot, mirror_at=at, mirror_seq=seq + 1, status=RequestStatus.FAILED)
    return [between, last]


def _position(row: OpenRequest) -> dict[str, Any]:
    moment, request_id = row.key
    return {"createdAt": moment.isoformat(), "id": request_id}


def _read_position(position: dict[str, Any] | None) -> tuple[datetime, str] | None:
    if position is None:
        return None
    return datetime.fromisoformat(position["createdAt"]), position["id"]
