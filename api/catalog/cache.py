"""The catalog in a process's memory: bounded, least recently used evicted first.

A key carries the generation of what it names, so that an old value is never taken for a new one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from cachetools import TLRUCache

T = TypeVar("T")

HOUR = 3600.0
# How much memory a parsed document takes for each byte of its JSON text; measured with tracemalloc
# over the samples: 11 to 18. Compiled patterns are not Python's memory; the overhead is for them.
WEIGHT = 18
OVERHEAD = 10_000


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """How long entries are kept, in seconds, and how many bytes of them."""

    max_memory: int = 512 * 1024**2
    items: float = HOUR
    forms: float = 2 * HOUR
    listing: float = 6 * HOUR
    look: float = 10.0
    """How often to check for changes, regardless of notifications."""


@dataclass(frozen=True, slots=True)
class _CacheEntry:
    value: Any
    size: int
    seconds: float


class CatalogCache:
    """Values by key, each with a lifetime, within a total size. For one event loop."""

    def __init__(self, max_memory: int, *, timer: Callable[[], float] | None = None) -> None:
        self._loading: dict[Hashable, asyncio.Future[Any]] = {}
        clock = {"timer": timer} if timer else {}
        self._entries: TLRUCache[Hashable, _CacheEntry] = TLRUCache(
            maxsize=max_memory,
            ttu=lambda _key, entry, now: now + entry.seconds,
            getsizeof=lambda entry: entry.size,
            **clock,
        )

    @property
    def size(self) -> int:
        """The estimated size of all entries in bytes."""
        return int(self._entries.currsize)

    def __len__(self) -> int:
        """Return how many values are kept."""
        return len(self._entries)

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()

    async def get(
        self,
        key: Hashable,
        load: Callable[[], Awaitable[tuple[T, int]]],
        *,
        seconds: float,
    ) -> T:
        """Return the value of a key; ``load`` returns a missing one and its JSON's length.

        Concurrent callers wait for the same load.
        """
        entry = self._entries.get(key)
        if entry is not None:
            value: T = entry.value
            return value
        loading = self._loading.get(key)
        if loading is None:
            loading = asyncio.ensure_future(self._load(key, load, seconds=seconds))
            self._loading[key] = loading
            loading.add_done_callback(lambda _done: self._loading.pop(key, None))
        # A caller that disconnects must not cancel the load for the others.
        found: T = await asyncio.shield(loading)
        return found

    async def _load(
        self, key: Hashable, load: Callable[[], Awaitable[tuple[T, int]]], *, seconds: float
    ) -> T:
        value, length = await load()
        size = length * WEIGHT + OVERHEAD
        # A value that is larger than the whole cache is returned, but not cached.
        if size <= self._entries.maxsize:
            self._entries[key] = _CacheEntry(value, size, seconds)
        return value
