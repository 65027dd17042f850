"""Work that only one process does at a time, and what becomes of it when a holder dies."""

import asyncio

import asyncpg
import pytest

from db.leases import lease
from db.repositories.leases import LeasesRepository
from db.session import Database
from pao.core.errors import ErrorCode, PaoError

ENDS = "SELECT expires_at FROM leases WHERE name = 'work'"


async def test_a_lease_is_given_back_by_work_that_fails(db: Database) -> None:
    with pytest.raises(ValueError, match="broken"):
        async with lease(db, "work", seconds=0):
            raise ValueError("broken")
    async with lease(db, "work", seconds=0):
        pass


async def test_only_one_of_many_works_at_a_time(db: Database) -> None:
    at_work, most = 0, 0

    async def work() -> None:
        nonlocal at_work, most
        async with lease(db, "work", seconds=30):
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0)
            at_work -= 1

    await asyncio.gather(*(work() for _ in range(6)))
    assert most == 1


async def test_a_holder_that_was_killed_stands_in_nobodys_way_for_long(
    db: Database, service: asyncpg.Connection
) -> None:
    async with db.unit_of_work() as session:
        assert await LeasesRepository(session).take("work", "a dead one", seconds=60)
    with pytest.raises(PaoError) as error:
        async with lease(db, "work", seconds=0):
            pass
    assert error.value.code is ErrorCode.SERVICE_UNAVAILABLE
    await service.execute("UPDATE leases SET expires_at = now()")
    async with lease(db, "work", seconds=0):
        pass


async def test_a_lease_is_renewed_while_the_work_goes_on(
    db: Database, service: asyncpg.Connection
) -> None:
    async with lease(db, "work", seconds=0, lasts=0.3):
        first = await service.fetchval(ENDS)
        while await service.fetchval(ENDS) == first:
            await service.execute("SELECT pg_sleep(0.01)")


async def test_a_holder_that_has_lost_its_lease_stores_nothing(
    db: Database, service: asyncpg.Connection
) -> None:
    async with lease(db, "work", seconds=0) as held:
        async with db.unit_of_work() as session:
            await held.check(session)
        await service.execute("UPDATE leases SET holder = 'another'")
        with pytest.raises(PaoError, match="Another process"):
            async with db.unit_of_work() as session:
                await held.check(session)


LOCKS = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND datname = current_database()
"""


async def test_no_lock_of_a_session_is_taken(db: Database, service: asyncpg.Connection) -> None:
    async with lease(db, "work", seconds=0):
        assert await service.fetchval(LOCKS) == 0
