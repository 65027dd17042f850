"""The mirror write: a workflow's snapshot into Postgres, idempotent.

What a write does is decided under the request's row lock, by the stored state and the stored
``(run_id, mirror_at, mirror_seq)``:

- newer than what is stored, and the request is open: it **counts**. Everything is written.
- the very write that is stored, again: it counts, and changes nothing.
- the request was ended by this same run: later decisions, audit lines and stream entries of that
  run are **appended**; the state stays. A run drains its last signals this way, and one whose
  workflow task was lost, which waits for the decision that it had carried out, comes to that end
  again. It may pass through what it had passed through before; a write that shows it at work of
  which the stored state does not show the end is refused.
- older than what is stored (a straggler, of this run or of one before a reset): it does not count.
  Its audit lines are facts and are kept as ``superseded``, decisions that are missing are added,
  and actions that it shows as started are remembered as started.
- the request was ended by another run: it does not count, and the answer is ``terminal``: that run
  must not act.
- there is no such request: it does not count. The answer is ``absent`` to a run that had written
  the row before, else ``terminal``: a request that nobody has stored is not carried out.

A row that is absent, or that knows less than its run had written before, was restored from an older
copy: everything is written again, by transitions that the database allows.

A closed decision is never rewritten, whichever run sends it again. Where the row was
written since the run's own last write (by another run, or by a workflow task that was lost), the
run takes over the stored fields: they hold every correction.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.documents import storable
from db.models import DecisionRow, Request, RequestAction
from db.repositories.decisions import record_of
from db.repositories.mirror_sql import (
    APPEND,
    CHANNEL,
    LOCK,
    MOVE,
    NEXT,
    REMEMBER_STARTED,
    WRITE,
)
from db.row_conversion import snapshot_values, state_of
from db.session import Database
from pao.core.payloads.actions import ActionState
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.mirror import MirrorAnswer, Snapshot
from pao.core.run_inheritance import has_inheritance, inherit
from pao.core.states import TERMINAL, ActionStatus, RequestStatus, can_move
from pao.core.timestamps import timestamp

_AT_WORK = frozenset({ActionStatus.IN_PROGRESS, ActionStatus.WAITING})
_ENDED = frozenset({ActionStatus.COMPLETED, ActionStatus.FAILED, ActionStatus.SKIPPED})


class _WriteKind(Enum):
    """The effect of a write; see the docstring of this module."""

    COUNTS = auto()
    APPENDS = auto()
    OLD = auto()
    REJECTED = auto()


@dataclass(frozen=True, slots=True)
class _StoredDecision:
    """A stored decision, and whether another run of the request has written it last."""

    record: DecisionRecord
    by_another: bool


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write has done: the workflow's answer, and what it added to the request's records.

    ``lines`` and ``entries`` are the numbers of the snapshot's audit lines and stream entries that
    no write had stored before; they are empty for a write that does not count.
    """

    answer: MirrorAnswer
    lines: frozenset[int] = frozenset()
    entries: frozenset[int] = frozenset()
    correlation_id: str = ""


