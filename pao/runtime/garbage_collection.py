"""Garbage collection while thousands of objects are made that stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

# Young garbage is collected as ever; only the traversal of everything that stays waits.
_POSTPONED = 1_000_000

_lock = Lock()
_before: list[tuple[int, int, int]] = []
"""The thresholds before the first block that is still open, and for each further one."""


@contextmanager
def full_collections_postponed() -> Iterator[None]:
    """Let the interpreter traverse old objects after the block only; blocks may overlap.

    Of 2,000 documents that are read and kept, a seventh of the time would go into looking again and
    again for garbage among those that have been read.
    """
    with _lock:
        _before.append(_before[0] if _before else gc.get_threshold())
        young, middle, _ = _before[0]
        gc.set_threshold(young, middle, _POSTPONED)
    try:
        yield
    finally:
        with _lock:
            before = _before.pop()
            if not _before:
                gc.set_threshold(*before)
