"""Garbage collection while thousands of objects are made that stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

# Young garbage is collected as usual; only the full traversal is postponed.
_POSTPONED = 1_000_000

_lock = Lock()
_before: list[tuple[int, int, int]] = []
"""The thresholds before the first block that is still open, and for each further one."""


@contextmanager
def full_collections_postponed() -> Iterator[None]:
    """Postpone full collections until the end of the block; blocks may overlap.

    While 2,000 documents are read and kept, full collections would take a seventh of the time and
    find nothing.
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
