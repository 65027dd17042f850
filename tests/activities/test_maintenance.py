"""What is past its time goes, in small batches; the ages themselves are held by tests/db."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from activities.retention import BatchLimits, Retention
from db.repositories.maintenance_runs import MaintenanceRunsRepository
from db.session import Database as Session
from tests.support.postgres import Database

OLD = """
    INSERT INTO requests (
        id, catalog_item_id, catalog_item_version, catalog_item_name, item_definition, plan,
        user_id, correlation_id, status, updated_at
    )
    SELECT
        gen_random_uuid(), 'thing', '1.0.0', 'Thing', '{}', '[]', 'dana', gen_random_uuid(), $1,
        now() - interval '91 days'
    FROM generate_series(1, $2::integer)
"""


@pytest.fixture
async def session(database: Database) -> AsyncIterator[Session]:
    opened = Session(database.service_url)
    yield opened
    await opened.close()


async def test_everything_that_is_past_its_time_goes_in_small_batches(
    database: Database, session: Session
) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(OLD, "completed", 5)
        await owner.execute(OLD, "failed", 2)
        found = await Retention(session, batches=BatchLimits(size=2)).maintain()
        assert (found["requests"], found["batches"]) == (5, 4)
        assert await owner.fetchval("SELECT count(*) FROM requests") == 2
        known = "SELECT last_analyze FROM pg_stat_user_tables WHERE relname = 'requests'"
        assert await owner.fetchval(known) is not None
    finally:
        await owner.close()


async def test_signatures_that_have_expired_go_and_others_stay(
    database: Database, session: Session
) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(
            """
            INSERT INTO replay_signatures (digest, holder, expires_at)
            SELECT int4send(n), 'h', now() + (n - 3) * interval '1 hour'
            FROM generate_series(1, 5) AS n
            """
        )
        found = await Retention(session, batches=BatchLimits(signatures=2)).maintain()
        assert found["signatures"] == 3
        assert await owner.fetchval("SELECT count(*) FROM replay_signatures") == 2
    finally:
        await owner.close()


async def test_breakers_that_have_expired_go_and_others_stay(
    database: Database, session: Session
) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(
            """
            INSERT INTO breakers (target, item, named, failures, items, last_error, failed_at)
            SELECT 'host-' || n, '', false, 1, '{}', 'x', now() - n * interval '40 minutes'
            FROM generate_series(1, 4) AS n
            """
        )
        found = await Retention(session, batches=BatchLimits(size=2)).maintain()
        assert found["breakers"] == 3
        assert await owner.fetchval("SELECT target FROM breakers") == "host-1"
    finally:
        await owner.close()


async def test_a_turn_without_time_leaves_all_to_the_next_and_says_so(session: Session) -> None:
    found = await Retention(session, batches=BatchLimits(seconds=0)).maintain()
    assert found["batches"] == 0
    async with session.reading() as unit:
        noted = await MaintenanceRunsRepository(unit).last("maintenance")
    assert noted is not None
    assert noted.result == found
