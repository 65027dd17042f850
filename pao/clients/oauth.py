"""Access tokens that expire, and how token endpoints answer with them (RFC 6749, section 5.1)."""

import asyncio
import math
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from weakref import WeakValueDictionary

from cachetools import LRUCache

from pao.core.answers import parse_answer

# A token that expires during a call costs a second call, so it is renewed this much earlier.
# Short-lived ones keep the larger part of their life.
_EARLY_SECONDS = 30.0
_EARLY_SHARE = 0.2
# Templates may choose token endpoints and clients, so their number has no other end.
_MOST_CACHED = 500


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token; ``ends`` is when (monotonic) to renew it, None: once it is refused."""

    value: str = field(repr=False)
    ends: float | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether it can still be used."""
        return self.ends is None or time.monotonic() < self.ends


class TokenBusyError(Exception):
    """Another call is still fetching the token, and the time to wait for it is over."""


class TokenCache:
    """Access tokens by key until they expire, the most recently used ones.

    Safe to share between tasks, and between threads: one of them fetches the token of a key while
    the others wait. Raises ``TokenBusyError`` if that takes longer than ``seconds``, and what
    ``fetch`` raises.
    """

    def __init__(self) -> None:
        self._tokens: LRUCache[str, AccessToken] = LRUCache(_MOST_CACHED)
        self._lock = threading.Lock()
        # A key's lock exists for as long as somebody holds it or waits for it.
        self._task_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._thread_locks: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()

    async def token(
        self,
        key: str,
        fetch: Callable[[], Awaitable[AccessToken]],
        *,
        seconds: float | None = None,
    ) -> str:
        """Return the token of ``key``, fetched if there is no fresh one."""
        if (cached := self._get_fresh(key)) is not None:
            return cached
        async with self._task_lock(key, seconds):
            if (cached := self._get_fresh(key)) is not None:
                return cached
            return self._store(key, await fetch())

    def token_in_thread(
        self,
        key: str,
        fetch: Callable[[], AccessToken],
        *,
        seconds: float,
        instead_of: str | None = None,
    ) -> str:
        """Return the token of ``key`` to a thread; ``instead_of`` is one that was refused."""
        with self._lock:
            lock = self._thread_locks.setdefault(key, threading.Lock())
        if not lock.acquire(timeout=seconds):
            raise TokenBusyError
        try:
            cached = self._get_fresh(key)
            if cached is not None and cached != instead_of:
                return cached
            return self._store(key, fetch())
        finally:
            lock.release()

    def forget(self, key: str, value: str) -> None:
        """Drop a token that was refused, unless another one has taken its place."""
        with self._lock:
            token = self._tokens.get(key)
            if token is not None and token.value == value:
                del self._tokens[key]

    def _get_fresh(self, key: str) -> str | None:
        with self._lock:
            token = self._tokens.get(key)
        return token.value if token is not None and token.is_fresh else None

    def _store(self, key: str, token: AccessToken) -> str:
        with self._lock:
            self._tokens[key] = token
        return token.value

    @asynccontextmanager
    async def _task_lock(self, key: str, seconds: float | None) -> AsyncIterator[None]:
        lock = self._task_locks.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(seconds):
                await lock.acquire()
        except TimeoutError:
            raise TokenBusyError from None
        try:
            yield
        finally:
            lock.release()


def read_token(body: bytes) -> AccessToken:
    """Read the answer of a token endpoint; raises ``ValueError``, which says what is wrong."""
    try:
        document = parse_answer(body)
    except ValueError:
        document = None
    answer = document if isinstance(document, dict) else {}
    value, kind = answer.get("access_token"), str(answer.get("token_type", "bearer"))
    if not is_sendable(value) or kind.lower() != "bearer":
        raise ValueError("the answer holds no bearer token")
    return AccessToken(value, _end(answer.get("expires_in")))


def is_sendable(token: Any) -> TypeGuard[str]:
    """Return whether a token can be sent in a header: it is visible ASCII only."""
    return isinstance(token, str) and token != "" and all("!" <= one <= "~" for one in token)


def _end(seconds: Any) -> float | None:
    if isinstance(seconds, bool):
        return None
    try:
        lasts = float(seconds)
    except (TypeError, ValueError, OverflowError):
        return None
    if not math.isfinite(lasts):
        return None
    return time.monotonic() + max(lasts - _EARLY_SECONDS, lasts * (1 - _EARLY_SHARE))
