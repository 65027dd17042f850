"""Heartbeats of a running activity: how Temporal notices a killed worker within seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio import activity

from activities.action_errors import worker_shutdown
from activities.progress import ActionProgress

HEARTBEAT_SECONDS = 1.0


@asynccontextmanager
async def heartbeats(
    progress: ActionProgress | None = None, *, repeatable: bool = False
) -> AsyncIterator[None]:
    """Heartbeat every second while the block runs; a worker's shutdown is raised as such.

    ``progress`` travels with every beat. What is ``repeatable`` goes on on another worker.
    """
    if not activity.in_activity():
        yield
        return
    beating = asyncio.create_task(_beat(progress or ActionProgress()))
    try:
        yield
    except asyncio.CancelledError:
        if activity.is_worker_shutdown():
            raise worker_shutdown(repeatable=repeatable) from None
        raise
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


async def _beat(progress: ActionProgress) -> None:
    while True:
        # The start is as good as a beat: what takes less than a second costs Temporal none.
        await asyncio.sleep(HEARTBEAT_SECONDS)
        # A beat without details would make Temporal forget those of the beat before.
        if progress.details:
            activity.heartbeat(progress.details)
        else:
            activity.heartbeat()
