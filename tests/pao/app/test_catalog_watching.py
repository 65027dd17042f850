"""Watching a catalog goes on, whatever reading it once has ended by."""

import asyncio
from pathlib import Path

from pao.app.catalog_sync.watcher import CatalogWatcher


async def test_a_refresh_that_ends_by_an_internal_error_is_tried_again(tmp_path: Path) -> None:
    calls = 0
    healed, again = asyncio.Event(), asyncio.Event()

    async def refresh() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RecursionError
        (healed if calls == 2 else again).set()

    async with CatalogWatcher(tmp_path, refresh, watch=False) as watcher:
        await healed.wait()
        [refreshing] = watcher.tasks
        assert refreshing.restarts == 1
        watcher.trigger()
        await again.wait()
        assert refreshing.error is None


async def test_a_change_is_seen_after_the_watch_has_ended_once(tmp_path: Path) -> None:
    seen = asyncio.Queue[None]()

    async def refresh() -> None:
        seen.put_nowait(None)

    folder = tmp_path / "catalog"
    async with CatalogWatcher(folder, refresh) as watcher:
        # The folder is not there yet, which ends each look at it.
        await seen.get()
        folder.mkdir()
        (folder / "item.yaml").write_text("a: 1")
        await seen.get()
        assert {one.restarts for one in watcher.tasks} == {0}
