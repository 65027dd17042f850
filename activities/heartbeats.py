"""Heartbeats of a running activity: how Temporal notices a killed worker within seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from temporalio import activity

from activities.errors import worker_shutdown

HEARTBEAT_SECONDS = 1.0


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Beat every second while the block runs; a cut by the worker's own end is told as such."""
    beating = asyncio.create_task(_beat())
    try:
        yield
    except asyncio.CancelledError:
        if activity.is_worker_shutdown():
            raise worker_shutdown() from None
        raise
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)
