"""The chain of the audit trail: made by the database, verified without believing it."""

import asyncio
import math
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from db.audit_anchoring import anchor_all
from db.audit_chain import Anchor, anchor_document, read_anchor
from db.audit_verification import AuditVerification, verify
from db.migrations.files import packaged_migrations
from db.migrations.runner import migrate
from db.repositories.anchors import MOST_CHAINS, AnchorsRepository
from db.repositories.retention import RetentionRepository
from db.session import Database
from pao.core.payloads.mirror import AuditEvent
from pao.core.states import RequestStatus
from tests.db.building import at, brought_to, mirror, snapshot, stored
from tests.support.postgres import Database as Given

LINE = """
    INSERT INTO audit_logs
        (request_id, event_type, event_data, actor, via, reason, source_system, recorded_at)
    VALUES ($1, 'x', $2, 'dana', 'api', $3, 'api', now() - $4::int * interval '1 day')
"""
UNGUARDED = ("audit_logs", "audit_heads", "audit_anchors", "audit_anchor_heads")


async def write(owner: asyncpg.Connection, *requests: object, days: int = 0) -> None:
    """Write a line for each of these requests, so many days ago."""
    for number, request in enumerate(requests):
        await owner.execute(LINE, request, f'{{"n": {number}, "ü": "\\u00e9"}}', None, days)


async def tamper(owner: asyncpg.Connection, *statements: str) -> None:
    """Change what nobody may, as an owner can who takes the guards away."""
    for table in UNGUARDED:
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for statement in statements:
        await owner.execute(statement)
    for table in UNGUARDED:
        await owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


async def anchored(db: Database) -> Anchor:
    async with db.unit_of_work() as session:
        anchor = await AnchorsRepository(session).anchor()
    assert anchor is not None
    return anchor


def told(found: AuditVerification) -> list[tuple[str, int | None]]:
    return [(one.kind, one.position) for one in found.findings]


async def test_everything_that_the_service_writes_is_chained(
    db: Database, database: Given, owner: asyncpg.Connection
) -> None:
    for status in (RequestStatus.COMPLETED, RequestStatus.FAILED, RequestStatus.ABORTED):
        await brought_to(db, status)
    await write(owner, None, None)
    assert await anchored(db) == await anchored(db)
    found = await verify(database.service_url)
    assert told(found) == []
    assert (found.chains, found.anchors) == (4, 1)
    assert found.lines == await owner.fetchval("SELECT count(*) FROM audit_logs")


async def test_writers_of_one_request_follow_each_other(db: Database, database: Given) -> None:
    request = await stored(db)
    owners = [await asyncpg.connect(database.owner_url) for _ in range(6)]
    same = request.context.request_id
    await asyncio.gather(*(write(one, *[same] * 5, uuid4(), None) for one in owners))
    for one in owners:
        await one.close()
    found = await verify(database.service_url)
    assert told(found) == []
    assert (found.chains, found.lines) == (8, 1 + 6 * 7)


