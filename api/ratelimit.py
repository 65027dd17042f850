"""How many calls one caller may make in a minute, counted in this process. No transport here."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address

from cachetools import TTLCache
from limits import RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from pao.core.errors import ErrorCode, PaoError
from pao.runtime.networks import read_address

_log = logging.getLogger(__name__)

_WINDOW_SECONDS = 60
# About 20 MB when full of the longest possible caller ids.
_MOST_CALLERS = 50_000
_IPV6_NETWORK_BITS = 64


@dataclass(frozen=True, slots=True)
class RateState:
    """What a caller has left: ``remaining`` of ``limit`` calls for ``reset_seconds`` more."""

    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Return the ``RateLimit-*`` headers of the IETF draft, for any answer."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }


class Replicas:
    """Holds the number: the ``configured`` one until processes have been counted."""

    def __init__(self, configured: int = 1) -> None:
        if configured < 1:
            raise ValueError("the number of replicas must be 1 or more")
        self._configured = configured
        self.count = configured

    def update_count(self, found: int) -> None:
        """Set the number of processes; 0 means that they cannot be seen."""
        count = found or self._configured
        if count != self.count:
            _log.info("%d API processes share the rate limits", count)
        self.count = count


class _Share(RateLimitItemPerMinute):
    """What one process allows; the counts stay when the share changes."""

    def key_for(self, *identifiers: bytes | str | float) -> str:
        return "/".join(str(one) for one in identifiers)


class RateLimiter:
    """Allows each caller ``per_minute`` calls in a minute, over all ``replicas`` together.

    Every replica counts for itself and allows its share, rounded up, so that a call costs no round
    trip. Memory is bounded: with too many callers the counts that end soonest are forgotten first.
    ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        replicas: Replicas | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if per_minute < 1:
            raise ValueError("the rate limit must be 1 or more")
        self._clock = clock
        self._per_minute = per_minute
        self._replicas = replicas or Replicas()
        self._window = FixedWindowRateLimiter(_BoundedMemory(clock))

    def check(self, caller_id: str) -> RateState:
        """Count a call by ``caller_id`` and return what is left.

        Raises ``PaoError`` ``RATE_LIMIT_EXCEEDED`` with ``Retry-After`` and ``RateLimit-*`` headers
        when nothing was left.
        """
        share = _Share(math.ceil(self._per_minute / self._replicas.count))
        allowed = self._window.hit(share, caller_id)
        stats = self._window.get_window_stats(share, caller_id)
        state = RateState(
            limit=share.amount,
            remaining=stats.remaining,
            reset_seconds=max(1, math.ceil(stats.reset_time - self._clock())),
        )
        if allowed:
            return state
        raise PaoError(
            ErrorCode.RATE_LIMIT_EXCEEDED,
            f"{state.limit} calls per minute are allowed; try again in {state.reset_seconds} s",
            headers={**state.headers(), "Retry-After": str(state.reset_seconds)},
        )


def address_caller(host: str) -> str:
    """Return the caller id of an unauthenticated client at ``host``.

    An IPv6 client owns a whole /64 network, so that network counts as one caller. What is no IP
    address (a Unix socket's peer) counts as one caller as well.
    """
    try:
        address = read_address(host)
    except ValueError:
        return "address:unknown"
    if not isinstance(address, IPv6Address):
        return f"address:{address}"
    return f"address:{int(address) >> _IPV6_NETWORK_BITS:x}/64"


@dataclass(slots=True)
class _Count:
    calls: int
    ends_at: float


class _BoundedMemory(Storage):
    """Counters of one window, at most ``_MOST_CALLERS`` of them.

    The library's own memory storage is unbounded, and starts a thread for every burst of calls that
    walks over all counters.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._counts: TTLCache[str, _Count] = TTLCache(
            maxsize=_MOST_CALLERS, ttl=_WINDOW_SECONDS, timer=clock
        )

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        count = self._counts.get(key)
        if count is None:
            # Only a new window is put in: putting it again would restart its time.
            count = _Count(0, self._clock() + expiry)
            self._counts[key] = count
        count.calls += amount
        return count.calls

    def get(self, key: str) -> int:
        count = self._counts.get(key)
        return count.calls if count else 0

    def get_expiry(self, key: str) -> float:
        count = self._counts.get(key)
        return count.ends_at if count else self._clock()

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        forgotten = len(self._counts)
        self._counts.clear()
        return forgotten

    def clear(self, key: str) -> None:
        self._counts.pop(key, None)
