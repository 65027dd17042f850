"""The limits of templates; every bound of the language is in this file."""

import time
from collections.abc import Callable

from catalog.templating.contract import FaultError

SOURCE_BYTES = 256 * 1024
TEXT_BYTES = 1_000_000
BLOCK_DEPTH = 20
LOOP_DEPTH = 5
EXPRESSION_DEPTH = 50
VALUE_DEPTH = 100
ITERATIONS = 10_000
SECONDS = 1.0
LARGEST_NUMBER = 2**53 - 1

_STEPS_BETWEEN_CHECKS = 1000


def size_of(text: str) -> int:
    """Return the size of a text in bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def fits(text: str) -> str:
    """Return the text back; raises template-limit if it is larger than a text may be."""
    if len(text) > TEXT_BYTES or size_of(text) > TEXT_BYTES:
        raise too_long()
    return text


def require_room(size: int) -> None:
    """Raise template-limit if a text of this many characters would be too large to be made."""
    if size > TEXT_BYTES:
        raise too_long()


def too_long() -> FaultError:
    """Return the fault of a text over its limit."""
    return FaultError("template-limit", f"a text is longer than {TEXT_BYTES:,} bytes; shorten it")


def too_deep(what: str, limit: int) -> FaultError:
    """Return the fault of something that is nested too deeply."""
    return FaultError("template-limit", f"{what} are nested more than {limit} deep; flatten them")


class Budget:
    """What one rendering may still use: iterations, and processor time of its own thread.

    Time in which the thread does not run does not count: a busy machine fails no template.
    """

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._deadline = clock() + SECONDS
        self._steps = _STEPS_BETWEEN_CHECKS
        self._iterations = ITERATIONS

    def spend(self, steps: int = 1) -> None:
        """Count steps of work; raises template-limit when the time is over."""
        self._steps -= steps
        if self._steps > 0:
            return
        self._steps = _STEPS_BETWEEN_CHECKS
        if self._clock() > self._deadline:
            raise FaultError("template-limit", f"it takes longer than {SECONDS:g} s; simplify it")

    def iterate(self) -> None:
        """Count one iteration of a loop; raises template-limit when there were too many."""
        self._iterations -= 1
        if self._iterations < 0:
            raise FaultError(
                "template-limit", f"its loops run more than {ITERATIONS:,} times in all"
            )
        self.spend()
