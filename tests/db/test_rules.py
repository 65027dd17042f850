import itertools
from uuid import UUID, uuid4

import asyncpg
import pytest

from db.session import Database
from pao.core.states import TERMINAL, RequestStatus, can_move
from tests.db.building import brought_to, change_requests, count, stored

PAIRS = list(itertools.product(RequestStatus, RequestStatus))
FINAL = sorted(TERMINAL)

# What only the database's table allows: an open state is written again after a reset or a change of
# fields, and the reconciler gives up a request whose workflow is gone.
BESIDES = {
    (RequestStatus.SUBMITTED, RequestStatus.SUBMITTED),
    (RequestStatus.IN_PROGRESS, RequestStatus.IN_PROGRESS),
    (RequestStatus.SUBMITTED, RequestStatus.FAILED),
}


async def test_both_transition_tables_agree(owner: asyncpg.Connection) -> None:
    expected = {pair for pair in PAIRS if can_move(*pair) or pair in BESIDES}
    query = "SELECT request_move_allowed($1, $2)"
    assert {pair for pair in PAIRS if await owner.fetchval(query, *pair)} == expected


async def test_both_sides_agree_on_what_is_final(owner: asyncpg.Connection) -> None:
    for status in RequestStatus:
        final = await owner.fetchval("SELECT request_is_finished($1)", status)
        assert final == (status in TERMINAL)


@pytest.mark.parametrize("status", FINAL)
async def test_a_finished_request_never_changes(
    db: Database, owner: asyncpg.Connection, status: RequestStatus
) -> None:
    await brought_to(db, status)
    for change in ("status = status", "error = '{}'", "retrying = false", "status = 'failed'"):
        with pytest.raises(asyncpg.RestrictViolationError, match="finished request never changes"):
            await change_requests(owner, change)


async def test_a_move_that_the_table_does_not_know_is_refused(
    db: Database, owner: asyncpg.Connection
) -> None:
    await stored(db)
    with pytest.raises(asyncpg.RestrictViolationError, match="cannot go from submitted to aborted"):
        await owner.execute("UPDATE requests SET status = 'aborted'")


async def test_what_was_submitted_is_never_rewritten(
    db: Database, owner: asyncpg.Connection
) -> None:
    await stored(db)
    for change in (
        "user_id = 'x'",
        "plan = '[]'",
        "created_at = now()",
        "user_teams = '{}'",
        "metadata = '{}'",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="cannot be rewritten"):
            await change_requests(owner, change)


async def test_a_row_that_makes_no_sense_is_refused(
    db: Database, owner: asyncpg.Connection
) -> None:
    await stored(db)
    for change, constraint in (
        ("retrying = true", "requests_retrying_is_failed"),
        ("mirror_seq = 1", "requests_mirror_pair_is_whole"),
        ("fields = '[]'", "requests_fields_is_object"),
    ):
        with pytest.raises(asyncpg.CheckViolationError, match=constraint):
            await change_requests(owner, change)


async def test_an_unknown_state_cannot_be_stored(db: Database, owner: asyncpg.Connection) -> None:
    await stored(db)
    with pytest.raises(asyncpg.CheckViolationError, match="request_actions_status_known"):
        await owner.execute("UPDATE request_actions SET status = 'done'")
    with pytest.raises(asyncpg.CheckViolationError, match="requests_status_known"):
        await owner.execute(
            "INSERT INTO requests (id, catalog_item_id, catalog_item_version, catalog_item_name,"
            " item_definition, plan, user_id, correlation_id, status)"
            " VALUES (gen_random_uuid(), 'a', '1', 'A', '{}', '[]', 'u', gen_random_uuid(), 'x')"
        )


async def test_an_escalated_request_has_a_ticket(db: Database, owner: asyncpg.Connection) -> None:
    await brought_to(db, RequestStatus.FAILED)
    with pytest.raises(asyncpg.CheckViolationError, match="requests_escalated_has_ticket"):
        await owner.execute("UPDATE requests SET status = 'escalated'")


