"""The usual mirror write in one statement: it does what the write under a lock does, or nothing."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from db.repositories.mirror import MirrorRepository, WriteResult, write_snapshot
from db.repositories.requests import NewRequest
from db.session import Database
from pao.core.payloads.mirror import Snapshot
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import action, at, audit, decision, entry, snapshot, stored

Write = Callable[[Database, Snapshot], Awaitable[WriteResult]]

SEEDS = range(40)
WRITES = 25
# Every table that a mirror write touches, without the columns that differ by request or by time.
ROWS = {
    "requests": "status, retrying, run_id, mirror_at, mirror_seq, fields, error, settled_at",
    "request_actions": "action_id, status, attempt, ever_started, started_run_id, started_seq",
    "decisions": "decision_id, outcome, accepted, run_id, mirror_at, mirror_seq",
    "audit_logs": "run_id, seq, event_type, at, source_system, action_id, identity, position",
    "request_events": "run_id, seq, kind, at, data, identity",
}
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


async def under_a_lock(database: Database, given: Snapshot) -> WriteResult:
    async with database.unit_of_work() as session:
        return await MirrorRepository(session).record(given)


async def in_one_statement(database: Database, given: Snapshot) -> WriteResult | None:
    async with database.one_statement() as session:
        return await MirrorRepository(session).record_next(given)


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def following(request: NewRequest, seq: int, **more: Any) -> Snapshot:
    """Return a write whose run knows of the one before it."""
    known: dict[str, Any] = {"after_at": at(seq - 1), "after_seq": seq - 1} if seq > 1 else {}
    return snapshot(request, seq=seq, audit=[audit(seq)], stream=[entry(seq)], **(known | more))


def random_writes(request: NewRequest, chance: random.Random) -> list[Snapshot]:
    """Return what runs of a request may write: in turn, again, late, and past its end."""
    writes: list[Snapshot] = []
    seq, run = 0, "run-1"
    for _ in range(WRITES):
        happens = chance.random()
        if writes and happens < 0.15:
            writes.append(chance.choice(writes))
            continue
        if happens > 0.93:
            run, seq = f"run-{chance.randint(1, 3)}", chance.choice([0, seq])
        seq += 1
        ended = happens > 0.89
        one = following(
            request,
            seq,
            run=run,
            status=RequestStatus.COMPLETED if ended else RequestStatus.IN_PROGRESS,
            actions=[action(ActionStatus.COMPLETED if ended else ActionStatus.IN_PROGRESS)],
            decisions=[decision("done", f"d-{seq}")] if chance.random() < 0.2 else [],
        )
        if chance.random() < 0.1:
            one = replace(one, after_at="", after_seq=0)
        if chance.random() < 0.1:
            one = replace(one, after_seq=max(seq - 2, 0), after_at=at(max(seq - 2, 0)))
        writes.append(one)
    return writes


async def outcomes(
    write: Write, database: Database, request: NewRequest, seed: int
) -> list[tuple[Any, ...]]:
    """Return what each write has answered; a state that the database refuses is an outcome too."""
    found: list[tuple[Any, ...]] = []
    for given in random_writes(request, random.Random(seed)):
        try:
            done = await write(database, given)
        except DBAPIError as error:
            found.append((type(error),))
            continue
        touched = done.answer.updated_at is not None
        answer = replace(done.answer, updated_at=None)
        correlates = done.correlation_id in {"", request.context.correlation_id}
        found.append((answer, touched, sorted(done.lines), sorted(done.entries), correlates))
    return found


async def rows_of(connection: asyncpg.Connection, request: NewRequest) -> dict[str, list[Any]]:
    found = {}
    for table, columns in ROWS.items():
        name = "id" if table == "requests" else "request_id"
        rows = await connection.fetch(
            f"SELECT {columns} FROM {table} WHERE {name} = $1 ORDER BY {columns}",  # noqa: S608 -- names above
            request.context.request_id,
        )
        found[table] = [tuple(row) for row in rows]
    return found


@pytest.mark.parametrize("seed", SEEDS)
async def test_both_ways_of_writing_answer_and_leave_the_same(
    db: Database, owner: asyncpg.Connection, seed: int
) -> None:
    locked, alone = await stored(db), await stored(db)
    answers = await outcomes(under_a_lock, db, locked, seed)
    assert await outcomes(write_snapshot, db, alone, seed) == answers
    assert await rows_of(owner, alone) == await rows_of(owner, locked)


async def test_writes_in_turn_take_one_statement_each(db: Database) -> None:
    request = await stored(db)
    with counted() as statements:
        for seq in range(1, 6):
            assert (await write_snapshot(db, following(request, seq))).answer.applied
    assert len(statements) == 5


async def test_what_does_not_come_next_writes_nothing_in_one_statement(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    await write_snapshot(db, following(request, 1))
    await write_snapshot(db, following(request, 2))
    before = await rows_of(owner, request)
    for given in (
        following(request, 1),
        following(request, 2),
        following(request, 3, run="run-2"),
        following(request, 3, after_seq=1),
        following(request, 3, after_at=at(1)),
        following(request, 3, after_at="", after_seq=0),
        following(request, 3, seconds=1),
        following(request, 3, decisions=[decision()]),
    ):
        assert await in_one_statement(db, given) is None
    assert await rows_of(owner, request) == before
    assert await in_one_statement(db, following(request, 3)) is not None


async def test_an_end_takes_no_further_write_in_one_statement(db: Database) -> None:
    request = await stored(db)
    await write_snapshot(db, following(request, 1))
    await write_snapshot(db, following(request, 2, status=RequestStatus.COMPLETED))
    assert await in_one_statement(db, following(request, 3)) is None


async def test_a_write_that_waited_for_another_does_not_follow_what_it_saw_before(
    db: Database, owner: asyncpg.Connection, superuser: asyncpg.Connection
) -> None:
    request = await stored(db)
    await write_snapshot(db, following(request, 1))
    async with db.unit_of_work() as session:
        await MirrorRepository(session).record(following(request, 2))
        late = asyncio.create_task(in_one_statement(db, following(request, 2, seconds=3)))
        while not await superuser.fetchval(WAITING):
            assert not late.done()
    assert await late is None
    assert await owner.fetchval("SELECT mirror_at FROM requests") == (
        await owner.fetchval("SELECT max(at) FROM audit_logs")
    )


async def test_a_change_of_the_row_that_is_not_a_write_does_not_stop_the_next(
    db: Database, owner: asyncpg.Connection, superuser: asyncpg.Connection
) -> None:
    request = await stored(db)
    await write_snapshot(db, following(request, 1))
    async with owner.transaction():
        await owner.execute("UPDATE requests SET fields = '{\"size\": 7}'")
        late = asyncio.create_task(in_one_statement(db, following(request, 2)))
        while not await superuser.fetchval(WAITING):
            assert not late.done()
    assert await late is not None
    assert await owner.fetchval("SELECT mirror_seq FROM requests") == 2