async def test_a_write_that_is_taken_back_leaves_no_gap(
    db: Database, database: Given, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    transaction = owner.transaction()
    await transaction.start()
    await write(owner, request.context.request_id)
    await transaction.rollback()
    event = AuditEvent(seq=7, at=at(1), event_type="x", actor="dana", via="api")
    await mirror(db, snapshot(request, audit=[event]))
    assert told(await verify(database.service_url)) == []


TWICE = """
    INSERT INTO audit_logs (request_id, event_type, actor, via, source_system, position, hash)
    SELECT request_id, 'x', 'eve', 'api', 'api', 3, hash FROM audit_logs WHERE position = 3
"""
FIRST_ANCHOR = """
    DELETE FROM audit_anchor_heads WHERE anchor_id = 1;
    DELETE FROM audit_anchors WHERE id = 1
"""

CHANGES: dict[str, tuple[str, list[tuple[str, int | None]]]] = {
    "a reason": ("UPDATE audit_logs SET reason = 'x' WHERE position = 3", [("changed", 3)]),
    "an empty text in place of none": (
        "UPDATE audit_logs SET reason = '' WHERE position = 3",
        [("changed", 3)],
    ),
    "the data": ("UPDATE audit_logs SET event_data = '{}' WHERE position = 2", [("changed", 2)]),
    "an actor": ("UPDATE audit_logs SET actor = 'eve' WHERE position = 4", [("changed", 4)]),
    "a time": (
        "UPDATE audit_logs SET at = at + interval '1 microsecond' WHERE position = 2",
        [("changed", 2)],
    ),
    "a hash": (
        "UPDATE audit_logs SET hash = sha256('x') WHERE position = 2",
        [("changed", 2), ("changed", 3)],
    ),
    "two lines in each other's place": (
        "UPDATE audit_logs SET position = 5 - position WHERE position IN (2, 3)",
        [("changed", 2), ("changed", 3), ("changed", 4)],
    ),
    "a line in the middle": ("DELETE FROM audit_logs WHERE position = 3", [("missing", 3)]),
    "the first line": ("DELETE FROM audit_logs WHERE position = 1", [("missing", 1)]),
    "the tail": ("DELETE FROM audit_logs WHERE position >= 3", [("missing", 3)]),
    "all lines": ("DELETE FROM audit_logs", [("missing", 1)]),
    "the end": ("DELETE FROM audit_heads", [("missing", None)]),
    "a line of another request": (
        "UPDATE audit_logs SET request_id = gen_random_uuid() WHERE position = 4",
        [("missing", 4), ("missing", None), ("missing", 1)],
    ),
    "a line twice": (TWICE, [("extra", 3)]),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_every_change_gap_and_reordering_is_found(
    database: Given, owner: asyncpg.Connection, what: str
) -> None:
    statement, expected = CHANGES[what]
    await write(owner, *[uuid4()] * 4)
    await tamper(owner, statement)
    assert sorted(told(await verify(database.service_url)), key=str) == sorted(expected, key=str)


REMADE = """
    WITH RECURSIVE remade AS (
        SELECT position, audit_hash('', audit_logs) AS hash FROM audit_logs WHERE position = 1
        UNION ALL
        SELECT line.position, audit_hash(remade.hash, line) FROM audit_logs AS line
        JOIN remade ON line.position = remade.position + 1
    )
    UPDATE audit_logs SET hash = remade.hash FROM remade
    WHERE audit_logs.position = remade.position
"""
REMADE_HEAD = """
    UPDATE audit_heads SET (position, hash) =
        (SELECT position, hash FROM audit_logs ORDER BY position DESC LIMIT 1)
"""


async def test_a_chain_that_was_made_anew_differs_from_its_anchor(
    db: Database, database: Given, owner: asyncpg.Connection
) -> None:
    await write(owner, *[uuid4()] * 4)
    anchor = await anchored(db)
    changed = "UPDATE audit_logs SET actor = 'eve' WHERE position = 2"
    await tamper(owner, changed, REMADE, REMADE_HEAD)
    assert told(await verify(database.service_url)) == [("changed", 4)]
    # Whoever makes the anchors anew as well differs from the one that was exported.
    everything = ("DELETE FROM audit_anchor_heads", "DELETE FROM audit_anchors")
    await tamper(owner, *everything)
    await anchored(db)
    assert told(await verify(database.service_url)) == []
    exported = read_anchor(anchor_document(anchor))
    assert exported == anchor
    assert told(await verify(database.service_url, exported=[exported])) == [("anchor", None)]


async def test_a_tail_and_a_whole_chain_that_are_gone_are_missed_by_the_anchor(
    db: Database, database: Given, owner: asyncpg.Connection
) -> None:
    await write(owner, *[uuid4()] * 4)
    anchor = await anchored(db)
    await tamper(owner, "DELETE FROM audit_logs WHERE position > 2", REMADE_HEAD)
    assert told(await verify(database.service_url)) == [("missing", 4)]
    await tamper(owner, "DELETE FROM audit_logs", "DELETE FROM audit_heads")
    assert ("missing", 4) in told(await verify(database.service_url))
    await tamper(owner, "DELETE FROM audit_anchor_heads", "DELETE FROM audit_anchors")
    assert told(await verify(database.service_url)) == []
    assert told(await verify(database.service_url, exported=[anchor])) == [("anchor", None)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_anchors SET at = at + interval '1 second' WHERE id = 1",
        "UPDATE audit_anchors SET root = sha256('x') WHERE id = 2",
        "UPDATE audit_anchor_heads SET position = 9 WHERE anchor_id = 1",
        "DELETE FROM audit_anchor_heads WHERE anchor_id = 2",
        FIRST_ANCHOR,
    ],
)
async def test_anchors_chain_among_themselves(
    db: Database, database: Given, owner: asyncpg.Connection, statement: str
) -> None:
    for _ in range(3):
        await write(owner, uuid4(), uuid4())
        await anchored(db)
    assert told(await verify(database.service_url)) == []
    await tamper(owner, statement)
    assert "anchor" in {kind for kind, _ in told(await verify(database.service_url))}


async def test_what_maintenance_removed_leaves_a_trail_that_can_be_verified(
    db: Database, database: Given, owner: asyncpg.Connection
) -> None:
    old, young = uuid4(), uuid4()
    await write(owner, old, old, young, None, days=400)
    await write(owner, young, None)
    async with db.unit_of_work() as session:
        removed = await RetentionRepository(session).remove_expired()
    assert removed.audit_rows == 4
    found = await verify(database.service_url)
    assert told(found) == []
    assert (found.lines, found.removed_lines, found.chains) == (2, 4, 3)
    await write(owner, young, old)
    await anchored(db)
    assert told(await verify(database.service_url)) == []


async def test_of_a_chain_only_its_beginning_is_removed(
    db: Database, database: Given, owner: asyncpg.Connection
) -> None:
    request = uuid4()
    await write(owner, request)
    await write(owner, request, days=400)
    async with db.unit_of_work() as session:
        assert (await RetentionRepository(session).remove_expired()).audit_rows == 0
    assert told(await verify(database.service_url)) == []


async def test_lines_that_were_removed_before_their_time_are_found(
    db: Database, database: Given, owner: asyncpg.Connection
) -> None:
    request = uuid4()
    await write(owner, request)
    await anchored(db)
    await write(owner, request, request, request)
    await tamper(
        owner,
        "UPDATE audit_heads SET base_position = 3,"
        " base_hash = (SELECT hash FROM audit_logs WHERE position = 3)",
        "DELETE FROM audit_logs WHERE position <= 3",
    )
    assert told(await verify(database.service_url)) == [("early", 3)]


async def test_lines_of_before_the_migration_are_chained_by_it(
    database: Given, owner: asyncpg.Connection
) -> None:
    await owner.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    before = [one for one in packaged_migrations() if one.version < "0024"]
    await migrate(database.owner_url, migrations=before)
    requests = [uuid4(), uuid4()]
    for number in range(6):
        await owner.execute(LINE, requests[number % 2] if number < 4 else None, "{}", "r", 10)
    await migrate(database.owner_url)
    await owner.execute(LINE, requests[0], "{}", None, 0)
    found = await verify(database.owner_url)
    assert told(found) == []
    assert (found.lines, found.chains) == (7, 3)


async def test_an_export_that_is_none_is_refused() -> None:
    endless = {**anchor_document(Anchor(1, datetime.now(UTC), 1, b"", b"", b"")), "id": math.inf}
    documents: list[Any] = [{}, {"id": "x"}, [], None, endless]
    for document in documents:
        with pytest.raises(ValueError, match="not an anchor"):
            read_anchor(document)


async def test_a_large_trail_is_anchored_in_several_steps(
    db: Database, owner: asyncpg.Connection
) -> None:
    add = """
        INSERT INTO audit_heads (chain, position, hash, changed_at)
        SELECT gen_random_uuid(), 1, '', now() - interval '9 days' FROM generate_series(1, $1)
    """
    await owner.execute(add, MOST_CHAINS + 2)
    assert [one.chains for one in await anchor_all(db)] == [MOST_CHAINS, 2]
    # What has changed meanwhile is not forgotten, nor is anything anchored twice.
    await owner.execute("UPDATE audit_heads SET position = 2, changed_at = now()")
    assert sum(one.chains for one in await anchor_all(db)) == MOST_CHAINS + 2
    assert [one.id for one in await anchor_all(db)] == [4]
    taken = await owner.fetchval("SELECT count(*) FROM audit_anchor_heads WHERE position = 2")
    assert taken == MOST_CHAINS + 2
