import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from db.notifications import RequestNotifications
from db.session import Database
from tests.db.building import mirror, snapshot, stored
from tests.support.postgres import Database as Given

KILL = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'pao-notifications' AND datname = current_database()
"""


@pytest.fixture
async def notifications(database: Given) -> AsyncIterator[RequestNotifications]:
    async with RequestNotifications(database.service_url) as started:
        await started.wait_until_listening()
        yield started


async def test_a_mirror_write_wakes_who_waits_for_its_request(
    db: Database, notifications: RequestNotifications
) -> None:
    request, other = await stored(db), await stored(db)
    waiting = asyncio.create_task(notifications.wait(request.context.request_id, 10))
    waiting_for_other = asyncio.create_task(notifications.wait(other.context.request_id, 0.3))
    await asyncio.sleep(0)
    await mirror(db, snapshot(request))
    assert await waiting
    assert not await waiting_for_other


async def test_a_change_between_reading_and_waiting_is_not_missed(
    db: Database, notifications: RequestNotifications
) -> None:
    request = await stored(db)
    with notifications.watch(request.context.request_id) as watch:
        await mirror(db, snapshot(request))
        assert await watch.wait(10)
        assert not await watch.wait(0)


async def test_all_who_wait_for_a_request_are_woken(
    db: Database, notifications: RequestNotifications
) -> None:
    request = await stored(db)
    waiting = [
        asyncio.create_task(notifications.wait(request.context.request_id, 10)) for _ in range(5)
    ]
    await asyncio.sleep(0)
    await mirror(db, snapshot(request))
    assert all(await asyncio.gather(*waiting))
    assert not notifications._watches


async def test_a_lost_line_comes_back_and_wakes_who_may_have_missed_something(
    db: Database, superuser: asyncpg.Connection, notifications: RequestNotifications
) -> None:
    request = await stored(db)
    with notifications.watch(request.context.request_id) as watch:
        assert await superuser.fetchval(KILL)
        assert await watch.wait(10)
        await mirror(db, snapshot(request))
        assert await watch.wait(10)


async def test_a_database_that_is_away_does_not_hold_anybody_up() -> None:
    async with RequestNotifications("postgresql://nobody@127.0.0.1:1/pao") as started:
        assert not await started.wait("some-request", 0.05)
