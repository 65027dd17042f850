import asyncpg
import pytest

from db.migrations.runner import migrate
from db.models import Request
from db.repositories.retention import RemovedRows, RetentionRepository
from db.session import Database
from pao.core.states import RequestStatus
from tests.db.building import brought_to, count, new_request, stored
from tests.support.postgres import Database as Given

OLD_REQUEST = """
    INSERT INTO requests (id, parent_id, catalog_item_id, catalog_item_version, catalog_item_name,
        item_definition, plan, user_id, correlation_id, status, created_at, updated_at)
    VALUES (coalesce($4, gen_random_uuid()), $3, 'a', '1', 'A', '{}', '[]', 'u',
        gen_random_uuid(), $1, now() - $2::int * interval '1 day',
        now() - $2::int * interval '1 day')
"""
OLD_AUDIT = """
    INSERT INTO audit_logs (event_type, actor, via, source_system, recorded_at)
    VALUES ('x', 'a', 'api', 'api', now() - $1::int * interval '1 day')
"""


FORBIDDEN = [
    "UPDATE audit_logs SET actor = 'x'",
    "DELETE FROM audit_logs",
    "TRUNCATE audit_logs",
    """INSERT INTO audit_logs (event_type, actor, via, source_system, recorded_at)
        VALUES ('x', 'a', 'api', 'api', now() - interval '2 years')""",
    "DELETE FROM requests",
    "TRUNCATE requests CASCADE",
    "DELETE FROM request_actions",
    "DELETE FROM decisions",
    "DELETE FROM request_events",
    "UPDATE request_events SET kind = 'log'",
    "DELETE FROM idempotency_keys",
    "UPDATE idempotency_keys SET key = 'x'",
    "DELETE FROM access_keys",
    "UPDATE access_keys SET user_id = 'x'",
    "INSERT INTO schema_migrations VALUES ('9999', 'x', now(), 'x')",
    "ALTER TABLE audit_logs DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_logs_guard ON audit_logs",
    "SET session_replication_role = 'replica'",
    "CREATE TABLE public.mine (n int)",
]


async def test_the_service_has_the_least_rights(service: asyncpg.Connection) -> None:
    for statement in FORBIDDEN:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(statement)


