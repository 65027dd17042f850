"""Since when a request waits: kept by triggers, and known of requests of earlier versions."""

import json
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from db.migrations.files import packaged_migrations
from db.migrations.runner import migrate
from db.session import Database
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import START, action, at, mirror, new_request, snapshot, store
from tests.support.postgres import Database as Given

OLD = """
    INSERT INTO requests (id, parent_id, catalog_item_id, catalog_item_version, catalog_item_name,
        item_definition, plan, user_id, correlation_id, status, retrying, mirror_at, mirror_seq,
        updated_at)
    VALUES ($1, $2, 'a', '1.0.0', 'A', '{}', '[]', 'dana', gen_random_uuid(), $3, $4, $5, 1, $5)
"""
ACTION = """
    INSERT INTO request_actions (request_id, action_id, action_index, type, name, status, waiting,
        finished_at)
    VALUES ($1, 'act', 0, 'approval', 'Act', $2, $3, $4)
"""
MIRRORED = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAILED = MIRRORED - timedelta(hours=1)
APPROVAL = {"kind": "approval", "since": at(70), "approvers": {"users": ["ann"], "teams": []}}


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


async def test_requests_of_earlier_versions_wait_since_they_failed_or_asked(
    database: Given,
) -> None:
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    before = tuple(one for one in packaged_migrations() if one.version < "0031")
    await migrate(database.owner_url, migrations=before)
    rows = {
        1: (None, "failed", False),
        2: (None, "failed", True),
        3: (None, "in_progress", False),
        4: (uuid(3), "in_progress", False),
        5: (None, "in_progress", False),
        6: (None, "completed", False),
        7: (None, "failed", False),
    }
    for number, (parent, status, retrying) in rows.items():
        await connection.execute(OLD, uuid(number), parent, status, retrying, MIRRORED)
    await connection.execute(ACTION, uuid(1), "failed", None, FAILED)
    await connection.execute(ACTION, uuid(4), "waiting", json.dumps(APPROVAL), None)
    await migrate(database.owner_url)
    found = await connection.fetch("SELECT id, waiting_since, updated_at FROM requests ORDER BY id")
    asked = START + timedelta(seconds=70)
    assert [row["waiting_since"] for row in found] == [
        FAILED,
        None,
        asked,
        asked,
        None,
        None,
        MIRRORED,
    ]
    assert {row["updated_at"] for row in found} == {MIRRORED}
    await connection.close()


async def since(connection: asyncpg.Connection, request_id: str) -> datetime | None:
    found: datetime | None = await connection.fetchval(
        "SELECT waiting_since FROM requests WHERE id = $1", request_id
    )
    return found


@pytest.mark.parametrize("retrying", [False, True])
async def test_an_approval_of_a_retry_counts_as_well(
    db: Database, owner: asyncpg.Connection, *, retrying: bool
) -> None:
    request = new_request()
    (request_id,) = await store(db, request)
    await mirror(db, snapshot(request, RequestStatus.IN_PROGRESS, seq=1))
    if retrying:
        await mirror(db, snapshot(request, RequestStatus.FAILED, seq=2))
        assert await since(owner, request_id) == START + timedelta(seconds=2)
    status = RequestStatus.FAILED if retrying else RequestStatus.IN_PROGRESS
    asked = action(ActionStatus.WAITING, waiting=APPROVAL)
    await mirror(db, snapshot(request, status, seq=3, retrying=retrying, actions=[asked]))
    assert await since(owner, request_id) == START + timedelta(seconds=70)
    done = action(ActionStatus.COMPLETED)
    await mirror(db, snapshot(request, status, seq=4, retrying=retrying, actions=[done]))
    assert await since(owner, request_id) is None
    await mirror(db, snapshot(request, RequestStatus.COMPLETED, seq=5))
    assert await since(owner, request_id) is None


async def test_a_second_write_of_a_failed_request_moves_nothing(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = new_request()
    (request_id,) = await store(db, request)
    for seq, status in enumerate((RequestStatus.IN_PROGRESS, *[RequestStatus.FAILED] * 2), start=1):
        await mirror(db, snapshot(request, status, seq=seq))
    assert await since(owner, request_id) == START + timedelta(seconds=2)
