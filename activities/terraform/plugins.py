"""The plugin cache, which Terraform itself does not protect from concurrent use."""

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from activities.terraform import failures
from pao.clients.jira import Deadline

BETWEEN_TRIES = 0.2


@asynccontextmanager
async def lock_plugin_cache(cache: Path | None, deadline: Deadline) -> AsyncIterator[None]:
    """Hold the cache while the block runs, against every process of this machine.

    Raises ActionFailedError if others hold it until the deadline. Polls, because a thread that
    waits in the system could not be cancelled.
    """
    if cache is None:
        yield
        return
    lock = await asyncio.to_thread(_lock_file, cache)
    with lock.open("w") as held:
        while not _try_lock(held.fileno()):
            if not (left := deadline.remaining()):
                raise failures.plugin_cache_kept()
            await asyncio.sleep(min(BETWEEN_TRIES, left))
        yield


def _lock_file(cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    return cache / ".pao.lock"


def _try_lock(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
