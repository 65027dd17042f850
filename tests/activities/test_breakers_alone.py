"""Circuit breakers while Postgres is away: each process counts for itself, as they do together."""

import asyncio
import re
import socket
from datetime import UTC, datetime, timedelta

import pytest

from activities.action_errors import ActionFailedError
from activities.breaker_stores import LocalBreakerStore
from activities.breakers import BreakerLimits, BreakerOptions, Breakers, SharedBreakerStore
from db.repositories.breakers import BreakerFailure, BreakerKey, BreakerState
from db.session import Database
from tests.support.breakers import TARGET, breakers, fail, shared, succeed


async def test_without_a_database_calls_go_on_and_each_process_counts_for_itself() -> None:
    away = Database("postgresql://pao:x@127.0.0.1:1/pao")
    of = breakers(away)
    await succeed(of)
    await fail(of, times=3)
    with pytest.raises(ActionFailedError, match="circuit breaker"):
        await succeed(of)
    await succeed(of, "another.example.com")
    await away.close()


class Flaky(LocalBreakerStore):
    """A store that stops answering, as Postgres does, and may come back."""

    def __init__(self) -> None:
        super().__init__()
        self.readable = self.writable = True
        self.asked = 0

    async def read(self, key: BreakerKey) -> BreakerState | None:
        self.asked += 1
        if not self.readable:
            raise TimeoutError
        return await super().read(key)

    async def begin_probe(self, key: BreakerKey) -> bool:
        self._require()
        return await super().begin_probe(key)

    async def record_failure(
        self, key: BreakerKey, failure: BreakerFailure, limits: BreakerLimits
    ) -> BreakerState:
        self._require()
        return await super().record_failure(key, failure, limits)

    async def record_answer(self, key: BreakerKey, *, probing: bool) -> None:
        self._require()
        await super().record_answer(key, probing=probing)

    def _require(self) -> None:
        if not self.writable:
            raise TimeoutError


NO_DELAYS = BreakerOptions(
    limits=BreakerLimits(failures=3, seconds=0), trust_seconds=0, local_seconds=0
)


async def test_a_target_is_probed_when_the_database_goes_away_before_the_probe() -> None:
    shared = Flaky()
    of = Breakers(shared, NO_DELAYS)
    await fail(of, times=3)
    shared.writable = False
    await succeed(of)


async def test_a_probe_without_the_database_is_over_when_the_database_has_its_outcome() -> None:
    shared = Flaky()
    of = Breakers(shared, NO_DELAYS)
    shared.readable = shared.writable = False
    await fail(of, times=3)
    async with of.guard(TARGET):
        shared.readable = shared.writable = True
    shared.readable = shared.writable = False
    await fail(of, times=3)
    await succeed(of)


class Late(LocalBreakerStore):
    """Claims a probe at once, and says so late, as Postgres under load does."""

    def __init__(self) -> None:
        super().__init__()
        self.claimed, self.answers = asyncio.Event(), asyncio.Event()

    async def begin_probe(self, key: BreakerKey) -> bool:
        claimed = await super().begin_probe(key)
        self.claimed.set()
        await self.answers.wait()
        return claimed


async def test_a_probe_that_is_cancelled_while_it_is_claimed_is_given_back() -> None:
    shared = Late()
    of = Breakers(shared, NO_DELAYS)
    await fail(of, times=3)
    probe = asyncio.create_task(succeed(of))
    await shared.claimed.wait()
    probe.cancel()
    await asyncio.sleep(0)
    shared.answers.set()
    with pytest.raises(asyncio.CancelledError):
        await probe
    await succeed(of)


KEY, FAILURE = BreakerKey(TARGET), BreakerFailure(error="It gave no answer.")


async def test_a_probe_of_this_process_expires() -> None:
    local = LocalBreakerStore(probe_seconds=0)
    await local.record_failure(KEY, FAILURE, BreakerLimits(failures=1, seconds=0))
    assert await local.begin_probe(KEY)
    assert await local.begin_probe(KEY)


