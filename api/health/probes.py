"""Asking a part how it is: once for all who want to know, and without keeping them waiting."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

CHECKING = "checking"
# Health answers within half a second, whatever JIRA does.
PATIENCE_SECONDS = 0.35

_log = logging.getLogger(__name__)

State = dict[str, Any]


class Probe:
    """Keeps what a part last said.

    Callers that come together share one question, and no question is asked while the last answer
    is ``fresh``. Who has waited for ``patience`` seconds is told what is known so far, marked as
    being checked; or ``unknown``, where nothing is known or nothing old ``may_be_old``.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[State]],
        *,
        fresh: float = 0.0,
        patience: float = PATIENCE_SECONDS,
        unknown: State | None = None,
        may_be_old: bool = True,
    ) -> None:
        self._ask = ask
        self._fresh = fresh
        self._patience = patience
        self._unknown = {"status": CHECKING} if unknown is None else unknown
        self._may_be_old = may_be_old
        self._known: State | None = None
        self._known_at = float("-inf")
        self._question: asyncio.Task[None] | None = None

    async def now(self) -> State:
        """Return what the part says, or what it said last."""
        if self._question is None and time.monotonic() - self._known_at >= self._fresh:
            self._question = asyncio.create_task(self._answered())
        if self._question is not None:
            await asyncio.wait({self._question}, timeout=self._patience)
        if self._known is None:
            return self._unknown
        if self._question is None:
            return self._known
        return self._known | {"checking": True} if self._may_be_old else self._unknown

    def forget(self) -> None:
        """Have the next caller ask anew."""
        self._known, self._known_at = None, float("-inf")

    async def close(self) -> None:
        """End a question that is still open."""
        if self._question is not None:
            self._question.cancel()
            await asyncio.wait({self._question})

    async def _answered(self) -> None:
        try:
            self._known = await self._ask()
        except Exception:  # noqa: BLE001 -- see below
            # What nobody foresaw about one part must not take health away as a whole.
            _log.exception("a part of health cannot be asked")
            self._known = {"status": "down", "error": "it cannot be asked; the log says why"}
        finally:
            self._known_at = time.monotonic()
            self._question = None
