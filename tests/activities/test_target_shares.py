"""A worker's places at a target: one that is silent does not keep the others from theirs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from activities.action_errors import ActionFailedError
from activities.breakers import Breakers
from activities.target_shares import TargetShares
from pao.core.errors import ErrorCode

LONG = 3600.0
SILENT, OTHER = "silent.example.com", "other.example.com"
# Outside of activities the task queue has no name.
HERE = ""


@asynccontextmanager
async def held(shares: TargetShares, count: int) -> AsyncIterator[asyncio.Event]:
    """Have so many calls to the silent target be in hand, until they are told to end."""
    release, inside = asyncio.Event(), asyncio.Semaphore(0)

    async def call() -> None:
        async with shares.slot(SILENT):
            inside.release()
            await release.wait()

    calls = [asyncio.create_task(call()) for _ in range(count)]
    for _ in calls:
        await inside.acquire()
    yield release
    release.set()
    await asyncio.gather(*calls)


async def test_a_silent_target_has_its_places_and_no_more() -> None:
    shares = TargetShares({HERE: 2}, patience=0.01)
    async with held(shares, 2):
        for _ in range(3):
            with pytest.raises(ActionFailedError) as caught:
                async with shares.slot(SILENT):
                    pytest.fail("it took a place that was not free")
            error = caught.value
            assert (error.retryable, error.code) == (True, ErrorCode.EXTERNAL_SERVICE_ERROR)
            assert "nothing was sent" in error.message
        async with shares.slot(OTHER):
            pass
    async with shares.slot(SILENT):
        pass


async def test_calls_to_a_target_that_answers_wait_for_their_turn() -> None:
    shares, done = TargetShares({HERE: 2}, patience=LONG), 0

    async def call() -> None:
        nonlocal done
        async with shares.slot(SILENT):
            await asyncio.sleep(0)
            done += 1

    async with held(shares, 2) as release:
        calls = [asyncio.create_task(call()) for _ in range(50)]
        await asyncio.sleep(0)
        assert done == 0
        release.set()
        await asyncio.gather(*calls)
    assert done == 50


async def test_a_place_is_free_again_however_its_call_ended() -> None:
    shares = TargetShares({HERE: 1}, patience=0.01)
    for error in (ActionFailedError("no"), ZeroDivisionError(), asyncio.CancelledError()):
        with pytest.raises(type(error)):
            async with shares.slot(SILENT):
                raise error
    async with shares.slot(SILENT):
        pass


async def test_where_no_share_is_set_there_is_none() -> None:
    shares = TargetShares({"another-queue": 1}, patience=0.01)
    async with held(shares, 20):
        pass


async def test_a_call_without_a_place_says_nothing_about_its_target() -> None:
    shares = TargetShares({HERE: 1}, patience=0.01)
    breakers = Breakers(shares=shares)
    async with held(shares, 1):
        for _ in range(10):
            with pytest.raises(ActionFailedError, match="slots"):
                async with breakers.guard(SILENT):
                    pytest.fail("it took a place that was not free")
    async with breakers.guard(SILENT):
        pass