async def test_one_call_of_this_process_probes_at_a_time() -> None:
    local = LocalBreakerStore()
    await local.record_failure(KEY, FAILURE, BreakerLimits(failures=1, seconds=0))
    assert [await local.begin_probe(KEY) for _ in range(2)] == [True, False]
    await local.release_probe(KEY)
    assert [await local.begin_probe(KEY) for _ in range(2)] == [True, False]


async def test_a_failure_of_this_process_is_shown_as_one_in_postgres_is(db: Database) -> None:
    key = BreakerKey(TARGET, "one-item")
    for store in (LocalBreakerStore(), shared(db)):
        await store.record_failure(key, FAILURE, BreakerLimits(failures=2, seconds=30))
        found = await store.read(key)
        assert found is not None
        shown = (found.target, found.failures, found.last_error, found.state, found.item)
        assert shown == (TARGET, 1, FAILURE.error, "closed", "one-item")


async def test_an_open_breaker_of_this_process_is_shown_as_one_in_postgres_is(
    db: Database,
) -> None:
    key, limits = BreakerKey(TARGET, "one-item"), BreakerLimits(failures=1, seconds=600)
    for store in (LocalBreakerStore(), shared(db)):
        before = datetime.now(UTC)
        await store.record_failure(key, FAILURE, limits)
        found = await store.read(key)
        assert found is not None
        shown = (found.target, found.failures, found.last_error, found.state, found.item)
        assert shown == (TARGET, 1, FAILURE.error, "open", "one-item")
        assert 300 < (found.wait_seconds or 0) <= 600
        assert found.retry_at is not None
        assert found.retry_at > before + timedelta(seconds=300)


async def test_one_call_probes_while_the_database_is_away() -> None:
    store = Flaky()
    of = Breakers(store, NO_DELAYS)
    store.readable = store.writable = False
    await fail(of, times=3)
    async with of.guard(TARGET):
        with pytest.raises(ActionFailedError, match="is open"):
            await succeed(of)
    await succeed(of)


async def test_after_a_probe_that_failed_the_next_one_may_begin() -> None:
    of = Breakers(None, NO_DELAYS)
    await fail(of, times=4)
    await succeed(of)


async def test_a_refusal_says_when_to_come_back() -> None:
    of = breakers(None, **{TARGET: BreakerLimits(failures=1, seconds=600)})
    before = datetime.now(UTC)
    await fail(of)
    with pytest.raises(ActionFailedError) as caught:
        await succeed(of)
    told = re.fullmatch(
        rf"The circuit breaker for {TARGET} is open after 1 failures in a row; nothing was sent\. "
        r"Retry after (\S+) \(in (\d+) s\)\. Last error: .+",
        caught.value.message,
    )
    assert told is not None, caught.value.message
    assert datetime.fromisoformat(told[1]) > before + timedelta(seconds=300)
    assert 300 < int(told[2]) <= 600


async def test_a_database_that_did_not_answer_is_left_out_for_a_while() -> None:
    store = Flaky()
    of = Breakers(store, BreakerOptions(trust_seconds=0, local_seconds=600))
    store.readable = False
    await succeed(of)
    store.readable = True
    await succeed(of)
    assert store.asked == 1


async def test_a_closed_breaker_is_trusted_for_a_while_and_an_open_one_is_not() -> None:
    store = Flaky()
    limits = BreakerLimits(failures=2, seconds=600)
    of = Breakers(store, BreakerOptions(limits=limits, trust_seconds=60))
    for _ in range(2):
        await succeed(of)
    assert store.asked == 1
    await fail(of)
    await fail(of)
    assert store.asked == 1
    with pytest.raises(ActionFailedError, match="is open"):
        await succeed(of)
    await succeed(of, "another.example.com")
    assert store.asked == 3


async def test_a_database_that_says_nothing_holds_no_call_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://pao:x@127.0.0.1:{silent.getsockname()[1]}/pao"
        database = Database(url)
        store = SharedBreakerStore(database, answer_seconds=0.05)
        for ask in (store.read(KEY), store.begin_probe(KEY), store.release_probe(KEY)):
            with pytest.raises(TimeoutError):
                await ask
        await database.close()
