"""How calls meet circuit breakers: failing at once, trying out, and going on without Postgres."""

import asyncio

import asyncpg
import pytest

from activities.action_errors import ActionError, ActionFailedError, OutcomeUnknownError
from activities.breaker_stores import MOST_KEPT
from activities.breakers import BreakerLimits, BreakerOptions, Breakers
from activities.call_origin import acting_for
from db.repositories.breakers import (
    BreakerKey,
    BreakersRepository,
)
from db.session import Database
from pao.core.errors import ErrorCode
from pao.core.failure_classes import INTERRUPTED, NOT_READY, UNSENT
from tests.support.breakers import TARGET, breakers, fail, shared, succeed
from tests.support.postgres import Database as Given

OTHER = "another.example.com"


async def test_every_worker_leaves_a_failing_target_alone_and_says_until_when(
    db: Database,
) -> None:
    one, other = breakers(db), breakers(db)
    await fail(one, times=2)
    await fail(other)
    for of in (one, other, breakers(db)):
        with pytest.raises(ActionFailedError) as caught:
            await succeed(of)
        error = caught.value
        assert error.code == ErrorCode.EXTERNAL_SERVICE_ERROR
        assert error.retryable
        assert "after 3 failures in a row" in error.message
        assert "Retry after 20" in error.message
        assert "Last error: It gave no" in error.message
    await succeed(one, OTHER)


async def test_a_target_that_answers_again_is_called_again(db: Database, database: Given) -> None:
    of = breakers(db)
    await fail(of, times=3)
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("UPDATE breakers SET retry_at = now()")
    await connection.close()
    entered, release = asyncio.Event(), asyncio.Event()

    async def try_out() -> None:
        async with of.guard(TARGET):
            entered.set()
            await release.wait()

    trying = asyncio.create_task(try_out())
    await entered.wait()
    with pytest.raises(ActionFailedError, match="circuit breaker"):
        await succeed(breakers(db))
    release.set()
    await trying
    await succeed(breakers(db))


