"""The fixtures themselves: what every other test relies on."""

import asyncio

import asyncpg
import pytest
from temporalio.client import Client

from tests.support.postgres import Database

TABLES = "select count(*) from information_schema.tables where table_name = 'requests'"


async def _fetch(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_test_gets_a_migrated_database(database: Database) -> None:
    assert await _fetch(database.owner_url, TABLES) == 1


@pytest.mark.parametrize("_turn", [1, 2])
async def test_what_one_test_writes_another_does_not_see(database: Database, _turn: int) -> None:
    connection = await asyncpg.connect(database.owner_url)
    try:
        await connection.execute("create table left_behind ()")
    finally:
        await connection.close()


async def test_the_service_may_read_what_migrations_granted_and_no_more(
    database: Database,
) -> None:
    assert await _fetch(database.service_url, "select count(*) from requests") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _fetch(database.service_url, "drop table requests")


async def test_temporal_answers_in_the_namespace_of_the_run(temporal_address: str) -> None:
    client = await Client.connect(temporal_address)
    assert await client.count_workflows("PaoStatus = 'never'") is not None


async def test_two_databases_at_once_do_not_wait_for_each_other(database: Database) -> None:
    answers = await asyncio.gather(*(_fetch(database.service_url, "select 1") for _ in range(10)))
    assert answers == [1] * 10