class MirrorRepository:
    """Writes snapshots; each write is one transaction of the given session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def write(self, snapshot: Snapshot) -> MirrorAnswer:
        """Write the snapshot as far as it counts, as ``record`` does, and return the answer."""
        return (await self.record(snapshot)).answer

    async def record_next(self, snapshot: Snapshot) -> WriteResult | None:
        """Write the snapshot in one statement, if it plainly comes next; else return ``None``.

        It does when the stored state is the one that this run has written last, or the one that
        was submitted, and no decision comes with it. Then ``record`` would do just the same, but
        for the answer's ``started_actions``: a start that a straggler of another run records while
        this write waits for the row is not among them. A run that others preceded looks for
        effects whatever it is told (``PlanRunner``).
        """
        if snapshot.decisions:
            return None
        values = {"snapshot": snapshot_values(snapshot), "channel": CHANNEL, "replace": True}
        written = (await self._session.execute(NEXT, values)).first()
        if written is None:
            return None
        answer = MirrorAnswer(
            applied=True,
            started_actions=list(written.started),
            updated_at=timestamp(written.updated_at),
        )
        return _result(answer, written, written.correlation_id)

    async def record(self, snapshot: Snapshot) -> WriteResult:
        """Write the snapshot as far as it counts; see the docstring of this module.

        ``started_actions`` of the answer are those that any run had started before this write,
        also when the write is executed a second time. Raises SQLAlchemy's ``IntegrityError`` for a
        state that the database refuses: that is a bug, and repeating the write does not help.
        """
        stored = (await self._session.execute(LOCK, {"id": UUID(snapshot.request_id)})).first()
        if stored is None:
            # A run whose request was never stored has no known requester: it does nothing.
            was_written = snapshot.after_seq > 0
            return WriteResult(
                MirrorAnswer(applied=False, terminal=not was_written, absent=was_written)
            )
        case = _classify(snapshot, stored)
        if case is _WriteKind.REJECTED and await self._repeats_past(snapshot, stored):
            case = _WriteKind.APPENDS
        behind = _is_behind(snapshot, stored)
        if behind and case is _WriteKind.COUNTS:
            await self._catch_up(snapshot, RequestStatus(stored.status))
        old = case is _WriteKind.OLD
        decisions = await self._read_decisions(snapshot, stored)
        fields = None if behind else await self._read_fields_to_keep(snapshot, stored, decisions)
        if fields is not None:
            snapshot = replace(snapshot, fields=fields)
        inherited = [] if behind else await self._read_inheritance(snapshot, stored)
        snapshot = _add_inherited(snapshot, inherited)
        written = await self._execute(snapshot, case)
        answer = MirrorAnswer(
            applied=case in {_WriteKind.COUNTS, _WriteKind.APPENDS},
            terminal=case is _WriteKind.REJECTED,
            started_actions=list(written.started),
            stored_at=timestamp(stored.mirror_at) if old else None,
            stored_seq=stored.mirror_seq if old else 0,
            recorded=_decisions_known_better(snapshot, decisions),
            fields=fields,
            behind=behind,
            actions=inherited,
            updated_at=timestamp(written.updated_at) if written.updated_at else None,
        )
        if not answer.applied:
            return WriteResult(answer)
        return _result(answer, written, stored.correlation_id)

    async def _repeats_past(self, snapshot: Snapshot, stored: Row[Any]) -> bool:
        """Return whether the run that ended this request repeats what came before that end.

        Its workflow task was lost after the end was written, and is executed again. Every action
        that the snapshot shows at work has ended in that same attempt, so nothing is started again.
        """
        at_work = {(one.id, one.attempt) for one in snapshot.actions if one.status in _AT_WORK}
        has_work = (
            bool(at_work) if snapshot.retrying else snapshot.status == RequestStatus.IN_PROGRESS
        )
        if stored.run_id != snapshot.run_id or not has_work:
            return False
        query = select(col(RequestAction.action_id), col(RequestAction.attempt)).where(
            col(RequestAction.request_id) == UUID(snapshot.request_id),
            col(RequestAction.status).in_(_ENDED),
        )
        ended = {(action_id, attempt) for action_id, attempt in await self._session.execute(query)}
        return at_work <= ended

    async def _catch_up(self, snapshot: Snapshot, stored: RequestStatus) -> None:
        """Move a row to a status that allows the transition to its workflow's current one."""
        if stored == snapshot.status or can_move(stored, snapshot.status):
            return
        completed = snapshot.status == RequestStatus.COMPLETED
        between = RequestStatus.IN_PROGRESS if completed else RequestStatus.FAILED
        if between not in (stored, snapshot.status):
            values = {"id": UUID(snapshot.request_id), "status": between.value}
            await self._session.execute(MOVE, values)

    async def _read_decisions(
        self, snapshot: Snapshot, stored: Row[Any]
    ) -> dict[str, "_StoredDecision"]:
        """Return the stored decisions of a snapshot, by the snapshot's ids."""
        decision_ids = {storable(one.decision_id): one.decision_id for one in snapshot.decisions}
        if not decision_ids:
            return {}
        query = select(DecisionRow).where(
            col(DecisionRow.request_id) == UUID(snapshot.request_id),
            col(DecisionRow.decision_id).in_(decision_ids),
        )
        # A row of an earlier version names no run; the end of a request is that of its run.
        ended = RequestStatus(stored.status) in TERMINAL and stored.run_id == snapshot.run_id
        own_runs = {snapshot.run_id, None} if ended else {snapshot.run_id}
        # What this run has written itself is known to it: a lost workflow task is executed again,
        # and carries out again what it had decided.
        return {
            decision_ids[row.decision_id]: _StoredDecision(
                replace(record_of(row), decision_id=decision_ids[row.decision_id]),
                by_another=row.run_id not in own_runs,
            )
            for row in await self._session.scalars(query)
        }

    async def _read_inheritance(self, snapshot: Snapshot, stored: Row[Any]) -> list[ActionState]:
        """Return the states of actions that may have left something this run does not know."""
        if stored.run_id in (None, snapshot.run_id) and not _is_stored(snapshot, stored):
            return []
        query = select(RequestAction).where(
            col(RequestAction.request_id) == UUID(snapshot.request_id)
        )
        states = [state_of(row) for row in await self._session.scalars(query)]
        return [one for one in states if has_inheritance(one)]

    async def _read_fields_to_keep(
        self, snapshot: Snapshot, stored: Row[Any], decisions: Mapping[str, "_StoredDecision"]
    ) -> dict[str, Any] | None:
        """Return the stored fields if they are kept, because the row is ahead of this run."""
        if not _is_ahead(snapshot, stored) or _corrects(snapshot, decisions):
            return None
        query = select(col(Request.fields)).where(col(Request.id) == UUID(snapshot.request_id))
        fields: dict[str, Any] = (await self._session.execute(query)).scalar_one()
        another = stored.run_id != snapshot.run_id
        return fields if another or fields != snapshot.fields else None

    async def _execute(self, snapshot: Snapshot, case: _WriteKind) -> Row[Any]:
        values = {"snapshot": snapshot_values(snapshot), "channel": CHANNEL}
        statement = WRITE if case is _WriteKind.COUNTS else APPEND
        counts = case in {_WriteKind.COUNTS, _WriteKind.APPENDS}
        row = (await self._session.execute(statement, {**values, "replace": counts})).one()
        if case is _WriteKind.OLD:
            await self._session.execute(REMEMBER_STARTED, {"snapshot": values["snapshot"]})
        return row


