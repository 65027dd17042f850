"""Probing a dependency: once for all concurrent callers, without making them wait."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

# Health answers within half a second, whatever JIRA does.
PATIENCE_SECONDS = 0.35

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Probe(Generic[T]):
    """Keeps the last result of a check.

    Callers that come together share one question, and no question is asked while the last answer
    is ``fresh``. Who has waited for ``patience`` seconds is told the last answer, marked by
    ``checking``; or ``unknown``, where there is none or without ``checking``. A question that
    cannot be asked is answered by ``broken``.
    """

    def __init__(  # noqa: PLR0913 -- what callers are told in each case, by name
        self,
        ask: Callable[[], Awaitable[T]],
        *,
        unknown: T,
        broken: T,
        fresh: float = 0.0,
        patience: float = PATIENCE_SECONDS,
        checking: Callable[[T], T] | None = None,
    ) -> None:
        self._ask = ask
        self._unknown = unknown
        self._broken = broken
        self._fresh = fresh
        self._patience = patience
        self._checking = checking
        self._result: T | None = None
        self._result_at = float("-inf")
        self._check: asyncio.Task[None] | None = None

    async def now(self) -> T:
        """Return the result of the check, or the previous one."""
        if self._check is None and time.monotonic() - self._result_at >= self._fresh:
            self._check = asyncio.create_task(self._run())
        if self._check is not None:
            await asyncio.wait({self._check}, timeout=self._patience)
        if self._result is None:
            return self._unknown
        if self._check is None:
            return self._result
        return self._checking(self._result) if self._checking else self._unknown

    def forget(self) -> None:
        """Make the next caller check again."""
        self._result, self._result_at = None, float("-inf")

    async def close(self) -> None:
        """Cancel a check that is still running."""
        if self._check is not None:
            self._check.cancel()
            await asyncio.wait({self._check})

    async def _run(self) -> None:
        try:
            self._result = await self._ask()
        except Exception:  # noqa: BLE001 -- see below
            # An unexpected error of one part must not break the whole answer.
            _log.exception("a health check failed unexpectedly")
            self._result = self._broken
        finally:
            self._result_at = time.monotonic()
            self._check = None
