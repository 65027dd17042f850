"""Background tasks that must not end: supervised, started again, and shown by health."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from pao.core.errors import PaoError

RESTART_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
MOST_DOUBLINGS = 16

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class BackgroundTask:
    """Runs ``work`` forever; use it as an async context manager.

    ``work`` is expected never to return. When it does, or raises, that is logged (with a traceback,
    unless it was to be expected), counted in ``restarts`` and kept in ``error`` (the kind of the
    exception: its text may hold a secret), and the work is started again after ``pause``
    seconds, twice as long each time up to a minute. Once the work calls ``mark_healthy()``,
    ``error`` is forgotten and the pauses are short again. Leaving the context ends
    the work.
    """

    name: str
    work: Callable[[], Awaitable[None]]
    pause: float = RESTART_SECONDS
    restarts: int = 0
    error: str | None = None
    ended_at: datetime | None = None
    _failures: int = field(default=0, init=False, repr=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False, repr=False)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._supervise(), name=self.name)
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def mark_healthy(self) -> None:
        """Report that the work is running as it should."""
        self.error = None
        self._failures = 0

    async def _supervise(self) -> None:
        while True:
            try:
                await self.work()
            except PaoError as error:
                self._record_end(type(error).__name__)
                _log.warning("the background task %s ended; restarting it: %s", self.name, error)
            except Exception as error:  # noqa: BLE001 -- whatever ended it, the work must continue
                self._record_end(type(error).__name__)
                _log.exception("the background task %s ended; restarting it", self.name)
            else:
                self._record_end("it returned")
                _log.error("the background task %s returned; restarting it", self.name)
            await asyncio.sleep(min(self.pause * 2**self._failures, LONGEST_PAUSE_SECONDS))
            self._failures = min(self._failures + 1, MOST_DOUBLINGS)

    def _record_end(self, error: str) -> None:
        self.restarts += 1
        self.error = error
        self.ended_at = datetime.now(UTC)