async def test_the_service_may_read_every_table(
    service: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert len(tables) == len(Request.metadata.tables)
    for row in tables:
        await count(service, row["tablename"])


async def test_the_maintenance_flag_gives_the_service_nothing(
    db: Database, service: asyncpg.Connection
) -> None:
    await brought_to(db, RequestStatus.COMPLETED)
    await service.execute("SELECT set_config('pao.maintenance', 'on', false)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute("DELETE FROM requests")


async def test_the_maintenance_flag_does_not_lift_the_ages(
    db: Database, owner: asyncpg.Connection
) -> None:
    await brought_to(db, RequestStatus.COMPLETED)
    await owner.execute("SELECT set_config('pao.maintenance', 'on', false)")
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute("DELETE FROM requests")
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute("DELETE FROM audit_logs")


async def remove(db: Database, batch: int = 500) -> RemovedRows:
    async with db.unit_of_work() as session:
        return await RetentionRepository(session).remove_expired(batch=batch)


async def test_maintenance_removes_what_ended_long_ago_and_nothing_else(
    db: Database, owner: asyncpg.Connection
) -> None:
    for status in ("completed", "aborted"):
        await owner.execute(OLD_REQUEST, status, 91, None, None)
        await owner.execute(OLD_REQUEST, status, 89, None, None)
    for status in ("submitted", "in_progress", "failed"):
        await owner.execute(OLD_REQUEST, status, 4000, None, None)
    assert await remove(db) == RemovedRows(requests=2, audit_rows=0)
    left = await owner.fetch("SELECT status FROM requests ORDER BY status")
    assert [row["status"] for row in left] == [
        "aborted",
        "completed",
        "failed",
        "in_progress",
        "submitted",
    ]
    assert await remove(db) == RemovedRows(requests=0, audit_rows=0)


async def test_maintenance_takes_small_batches(db: Database, owner: asyncpg.Connection) -> None:
    for _ in range(3):
        await owner.execute(OLD_REQUEST, "completed", 100, None, None)
    assert [(await remove(db, batch=2)).requests for _ in range(3)] == [2, 1, 0]


async def test_maintenance_removes_a_parent_after_its_children(
    db: Database, owner: asyncpg.Connection
) -> None:
    parent = new_request().context.request_id
    await owner.execute(OLD_REQUEST, "completed", 100, None, parent)
    await owner.execute(OLD_REQUEST, "completed", 101, parent, None)
    assert [(await remove(db)).requests for _ in range(2)] == [1, 1]


async def test_maintenance_takes_everything_that_hangs_on_a_request_but_its_trail(
    db: Database, owner: asyncpg.Connection
) -> None:
    async with owner.transaction():
        await owner.execute(OLD_REQUEST, "completed", 100, None, None)
        request_id = await owner.fetchval("SELECT id FROM requests")
        await owner.execute(
            "INSERT INTO request_actions (request_id, action_id, action_index, type, name)"
            " VALUES ($1, 'a', 0, 't', 'A')",
            request_id,
        )
    await owner.execute(
        "INSERT INTO request_events (request_id, run_id, seq, kind, at)"
        " VALUES ($1, 'r', 0, 'log', now())",
        request_id,
    )
    await owner.execute(
        "INSERT INTO cleanups_done (request_id, entry_id, done_by, note)"
        " VALUES ($1, 'e', 'a', 'n')",
        request_id,
    )
    await owner.execute(
        "INSERT INTO terraform_states (state_key, place, request_id, action_id, item_id, user_id)"
        " VALUES ('k', 'p', $1, 'a', 'i', 'u')",
        request_id,
    )
    assert (await remove(db)).requests == 1
    assert await count(owner, "terraform_states") == 1, "what was made is still there"
    for table in ("request_actions", "request_events", "request_audience", "cleanups_done"):
        assert await count(owner, table) == 0
    trail = "SELECT count(*) FROM audit_logs WHERE request_id = $1"
    assert await owner.fetchval(trail, request_id) == 1


async def test_maintenance_removes_audit_lines_after_a_year(
    db: Database, owner: asyncpg.Connection
) -> None:
    for age in (400, 370, 360, 1):
        await owner.execute(OLD_AUDIT, age)
    assert await remove(db) == RemovedRows(requests=0, audit_rows=2)
    assert await owner.fetchval("SELECT count(*) FROM audit_logs") == 2


async def test_maintenance_refuses_a_batch_out_of_bounds(service: asyncpg.Connection) -> None:
    for batch in (0, -1, 10_001):
        with pytest.raises(asyncpg.InvalidParameterValueError, match="between 1 and 10000"):
            await service.execute("SELECT remove_expired($1)", batch)


async def test_the_maintenance_function_cannot_be_led_astray_by_a_search_path(
    db: Database, service: asyncpg.Connection, owner: asyncpg.Connection, database: Given
) -> None:
    await stored(db)
    await owner.execute(f"GRANT TEMPORARY ON DATABASE {database.name} TO pao_service")
    await service.execute("CREATE TEMP TABLE requests (id uuid, status text, updated_at date)")
    await service.execute("SET search_path = pg_temp, public")
    row = await service.fetchrow("SELECT * FROM public.remove_expired(10)")
    assert row is not None
    assert tuple(row) == (0, 0)
    assert await service.fetchval("SELECT count(*) FROM public.requests") == 1


async def test_others_may_not_call_the_maintenance_function(owner: asyncpg.Connection) -> None:
    granted = await owner.fetchval(
        "SELECT has_function_privilege('public', 'remove_expired(integer)', 'EXECUTE')"
    )
    assert granted is False


async def test_a_database_of_one_user_works_without_the_service_role(
    database: Given,
) -> None:
    alone = Database(database.owner_url)
    await brought_to(alone, RequestStatus.COMPLETED)
    assert (await remove(alone)).requests == 0
    await alone.close()
    assert await migrate(database.owner_url) == []


async def test_the_service_may_have_the_planners_figures_taken_anew(
    service: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    known = "SELECT last_analyze FROM pg_stat_user_tables WHERE relname = 'requests'"
    await service.execute("SELECT refresh_statistics()")
    assert await owner.fetchval(known) is not None


async def test_others_may_not_take_the_planners_figures(owner: asyncpg.Connection) -> None:
    public = "SELECT has_function_privilege('public', 'refresh_statistics()', 'execute')"
    assert await owner.fetchval(public) is False
