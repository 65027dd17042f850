"""HTTP calls to the few services that vouch for callers, with bounded size and time."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import certifi
import httpx

from pao.core.strict_json import read_json
from pao.runtime.version import VERSION

_CONNECT_SECONDS = 3.0
_MOST_CONNECTIONS = 20


class UnusableAnswerError(Exception):
    """The service gave no usable answer; the message names only its host."""


_JSON = "application/json"
KEYS_JSON = "application/jwk-set+json"


@dataclass(frozen=True, slots=True)
class BoundedAnswer:
    """The answer of a service, with a body below the limit."""

    status: int
    content_type: str
    body: bytes = field(repr=False)

    def json(self, *, also: str = _JSON) -> object:
        """Return the body as JSON; ``also`` is a second content type that is accepted.

        Raises ``UnusableAnswerError`` for any other body, and for ambiguous JSON.
        """
        if self.content_type.partition(";")[0].strip().lower() not in {_JSON, also}:
            raise UnusableAnswerError(f"its answer is {self.content_type[:80]!r}, not JSON")
        try:
            return read_json(self.body.decode())
        except (ValueError, RecursionError) as error:
            raise UnusableAnswerError("its answer is not valid JSON") from error


class BoundedHttp:
    """Sends calls: no redirect is followed, no proxy or trust comes from the environment."""

    def __init__(self, *, ca_bundle: Path | None = None, seconds: float = 5.0) -> None:
        self._seconds = seconds
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            verify=_trust(ca_bundle),
            timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=_MOST_CONNECTIONS),
            headers={"User-Agent": f"platform-automation-orchestrator/{VERSION}"},
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def send(
        self,
        method: str,
        url: str,
        *,
        most: int,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> BoundedAnswer:
        """Send a call and return its answer, of at most ``most`` bytes.

        Raises ``UnusableAnswerError`` if none came in time, it is too large, or it is a redirect.
        """
        try:
            host = httpx.URL(url).host
        except httpx.InvalidURL as error:
            raise UnusableAnswerError("its address is not valid") from error
        given = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._client.stream(method, url, headers=given, content=content) as response,
            ):
                body = await _read(response, most)
        except (TimeoutError, httpx.HTTPError) as error:
            raise UnusableAnswerError(f"{host} did not answer") from error
        if body is None:
            raise UnusableAnswerError(f"the answer of {host} is larger than {most} bytes")
        if response.is_redirect:
            raise UnusableAnswerError(f"{host} redirects, which is not followed")
        return BoundedAnswer(response.status_code, response.headers.get("content-type", ""), body)


@cache
def _trust(ca_bundle: Path | None) -> ssl.SSLContext:
    trusted = ssl.create_default_context(cafile=certifi.where())
    if ca_bundle is not None:
        trusted.load_verify_locations(ca_bundle)
    return trusted


async def _read(response: httpx.Response, most: int) -> bytes | None:
    """Return the body as it came over the wire, or None if it is too large."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)
