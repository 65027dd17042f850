"""The one way by which actions reach the network: bounded answers, one deadline, typed failures."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from activities.errors import ActionError, ActionFailedError, OutcomeUnknownError
from pao.clients.jira import Deadline
from pao.core.errors import ErrorCode

BODY_BYTES = 64 * 1024
CALL_SECONDS = 30.0
READING = frozenset({"GET", "HEAD", "OPTIONS"})
# A gateway that gave up says nothing about what stands behind it.
GATEWAY_GAVE_UP = frozenset({502, 504})
SERVER_ERROR = 500
TOO_MANY = 429
_REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a target answered: header names in lower case, the body as far as it was read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool = False
    url: str = ""

    @property
    def is_success(self) -> bool:
        """Tell whether the status is one of the 2xx."""
        return self.status // 100 == 2  # noqa: PLR2004 -- 2xx

    @property
    def text(self) -> str:
        """The body as text; bytes that are none are shown as replacement characters."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """Read the body as JSON; raises ``ValueError`` where it is none, or was cut short."""
        if self.truncated:
            raise ValueError("the answer is longer than what is read of it")
        return json.loads(self.body)

    def failure(self, message: str, *, reading: bool = False) -> ActionError:
        """Give the error for an answer that is no success, to be raised by who knows the call.

        A 502 or 504 leaves the outcome of a call that changes something unknown.
        """
        kind: type[ActionError] = ActionFailedError
        if self.status in GATEWAY_GAVE_UP and not reading:
            kind = OutcomeUnknownError
        ours = self.status >= SERVER_ERROR or self.status == TOO_MANY
        return kind(
            message,
            code=ErrorCode.EXTERNAL_SERVICE_ERROR if ours else ErrorCode.ACTION_FAILED,
            http_status=self.status,
            response_body=self.text or None,
            retryable=ours,
        )


class Outgoing:
    """Calls for one execution; safe to use from several tasks of it.

    Nothing is ever sent twice. ``deadline`` bounds every call as a whole, whatever drips in.
    """

    def __init__(
        self, client: httpx.AsyncClient | None = None, deadline: Deadline | None = None
    ) -> None:
        self._client = client
        self._deadline = deadline

    async def request(  # noqa: PLR0913 -- what a call consists of, each part named.
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        target: str | None = None,
        max_body: int = BODY_BYTES,
        seconds: float = CALL_SECONDS,
        redirects: int = 0,
    ) -> Answer:
        """Send one request and read its answer, whatever its status.

        ``target`` names what is called for the circuit breaker and the traces (its host unless
        given). ``redirects`` of a reading call are followed, each judged like the first address;
        credentials do not go along to another host. Raises ``ActionFailedError`` where nothing
        left or the call only reads, ``OutcomeUnknownError`` where it left without a whole answer.
        """
        reading = method in READING
        name = target or httpx.URL(url).host
        left = self._deadline.remaining() if self._deadline else seconds
        call = _Call(method, url, dict(headers or {}), content, max_body)
        try:
            async with asyncio.timeout(min(left, seconds)):
                return await self._send(call, redirects=redirects if reading else 0)
        except (TimeoutError, httpx.HTTPError) as error:
            unsent = isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol)
            kind = ActionFailedError if reading or unsent else OutcomeUnknownError
            raise kind(
                f"{name} gave no whole answer ({type(error).__name__}).",
                code=ErrorCode.EXTERNAL_SERVICE_ERROR,
                retryable=True,
            ) from error

    async def _send(self, call: "_Call", *, redirects: int) -> Answer:
        async with self._opened() as client:
            client.max_redirects = redirects
            async with client.stream(
                call.method,
                call.url,
                headers=call.headers,
                content=call.content,
                follow_redirects=redirects > 0,
            ) as response:
                body, truncated = await _read(response, call.max_body)
                return Answer(
                    status=response.status_code,
                    headers={key.lower(): value for key, value in response.headers.items()},
                    body=body,
                    truncated=truncated,
                    url=str(response.url),
                )

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[httpx.AsyncClient]:
        if self._client is not None:
            yield self._client
            return
        async with httpx.AsyncClient(trust_env=False, timeout=None) as client:  # noqa: S113 -- the deadline is a hard total around it.
            yield client


@dataclass(frozen=True, slots=True)
class _Call:
    """One request as it is sent."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None
    max_body: int


async def _read(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), True
    return bytes(body), False