async def write_snapshot(database: Database, snapshot: Snapshot) -> WriteResult:
    """Write a snapshot as ``MirrorRepository.record`` does; in one round trip where that will do.

    Raises ``DatabaseUnavailableError``, and ``DBAPIError`` for a state that the database refuses.
    """
    # What is refused here is refused below, under the lock.
    with suppress(IntegrityError):
        async with database.one_statement() as session:
            if (result := await MirrorRepository(session).record_next(snapshot)) is not None:
                return result
    async with database.unit_of_work() as session:
        return await MirrorRepository(session).record(snapshot)


def _result(answer: MirrorAnswer, written: Row[Any], correlation_id: UUID) -> WriteResult:
    lines, entries = frozenset(written.lines), frozenset(written.entries)
    return WriteResult(answer, lines, entries, correlation_id=str(correlation_id))


def _add_inherited(snapshot: Snapshot, inherited: list[ActionState]) -> Snapshot:
    by_id = {one.id: one for one in inherited}
    actions = [inherit(one, by_id[one.id]) if one.id in by_id else one for one in snapshot.actions]
    return replace(snapshot, actions=actions)


def _decisions_known_better(
    snapshot: Snapshot, stored: Mapping[str, "_StoredDecision"]
) -> list[DecisionRecord]:
    """Return the stored decisions that another run has closed or accepted and this one has not."""
    open_ones = {one.decision_id: one for one in snapshot.decisions if one.outcome == "open"}
    return [
        one.record
        for id_, one in stored.items()
        if id_ in open_ones
        and one.by_another
        and (one.record.outcome != "open" or (one.record.accepted and not open_ones[id_].accepted))
    ]


def _corrects(snapshot: Snapshot, stored: Mapping[str, "_StoredDecision"]) -> bool:
    """Return whether the snapshot's fields hold a correction that no other run has recorded."""
    recorded = {id_ for id_, one in stored.items() if one.record.changes}
    return any(one.changes and one.decision_id not in recorded for one in snapshot.decisions)


def _is_behind(snapshot: Snapshot, stored: Row[Any]) -> bool:
    """Return whether the row has lost what this run had written before."""
    if not snapshot.after_seq:
        return False
    if stored.mirror_at is None:
        return True
    after = (datetime.fromisoformat(snapshot.after_at), snapshot.after_seq)
    return bool((stored.mirror_at, stored.mirror_seq) < after)


def _is_ahead(snapshot: Snapshot, stored: Row[Any]) -> bool:
    """Return whether the row has been written since this run's last write that it knows of.

    By another run, by this very write, or by a workflow task of this run that was lost.
    """
    if stored.mirror_at is None:
        return False
    if not snapshot.after_seq:
        return stored.run_id != snapshot.run_id or _is_stored(snapshot, stored)
    after = (datetime.fromisoformat(snapshot.after_at), snapshot.after_seq)
    return bool((stored.mirror_at, stored.mirror_seq) > after)


def _is_stored(snapshot: Snapshot, stored: Row[Any]) -> bool:
    """Return whether the stored state is that of this very write."""
    write = (snapshot.run_id, snapshot.mirror_seq)
    return (
        write == (stored.run_id, stored.mirror_seq)
        and stored.mirror_at is not None
        and (datetime.fromisoformat(snapshot.mirror_at) == stored.mirror_at)
    )


def _classify(snapshot: Snapshot, stored: Row[Any]) -> _WriteKind:
    same_run = stored.run_id == snapshot.run_id
    finished = RequestStatus(stored.status) in TERMINAL
    if finished and not same_run:
        return _WriteKind.REJECTED
    if stored.mirror_at is None:
        return _WriteKind.COUNTS
    write = (datetime.fromisoformat(snapshot.mirror_at), snapshot.mirror_seq)
    stored_write = (stored.mirror_at, stored.mirror_seq)
    if _is_stored(snapshot, stored):
        return _WriteKind.APPENDS
    if write <= stored_write:
        return _WriteKind.OLD
    if not finished:
        return _WriteKind.COUNTS
    # A lost workflow task of the run that has ended the request: it waits for the same decision.
    waits = snapshot.status == RequestStatus.FAILED and not snapshot.retrying
    return _WriteKind.APPENDS if waits or snapshot.status == stored.status else _WriteKind.REJECTED
