"""The body of a request, read before any route: bounded in size and in time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from pao.core.errors import ErrorCode, PaoError

# Of a body that is too large, this many times the limit is read and thrown away.
DISCARDED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """The largest body in bytes, and the seconds that it may take."""

    most: int
    seconds: float

    def refuse_by_headers(self, headers: Headers) -> None:
        """Refuse a body that can be refused before it is read."""
        declared = headers.get("content-length", "0")
        size = int(declared) if declared.isdecimal() else 0
        if size > self.most * DISCARDED or (size > self.most and "expect" in headers):
            raise _too_large(self.most)

    async def read(self, receive: Receive) -> bytes:
        """Return the whole body, or refuse it: 413 if it is too large, 408 if it is too slow."""
        try:
            async with asyncio.timeout(self.seconds):
                return await _collect(receive, self.most)
        except TimeoutError as error:
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                "The body did not arrive in time; send it again.",
                status=408,
                headers={"Connection": "close"},
            ) from error


def replay_body(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Return a ``receive`` that replays the body, then continues with the server's own."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _collect(receive: Receive, limit: int) -> bytes:
    """Read a body; one that is too large is read further than it is kept.

    A connection that is closed over unread data is reset, and the client never sees the answer.
    """
    parts: list[bytes] = []
    size = 0
    async for part in _chunks(receive):
        size += len(part)
        if size > limit * DISCARDED:
            break
        if size <= limit:
            parts.append(part)
    if size > limit:
        raise _too_large(limit)
    return b"".join(parts)


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise PaoError(
                ErrorCode.VALIDATION_ERROR, "The client closed the connection.", status=400
            )
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


def _too_large(limit: int) -> PaoError:
    return PaoError(
        ErrorCode.PAYLOAD_TOO_LARGE,
        f"The body is larger than {limit} bytes; send less.",
        headers={"Connection": "close"},
    )
