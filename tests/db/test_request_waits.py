"""When requests waited for people: one row per wait, kept by triggers."""

from typing import Any

import asyncpg

from db.migrations.files import packaged_migrations
from db.migrations.runner import migrate
from db.session import Database
from pao.core.payloads.actions import ActionState
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import (
    action,
    at,
    brought_to,
    mirror,
    new_request,
    snapshot,
    start_plus,
    store,
)
from tests.support.postgres import Database as Given

ERROR = {"code": "TARGET_UNAVAILABLE", "cause": "target-down", "message": "no answer"}
CONTEXT = {"failedActions": [{"id": "ticket", "index": 0}]}


async def waits(connection: asyncpg.Connection) -> list[tuple[object, ...]]:
    rows = await connection.fetch(
        "SELECT since, ended_at, kind, action_id, code, cause FROM request_waits ORDER BY since"
    )
    return [tuple(row) for row in rows]


def asked(since: float) -> dict[str, object]:
    return {
        "kind": "approval",
        "since": at(since),
        "approvers": {"users": ["ann"], "teams": []},
    }


async def test_each_failure_is_a_wait_with_its_reason(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = new_request()
    await store(db, request)
    failing: dict[str, Any] = {"error": ERROR, "error_context": CONTEXT}
    await mirror(db, snapshot(request, RequestStatus.IN_PROGRESS, seq=1))
    await mirror(db, snapshot(request, RequestStatus.FAILED, seq=2, **failing))
    assert await waits(owner) == [
        (start_plus(2), None, "failed", "ticket", "TARGET_UNAVAILABLE", "target-down")
    ]
    await mirror(db, snapshot(request, RequestStatus.FAILED, seq=9, retrying=True, **failing))
    await mirror(db, snapshot(request, RequestStatus.FAILED, seq=10))
    await mirror(db, snapshot(request, RequestStatus.ABORTED, seq=15))
    assert await waits(owner) == [
        (start_plus(2), start_plus(9), "failed", "ticket", "TARGET_UNAVAILABLE", "target-down"),
        (start_plus(10), start_plus(15), "failed", None, None, None),
    ]


async def test_waits_for_several_approvals_follow_each_other(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = new_request(actions=("first", "second"))
    await store(db, request)

    def both(one: ActionStatus, other: ActionStatus) -> list[ActionState]:
        return [
            action(one, id_="first", waiting=asked(5)),
            action(other, id_="second", index=1, waiting=asked(8)),
        ]

    going, done = ActionStatus.WAITING, ActionStatus.COMPLETED
    steps = {10: both(going, going), 20: both(done, going), 30: both(done, done)}
    for seq, actions in steps.items():
        await mirror(db, snapshot(request, RequestStatus.IN_PROGRESS, seq=seq, actions=actions))
    found = await waits(owner)
    assert [row[0] for row in found] == [start_plus(5), start_plus(8)]
    assert {row[2] for row in found} == {"approval"}
    # The second begins where the first ends; the last end is the database's own time.
    assert found[0][1] == start_plus(8)
    assert found[1][1] is not None


async def test_an_older_approval_that_is_told_later_is_not_counted_twice(
    db: Database, owner: asyncpg.Connection
) -> None:
    bundle = new_request()
    child = new_request(parent=bundle.context.request_id)
    other = new_request(parent=bundle.context.request_id)
    await store(db, bundle, child, other)
    await mirror(db, snapshot(bundle, RequestStatus.IN_PROGRESS, seq=1))
    for request, since in ((child, 8), (other, 5)):
        waiting = [action(ActionStatus.WAITING, waiting=asked(since))]
        await mirror(db, snapshot(request, RequestStatus.IN_PROGRESS, seq=9, actions=waiting))
    rows = await owner.fetch(
        "SELECT since, ended_at FROM request_waits WHERE request_id::text = $1",
        bundle.context.request_id,
    )
    assert [tuple(row) for row in rows] == [(start_plus(5), None)]


async def test_what_waits_when_the_version_comes_is_taken_up(database: Given) -> None:
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    before = tuple(one for one in packaged_migrations() if one.version < "0052")
    await migrate(database.owner_url, migrations=before)
    for status in ("failed", "completed"):
        await connection.execute(
            """
            INSERT INTO requests (id, catalog_item_id, catalog_item_version, catalog_item_name,
                item_definition, plan, user_id, correlation_id, status, mirror_at, mirror_seq,
                error, error_context)
            VALUES (gen_random_uuid(), 'a', '1', 'A', '{}', '[]', 'dana', gen_random_uuid(), $1,
                $2, 1, '{"code": "X", "cause": "quota"}', '{"failedActions": [{"id": "act"}]}')
            """,
            status,
            start_plus(3),
        )
    await migrate(database.owner_url)
    assert await waits(connection) == [(start_plus(3), None, "failed", "act", "X", "quota")]
    await connection.close()


async def test_a_request_that_ends_in_one_state_after_the_other_waits_once(
    db: Database, owner: asyncpg.Connection
) -> None:
    await brought_to(db, RequestStatus.ESCALATED)
    await brought_to(db, RequestStatus.COMPLETED)
    assert [row[:3] for row in await waits(owner)] == [(start_plus(2), start_plus(3), "failed")]
