"""How long an empty search result proves nothing, because the index may lag."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from activities.action_errors import ActionFailedError
from pao.core.failure_classes import LAGGING

# How long a look waits if it is not known since when there is a doubt (older workflows).
DEFAULT_SECONDS = 1.0
LOOK_AGAIN = 1.0
T = TypeVar("T")


def settles_in(lag: float, *, unclear: bool, since: str | None) -> float:
    """Return after how many seconds an empty answer is certain; 0 where it is so now.

    ``lag`` is how many seconds an index may be behind what it lists; ``since`` is when the attempt
    ended whose effect is in doubt, none of which can have come later.
    """
    if not unclear:
        return 0.0
    if since is None:
        return min(lag, DEFAULT_SECONDS)
    age = (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()
    return max(lag - max(age, 0.0), 0.0)


async def look_until_certain(
    look: Callable[[], Awaitable[T | None]], *, settles_in: float, seconds: float
) -> T | None:
    """Look until something is found or an empty answer is certain, for so many seconds at most.

    Raises ActionFailedError, which says when a look can be certain, if that is too short.
    """
    certain, give_up = time.monotonic() + settles_in, time.monotonic() + seconds
    while True:
        is_certain = time.monotonic() >= certain
        found = await look()
        if found is not None or is_certain:
            return found
        left = certain - time.monotonic()
        if time.monotonic() >= give_up:
            moment = datetime.now(UTC) + timedelta(seconds=left)
            raise ActionFailedError(
                "The look found nothing, but what it reads may lag behind. Nothing was sent; the "
                f"result is certain from {moment:%H:%M:%S} UTC on: retry then.",
                judged=LAGGING,
            )
        await asyncio.sleep(max(min(LOOK_AGAIN, left, give_up - time.monotonic()), 0.0))
