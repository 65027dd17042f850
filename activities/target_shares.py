"""Divides a worker's slots among targets, so that an unresponsive one cannot take them all."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from temporalio import activity

from activities.action_errors import ActionFailedError
from pao.core.failure_classes import SUSPENDED

# How long a call waits for a slot, and after how long without an answer of the target nobody
# waits any longer. It leaves an action on JIRA, which has 8 s, time for its call.
PATIENCE_SECONDS = 2.5


@dataclass(slots=True)
class _TargetQueue:
    """The calls to one target that are running or wait for a slot."""

    running: int = 0
    waiting: int = 0
    progressed_at: float = 0.0
    freed: asyncio.Condition = field(default_factory=asyncio.Condition)


class TargetShares:
    """Limits the slots per target, by task queue.

    As long as a target answers, calls wait for a slot. If none has ended for a while, a further
    one fails at once: it would only take a slot that calls to other targets need.
    """

    def __init__(
        self, limits: Mapping[str, int] | None = None, *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._limits = dict(limits or {})
        self._patience = patience
        self._queues: dict[str, _TargetQueue] = {}

    @asynccontextmanager
    async def slot(self, target: str) -> AsyncIterator[None]:
        """Hold a slot for ``target``; raises ``ActionFailedError`` before anything is sent."""
        most = self._limits.get(_task_queue())
        if most is None:
            yield
            return
        line = self._queues.setdefault(target, _TargetQueue())
        try:
            await self._acquire(line, target, most)
            try:
                yield
            finally:
                await self._release(line)
        finally:
            if not line.running and not line.waiting and self._queues.get(target) is line:
                del self._queues[target]

    async def _acquire(self, line: _TargetQueue, target: str, most: int) -> None:
        arrived = time.monotonic()
        line.waiting += 1
        try:
            async with line.freed:
                while line.running >= most:
                    left = min(arrived, line.progressed_at) + self._patience - time.monotonic()
                    if left <= 0 or not await _wait_for(line.freed, left):
                        raise _full_error(target, most)
                line.running += 1
                line.progressed_at = time.monotonic()
        finally:
            line.waiting -= 1

    async def _release(self, line: _TargetQueue) -> None:
        line.running -= 1
        line.progressed_at = time.monotonic()
        async with line.freed:
            line.freed.notify_all()


async def _wait_for(freed: asyncio.Condition, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await freed.wait()
    except TimeoutError:
        return False
    return True


def _task_queue() -> str:
    return activity.info().task_queue if activity.in_activity() else ""


def _full_error(target: str, most: int) -> ActionFailedError:
    return ActionFailedError(
        f"All {most} of this worker's slots for {target} are taken by calls that wait for its "
        "response; nothing was sent. Retry when it responds again.",
        judged=SUSPENDED,
    )
