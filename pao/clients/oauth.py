"""Access tokens that expire, and how token endpoints answer with them (RFC 6749, section 5.1)."""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from cachetools import LRUCache

from pao.core.answers import parse_answer

# A token that ends while its call is under way costs a second one; one that is renewed this early
# never does. Short-lived ones keep the larger part of their life.
_EARLY_SECONDS = 30.0
_EARLY_SHARE = 0.2
# Templates may choose token endpoints and clients, so their number has no other end.
_MOST_CACHED = 500


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token; ``ends`` is when (monotonic) it is to be renewed, None when it is refused."""

    value: str = field(repr=False)
    ends: float | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether it can still be used."""
        return self.ends is None or time.monotonic() < self.ends


class TokenCache:
    """Access tokens by key until they expire, the most recently used ones; safe between tasks."""

    def __init__(self) -> None:
        self._tokens: LRUCache[str, AccessToken] = LRUCache(_MOST_CACHED)

    async def token(self, key: str, fetch: Callable[[], Awaitable[AccessToken]]) -> str:
        """Return the token of ``key``, fetched if there is no fresh one."""
        known = self.known(key)
        if known is not None:
            return known
        token = self._tokens[key] = await fetch()
        return token.value

    def known(self, key: str) -> str | None:
        """Return the token of ``key`` if there is a fresh one."""
        token = self._tokens.get(key)
        return token.value if token is not None and token.is_fresh else None

    def forget(self, key: str, value: str) -> None:
        """Drop a token that was refused, unless another one has taken its place."""
        token = self._tokens.get(key)
        if token is not None and token.value == value:
            del self._tokens[key]


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
    """Return whether a token can stand in a header: a text of visible ASCII only."""
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