async def test_the_results_of_a_finished_requests_actions_stay(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    await brought_to(db, RequestStatus.COMPLETED, request=request)
    with pytest.raises(asyncpg.RestrictViolationError, match="results of its actions never change"):
        await owner.execute("UPDATE request_actions SET external_reference = 'OPS-9'")


async def test_a_tickets_live_status_moves_on_after_the_end(
    db: Database, service: asyncpg.Connection
) -> None:
    await brought_to(db, RequestStatus.COMPLETED)
    await service.execute("""UPDATE request_actions SET ticket_status = '{"status": "Done"}'""")
    assert await service.fetchval("SELECT ticket_status->>'status' FROM request_actions") == "Done"


async def test_an_update_moves_the_time_of_the_row(db: Database, owner: asyncpg.Connection) -> None:
    await stored(db)
    before = await owner.fetchval("SELECT updated_at FROM requests")
    await owner.execute("UPDATE requests SET status = 'in_progress'")
    assert await owner.fetchval("SELECT updated_at FROM requests") > before


async def test_a_change_of_state_by_hand_is_audited(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    await owner.execute("UPDATE requests SET status = 'failed'")
    line = await owner.fetchrow("SELECT * FROM audit_logs WHERE source_system = 'database'")
    assert line is not None
    assert line["event_type"] == "request.failed"
    assert line["event_data"] == '{"to": "failed", "from": "submitted"}'
    assert line["actor"] == await owner.fetchval("SELECT session_user")
    assert line["correlation_id"] == UUID(request.context.correlation_id)


async def test_a_change_of_anything_else_by_hand_is_not_audited(
    db: Database, owner: asyncpg.Connection
) -> None:
    await stored(db)
    await owner.execute("UPDATE requests SET error = '{}'")
    assert await owner.fetchval("SELECT count(*) FROM audit_logs") == 1


async def test_the_services_own_writes_are_audited_by_the_service_alone(
    db: Database, owner: asyncpg.Connection
) -> None:
    await brought_to(db, RequestStatus.ABORTED)
    sources = await owner.fetch("SELECT source_system FROM audit_logs")
    assert [row["source_system"] for row in sources] == ["api"]


async def test_the_explicit_mode_ends_with_its_transaction(
    db: Database, owner: asyncpg.Connection
) -> None:
    await stored(db)
    async with owner.transaction():
        await owner.execute("SELECT set_config('pao.audit', 'explicit', true)")
    await owner.execute("UPDATE requests SET status = 'failed'")
    count = "SELECT count(*) FROM audit_logs WHERE source_system = 'database'"
    assert await owner.fetchval(count) == 1


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM requests", "DELETE FROM audit_logs", "DELETE FROM request_actions"],
)
async def test_nobody_deletes_by_hand_not_even_the_owner(
    db: Database, owner: asyncpg.Connection, statement: str
) -> None:
    await brought_to(db, RequestStatus.COMPLETED)
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute(statement)
    assert await count(owner, statement.rsplit(maxsplit=1)[-1]) == 1


@pytest.mark.parametrize("table", ["requests", "audit_logs"])
async def test_nobody_empties_a_table(db: Database, owner: asyncpg.Connection, table: str) -> None:
    await stored(db)
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute(f"TRUNCATE {table} CASCADE")


async def test_a_line_of_the_audit_trail_is_never_changed(
    db: Database, owner: asyncpg.Connection
) -> None:
    await stored(db)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await owner.execute("UPDATE audit_logs SET actor = 'somebody else'")


async def test_an_audit_line_is_written_once_per_run_and_number(owner: asyncpg.Connection) -> None:
    insert = (
        "INSERT INTO audit_logs (request_id, event_type, actor, via, source_system, run_id, seq)"
        " VALUES ($1, 'x', 'a', 'api', 'api', $2, $3)"
    )
    request_id = uuid4()
    await owner.execute(insert, request_id, None, None)
    await owner.execute(insert, request_id, None, None)
    await owner.execute(insert, request_id, "run", 1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute(insert, request_id, "run", 1)
    with pytest.raises(asyncpg.CheckViolationError, match="run_and_seq_go_together"):
        await owner.execute(insert, request_id, "run", None)
