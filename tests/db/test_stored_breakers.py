"""Circuit breakers in Postgres, as all workers share them."""

import asyncio

import asyncpg

from db.repositories.breakers import (
    BreakerFailure,
    BreakerKey,
    BreakersRepository,
    BreakerState,
    OtherTargets,
)
from db.session import Database

KEY = BreakerKey("api.example.com")


async def fail(  # noqa: PLR0913 -- what a failure is, each part named
    db: Database,
    times: int = 1,
    *,
    most: int = 5,
    probing: bool = False,
    caused_by: str = "",
    key: BreakerKey = KEY,
    named: bool = True,
) -> BreakerState:
    for number in range(times):
        failure = BreakerFailure(
            error=f"error {number}", caused_by=caused_by, named=named, probing=probing
        )
        async with db.unit_of_work() as session:
            state = await BreakersRepository(session).record_failure(
                key, failure, most=most, seconds=30
            )
    return state


async def read(db: Database, key: BreakerKey = KEY) -> BreakerState | None:
    async with db.reading() as session:
        return await BreakersRepository(session).read(key)


async def probe(db: Database) -> bool:
    async with db.unit_of_work() as session:
        return await BreakersRepository(session).begin_probe(KEY, seconds=60)


async def answer(db: Database, *, probing: bool = False) -> None:
    async with db.unit_of_work() as session:
        await BreakersRepository(session).record_answer(KEY, probing=probing)


async def wait_is_over(owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE breakers SET retry_at = now() - interval '1 second'")


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
    await owner.execute("UPDATE breakers SET probe_until = now() - interval '1 second'")
    assert await probe(db)


async def test_failures_of_one_item_open_its_own_breaker_and_not_the_one_of_all(
    db: Database,
) -> None:
    own = BreakerKey(KEY.target, "one-item")
    assert (await fail(db, 20, caused_by="one-item")).state == "closed"
    assert (await fail(db, 5, caused_by="one-item", key=own)).state == "open"
    assert (await fail(db, caused_by="other-item")).state == "open"


async def test_a_call_that_no_item_asked_for_counts_by_itself(db: Database) -> None:
    assert (await fail(db, 4, caused_by="one-item")).state == "closed"
    assert (await fail(db)).state == "open"


async def test_the_first_failure_opens_nothing_for_all_where_one_is_enough(db: Database) -> None:
    own = BreakerKey(KEY.target, "one-item")
    assert (await fail(db, most=1, caused_by="one-item")).state == "closed"
    assert (await fail(db, most=1, caused_by="one-item", key=own)).state == "open"


async def test_failures_of_long_ago_are_forgotten_and_their_rows_go(
    db: Database, owner: asyncpg.Connection
) -> None:
    other = BreakerKey("another.example.com")
    await fail(db, 5, key=other)
    await fail(db, 5)
    await owner.execute("UPDATE breakers SET failed_at = now() - interval '2 hours'")
    assert await read(db) is None
    again = await fail(db)
    assert (again.failures, again.state) == (1, "closed")
    assert await owner.fetchval("SELECT count(*) FROM breakers") == 1


async def test_only_targets_that_may_be_named_are_listed_and_others_are_counted(
    db: Database,
) -> None:
    await fail(db, 5)
    for number in range(3):
        key = BreakerKey(f"typed-{number}.example.com")
        await fail(db, 5 - number, key=key, named=False)
        await fail(db, key=BreakerKey(key.target, "one-item"), caused_by="one-item", named=False)
    async with db.reading() as session:
        repository = BreakersRepository(session)
        listed, others = await repository.named(), await repository.others()
    assert [one.target for one in listed] == [KEY.target]
    assert others == OtherTargets(failing=3, left_alone=1)


async def test_it_is_known_since_when_a_target_has_failed(
    db: Database, owner: asyncpg.Connection
) -> None:
    first = await fail(db)
    later = await fail(db, 5)
    assert later.failing_since == first.failing_since
    await answer(db)
    await owner.execute("UPDATE breakers SET retry_at = now()")
    await answer(db, probing=True)
    again = await fail(db)
    assert again.failing_since is not None
    assert first.failing_since is not None
    assert again.failing_since > first.failing_since


async def test_open_ones_that_are_shared_or_of_one_item(db: Database) -> None:
    await fail(db, 5)
    await fail(db, 5, key=BreakerKey("b.example.com", "one"), caused_by="one")
    await fail(db, 5, key=BreakerKey("c.example.com", "two"), caused_by="two")
    await fail(db, 1, key=BreakerKey("d.example.com"))
    async with db.reading() as session:
        found = await BreakersRepository(session).open("one")
    assert [(one.target, one.item) for one in found] == [
        ("api.example.com", ""),
        ("b.example.com", "one"),
    ]
