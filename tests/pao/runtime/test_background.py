"""A background task that ends is started again, and says so."""

import asyncio

import pytest

from pao.runtime.background import BackgroundTask


async def test_work_that_raises_is_logged_counted_and_started_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns = 0
    again = asyncio.Event()

    async def work() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise RuntimeError("a text that may hold a secret")
        again.set()
        await asyncio.Event().wait()

    async with BackgroundTask("watcher", work, pause=0) as task:
        await again.wait()
        assert (task.restarts, task.error) == (1, "RuntimeError")
        assert task.ended_at is not None
        task.mark_healthy()
        assert task.error is None
    assert "the background task watcher ended" in caplog.text
    assert "RuntimeError" in caplog.text


async def test_work_that_returns_is_started_again() -> None:
    turns = asyncio.Queue[int]()

    async def work() -> None:
        turns.put_nowait(1)

    async with BackgroundTask("watcher", work, pause=0) as task:
        for _ in range(3):
            await turns.get()
        assert task.restarts >= 2
        assert task.error == "it returned"


async def test_leaving_ends_the_work() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with BackgroundTask("watcher", work):
        await asyncio.sleep(0)
    assert ended.is_set()
