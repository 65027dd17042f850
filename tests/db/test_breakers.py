"""Circuit breakers in Postgres, as all workers share them."""

import asyncio

import asyncpg

from db.repositories.breakers import BreakersRepository, BreakerState
from db.session import Database

TARGET = "api.example.com"


async def fail(
    db: Database, times: int = 1, *, most: int = 5, probing: bool = False
) -> BreakerState:
    for number in range(times):
        async with db.unit_of_work() as session:
            state = await BreakersRepository(session).failed(
                TARGET, f"error {number}", most=most, seconds=30, probing=probing
            )
    return state


async def read(db: Database) -> BreakerState | None:
    async with db.reading() as session:
        return await BreakersRepository(session).read(TARGET)


async def probe(db: Database) -> bool:
    async with db.unit_of_work() as session:
        return await BreakersRepository(session).begin_probe(TARGET, seconds=60)


async def answer(db: Database, *, probing: bool = False) -> None:
    async with db.unit_of_work() as session:
        await BreakersRepository(session).answered(TARGET, probing=probing)


async def wait_is_over(owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE circuit_breakers SET retry_at = now() - interval '1 second'")


async def test_the_fifth_failure_in_a_row_opens_it(db: Database) -> None:
    assert (await fail(db, 4)).state == "closed"
    state = await fail(db)
    assert (state.state, state.failures, state.last_error) == ("open", 5, "error 0")
    assert state.wait_seconds is not None
    assert 25 < state.wait_seconds <= 30


async def test_an_answer_between_failures_begins_the_count_anew(db: Database) -> None:
    await fail(db, 4)
    await answer(db)
    assert await read(db) is None
    assert (await fail(db, 4)).state == "closed"


async def test_failures_at_the_same_time_are_all_counted(db: Database) -> None:
    await asyncio.gather(*(fail(db) for _ in range(5)))
    state = await read(db)
    assert state is not None
    assert (state.failures, state.state) == (5, "open")


async def test_an_open_breaker_is_tried_by_one_alone_after_its_time(
    db: Database, owner: asyncpg.Connection
) -> None:
    await fail(db, 5)
    assert not await probe(db), "its time is not over"
    await wait_is_over(owner)
    state = await read(db)
    assert state is not None
    assert state.state == "half-open"
    assert sorted(await asyncio.gather(*(probe(db) for _ in range(5)))) == [False] * 4 + [True]


async def test_a_probe_that_succeeds_closes_it_and_one_that_fails_opens_it_again(
    db: Database, owner: asyncpg.Connection
) -> None:
    await fail(db, 5)
    await wait_is_over(owner)
    assert await probe(db)
    assert (await fail(db, probing=True)).state == "open"
    assert not await probe(db)
    await wait_is_over(owner)
    assert await probe(db)
    await answer(db, probing=True)
    assert await read(db) is None


async def test_a_call_from_before_neither_closes_nor_prolongs_an_open_breaker(
    db: Database,
) -> None:
    opened = await fail(db, 5)
    await answer(db)
    later = await fail(db)
    assert (later.state, later.retry_at, later.failures) == ("open", opened.retry_at, 6)


async def test_the_right_of_a_probe_that_died_ends_by_itself(
    db: Database, owner: asyncpg.Connection
) -> None:
    await fail(db, 5)
    await wait_is_over(owner)
    assert await probe(db)
    await owner.execute("UPDATE circuit_breakers SET probe_until = now() - interval '1 second'")
    assert await probe(db)
