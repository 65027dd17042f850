"""Processes find each other by the names of their connections, and add up what they may open."""

import logging

import pytest

from db.process_connections import ProcessName, check_connections, connections_warning
from db.session import Database, PoolSettings
from tests.support.postgres import Database as EmptyDatabase

API = ProcessName("pao-api", 16, "aa")
WORKER = ProcessName("pao-worker", 15, "bb")


def test_a_name_is_read_as_it_was_written() -> None:
    assert ProcessName.read(str(API)) == API
    assert ProcessName.read("psql") is None
    assert ProcessName.read("pao-keys") is None


@pytest.mark.parametrize(("room", "warns"), [(100, False), (39, False), (38, True), (20, True)])
def test_more_than_four_fifths_of_the_room_is_a_warning(room: int, *, warns: bool) -> None:
    assert bool(connections_warning([API, WORKER], room=room)) == warns


def test_the_warning_says_who_and_what_to_do() -> None:
    other = ProcessName("pao-api", 16, "cc")
    told = connections_warning([API, WORKER, other], room=50)
    assert told is not None
    assert "2 pao-api, 1 pao-worker" in told
    assert "47 connections" in told
    assert "DB_MAX_OPEN_CONNS" in told


async def test_living_processes_are_added_up(
    database: EmptyDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    other = ProcessName("pao-worker", 5000)
    pool = PoolSettings(application_name=str(other))
    away = Database(database.service_url, pool=pool)
    ours = Database(database.service_url, pool=PoolSettings(application_name=str(API)))
    try:
        await away.ping()
        with caplog.at_level(logging.WARNING):
            await check_connections(ours, API)
    finally:
        await away.close()
        await ours.close()

    [warning] = [text for text in caplog.messages if "max_connections" in text]
    assert "1 pao-worker" in warning
    assert "pao-api" in warning


async def test_the_pool_says_what_is_in_use_and_who_waits(database: EmptyDatabase) -> None:
    ours = Database(database.service_url, pool=PoolSettings(max_idle=1, max_open=2))
    try:
        async with ours.reading(), ours.reading():
            assert (ours.pool().in_use, ours.pool().most, ours.pool().waiting) == (2, 2, 0)
        assert ours.pool().in_use == 0
        assert ours.pool().idle == 1
    finally:
        await ours.close()