async def test_a_probe_that_fails_opens_the_breaker_again(db: Database, database: Given) -> None:
    of = breakers(db)
    await fail(of, times=3)
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("UPDATE breakers SET retry_at = now()")
    await connection.close()
    await fail(of)
    with pytest.raises(ActionFailedError, match="after 4 failures in a row"):
        await succeed(of)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the log says of these targets: others of this process may log as well."""
    return [message for message in caplog.messages if "example.com" in message]


async def test_the_log_says_which_breaker_is_open(caplog: pytest.LogCaptureFixture) -> None:
    of = breakers(None)
    await fail(of, times=2)
    assert told(caplog) == []
    await fail(of)
    with acting_for("one-item", {}):
        await fail(of, OTHER, times=3)
    assert told(caplog) == [
        f"the circuit breaker for {TARGET} is open: It gave {INTERRUPTED.answer}.",
        f"the circuit breaker for {OTHER} is open for one-item: It gave {INTERRUPTED.answer}.",
    ]


@pytest.mark.parametrize("item", ["", "one-item"], ids=["target", "item"])
@pytest.mark.parametrize("with_database", [True, False], ids=["shared", "own"])
@pytest.mark.parametrize(
    "end",
    [
        asyncio.CancelledError(),
        ActionFailedError("no time left", judged=NOT_READY),
        RuntimeError("a bug"),
    ],
    ids=lambda end: type(end).__name__,
)
async def test_a_probe_that_finds_nothing_out_leaves_the_next_call_to_probe(
    db: Database, end: BaseException, item: str, with_database: object
) -> None:
    at_once = BreakerOptions(limits=BreakerLimits(failures=3, seconds=0), trust_seconds=0)
    of = Breakers(shared(db) if with_database else None, at_once)
    with acting_for(item, {}):
        await fail(of, times=3)
        for _ in range(2):
            with pytest.raises(type(end)):
                async with of.guard(TARGET):
                    raise end
        await succeed(of)


async def test_a_probe_that_is_refused_by_the_breaker_of_all_is_left_to_the_next_call(
    db: Database,
) -> None:
    of = breakers(db, **{TARGET: BreakerLimits(failures=1, seconds=0)})
    with acting_for("one-item", {}):
        await fail(of)
    with acting_for("other-item", {}):
        await fail(of)
    entered, release = asyncio.Event(), asyncio.Event()

    async def probe_for_all() -> None:
        async with of.guard(TARGET):
            entered.set()
            await release.wait()

    probing = asyncio.create_task(probe_for_all())
    await entered.wait()
    with acting_for("one-item", {}):
        with pytest.raises(ActionFailedError, match="is open"):
            await succeed(of)
        release.set()
        await probing
        await succeed(of)


@pytest.mark.parametrize(
    "error",
    [
        ActionFailedError("no such thing", http_status=404),
        ActionFailedError(
            "too many", http_status=429, code=ErrorCode.EXTERNAL_SERVICE_ERROR, retryable=True
        ),
    ],
)
async def test_a_refusal_is_a_sign_of_life(db: Database, error: ActionFailedError) -> None:
    of = breakers(db)
    for _ in range(4):
        with pytest.raises(ActionFailedError):
            async with of.guard(TARGET):
                raise error
    await succeed(of)


async def test_an_answer_that_says_the_target_is_broken_counts_as_failure(db: Database) -> None:
    of = breakers(db)
    for _ in range(3):
        async with of.guard(TARGET) as permit:
            permit.failure = "It answered 503."
    with pytest.raises(ActionFailedError, match="It answered 503"):
        await succeed(of)


async def test_a_lost_answer_counts_and_a_call_that_we_cut_off_does_not(db: Database) -> None:
    of = breakers(db)
    for _ in range(4):
        with pytest.raises(asyncio.CancelledError):
            async with of.guard(TARGET):
                raise asyncio.CancelledError
    for _ in range(3):
        with pytest.raises(OutcomeUnknownError):
            async with of.guard(TARGET):
                raise OutcomeUnknownError("cut", code=ErrorCode.EXTERNAL_SERVICE_ERROR)
    with pytest.raises(ActionFailedError, match="circuit breaker"):
        await succeed(of)


async def test_a_target_may_have_limits_of_its_own(db: Database) -> None:
    of = breakers(db, **{"jira:main": BreakerLimits(failures=1, seconds=5)})
    await fail(of, "jira:main")
    with pytest.raises(ActionFailedError, match="circuit breaker"):
        await succeed(of, "jira:main")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ActionFailedError("the target says: s3cret", http_status=503), "It answered 503."),
        (ActionFailedError("s3cret typed by dana", judged=UNSENT), f"It gave {UNSENT.answer}."),
        (
            OutcomeUnknownError("s3cret typed by dana", judged=INTERRUPTED),
            f"It gave {INTERRUPTED.answer}.",
        ),
    ],
)
async def test_what_a_target_said_is_not_kept_with_a_breaker_that_others_meet(
    db: Database, error: ActionError, told: str
) -> None:
    of = breakers(db)
    error.code = ErrorCode.EXTERNAL_SERVICE_ERROR
    with pytest.raises(type(error)):
        async with of.guard(TARGET):
            raise error
    async with db.reading() as session:
        state = await BreakersRepository(session).read(BreakerKey(TARGET))
    assert state is not None
    assert (state.last_error, state.named) == (told, True)


@pytest.mark.parametrize("with_database", [True, False], ids=["shared", "own"])
async def test_one_item_cannot_close_a_target_for_others(
    db: Database, with_database: object
) -> None:
    of = breakers(db if with_database else None)
    with acting_for("one-item", {}):
        await fail(of, times=3)
        for _ in range(3):
            with pytest.raises(ActionFailedError, match="is open for the item one-item"):
                await succeed(of)
    with acting_for("other-item", {}):
        await succeed(of)
        await fail(of)
    with acting_for("third-item", {}):
        await fail(of, times=2)
    with acting_for("fourth-item", {}), pytest.raises(ActionFailedError, match="failures in a row"):
        await succeed(of)


async def test_a_call_that_was_refused_counts_for_nobody(db: Database, database: Given) -> None:
    of = breakers(db)
    for item in ("one-item", "other-item", "one-item"):
        with acting_for(item, {}):
            await fail(of)
    with acting_for("third-item", {}):
        for _ in range(5):
            with pytest.raises(ActionFailedError, match="circuit breaker"):
                await succeed(of)
    connection = await asyncpg.connect(database.owner_url)
    rows = await connection.fetch("SELECT item, failures FROM breakers ORDER BY item")
    await connection.close()
    assert [tuple(row) for row in rows] == [("", 3), ("one-item", 2), ("other-item", 1)]


async def test_targets_that_templates_choose_do_not_grow_in_memory_without_end() -> None:
    of = breakers(None)
    for number in range(MOST_KEPT + 100):
        await succeed(of, f"host-{number}.example.com")
    assert of.remembered <= MOST_KEPT


async def test_an_open_breaker_names_its_target_as_people_do() -> None:
    of = breakers(None)
    for target, title in (("jira:default", "JIRA"), (TARGET, TARGET)):
        await fail(of, target, times=3)
        with pytest.raises(ActionFailedError, match=f"^The circuit breaker for {title} is open"):
            await succeed(of, target)
