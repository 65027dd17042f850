"""Checks of one dependency, with a time limit, and with errors that are safe to publish."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from api.health.component_states import DOWN, OK
from api.health.schemas import JiraPart, TimedPart
from db.availability import DatabaseUnavailableError
from pao.clients.jira import Deadline, JiraClient, JiraError
from pao.clients.temporal import TemporalUnavailableError
from pao.core.errors import PaoError
from pao.core.timestamps import timestamp

CHECK_SECONDS = 2.0
SILENT = "does not respond"


async def timed(ask: Callable[[], Awaitable[Any]]) -> TimedPart:
    """Return whether a dependency answered within two seconds, and how fast."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await ask()
    except DatabaseUnavailableError as error:
        return TimedPart(status=DOWN, error=error.reason)
    except (PaoError, TemporalUnavailableError, TimeoutError):
        return TimedPart(status=DOWN, error=SILENT)
    return TimedPart(status=OK, latency_ms=_milliseconds(started))


async def ask_jira(client: JiraClient) -> JiraPart:
    """Return whether a JIRA answered within two seconds."""
    started, checked_at = time.perf_counter(), timestamp(datetime.now(UTC))
    try:
        await client.ping(deadline=Deadline.after(CHECK_SECONDS))
    except JiraError as error:
        # Not its own message: health is public.
        reason = SILENT if error.status is None else f"answers {error.status}"
        return JiraPart(status=DOWN, error=reason, checked_at=checked_at)
    return JiraPart(status=OK, latency_ms=_milliseconds(started), checked_at=checked_at)


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
