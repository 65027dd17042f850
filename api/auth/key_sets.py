"""Keys that an issuer publishes as a JWKS: cached, fetched rarely, bounded."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt

from api.auth.tokens import select_key, usable_keys
from pao.clients.bounded_http import KEYS_JSON, BoundedHttp, UnusableAnswerError
from pao.core.errors import ErrorCode, PaoError

CACHE_SECONDS = 600.0
# An unknown key id may be new or made up, so it does not cause more fetches than this.
REFETCH_SECONDS = 60.0
# While the issuer is unavailable, calls fail at once.
FAILURE_SECONDS = 5.0
LARGEST_JWKS = 256 * 1024
MOST_KEYS = 100


class KeySet:
    """The keys of one issuer; ``address`` returns where they are, ``clock`` counts seconds."""

    def __init__(
        self,
        http: BoundedHttp,
        address: Callable[[], Awaitable[str]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._address = address
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at: float | None = None
        self._failed_at: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        """Return a key by its id, without one the only key; None if the issuer has no such key.

        Raises ``SERVICE_UNAVAILABLE`` when the keys are older than they may be and the issuer does
        not answer.
        """
        if self._must_read(kid):
            async with self._lock:
                # Another call may have read them while this one waited.
                if self._must_read(kid):
                    await self._read()
        return select_key(self._keys, kid)

    def _must_read(self, kid: str | None) -> bool:
        if self._read_at is None:
            return True
        age = self._clock() - self._read_at
        return age >= CACHE_SECONDS or (
            select_key(self._keys, kid) is None and age >= REFETCH_SECONDS
        )

    async def _read(self) -> None:
        now = self._clock()
        if self._failed_at is not None and now - self._failed_at < FAILURE_SECONDS:
            raise unavailable()
        try:
            address = await self._address()
            answer = await self._http.send("GET", address, most=LARGEST_JWKS)
            keys = _keys_of(answer.json(also=KEYS_JSON)) if answer.status == 200 else None  # noqa: PLR2004
        except UnusableAnswerError as error:
            self._failed_at = now
            raise unavailable() from error
        if keys is None:
            self._failed_at = now
            raise unavailable()
        self._keys, self._read_at, self._failed_at = keys, now, None


def unavailable() -> PaoError:
    """Return the error of an issuer that does not answer."""
    return PaoError(
        ErrorCode.SERVICE_UNAVAILABLE,
        "The identity provider does not respond, so callers cannot be identified. Try again.",
        headers={"Retry-After": "10"},
    )


def _keys_of(document: Any) -> dict[str, jwt.PyJWK] | None:
    keys = document.get("keys") if isinstance(document, dict) else None
    return usable_keys(keys[:MOST_KEYS]) if isinstance(keys, list) else None
