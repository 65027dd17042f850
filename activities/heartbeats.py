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
    """Send a heartbeat every second while the block runs; raises on a worker's shutdown.

    ``progress`` is sent with every heartbeat. Another worker continues a ``repeatable`` activity.
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
        # The start counts as a heartbeat, so that short activities need none.
        await asyncio.sleep(HEARTBEAT_SECONDS)
        # A heartbeat without details would make Temporal forget the earlier ones.
        if progress.details:
            activity.heartbeat(progress.details)
        else:
            activity.heartbeat()
