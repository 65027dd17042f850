"""Event streams: how many a caller may have open, and how they end at shutdown."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from pao.core.errors import ErrorCode, PaoError

PING_SECONDS = 15
# What a stream has to say when its process ends is said by then.
FAREWELL_SECONDS = 2
RETRY_SECONDS = 10
COME_BACK_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How many streams one process keeps open, in all and per caller."""

    most: int = 200
    most_per_caller: int = 10


class Streams:
    """The open streams of the process."""

    def __init__(self, limits: StreamLimits | None = None) -> None:
        self._limits = limits or StreamLimits()
        self._open: Counter[str] = Counter()
        self._ending = asyncio.Event()

    def end(self) -> None:
        """End every stream now and tell its client to reconnect."""
        self._ending.set()

    @contextmanager
    def place(self, caller_id: str) -> Iterator[None]:
        """Hold a place while the block runs; ``RATE_LIMIT_EXCEEDED`` if none is free."""
        if self._open[caller_id] >= self._limits.most_per_caller:
            raise _none_left(f"You already have {self._limits.most_per_caller} event streams open")
        if self._open.total() >= self._limits.most:
            raise _none_left("All event streams of this process are in use")
        self._open[caller_id] += 1
        try:
            yield
        finally:
            self._open[caller_id] -= 1
            if not self._open[caller_id]:
                del self._open[caller_id]

    async def until_ending(
        self, events: AsyncGenerator[ServerSentEvent, None]
    ) -> AsyncIterator[ServerSentEvent]:
        """Yield the events; on shutdown, tell the client to reconnect, and stop."""
        ending = asyncio.ensure_future(self._ending.wait())
        following: asyncio.Future[ServerSentEvent] | None = None
        try:
            while True:
                following = asyncio.ensure_future(anext(events))
                await asyncio.wait({following, ending}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    yield ServerSentEvent(
                        comment="this process is shutting down; reconnect",
                        retry=COME_BACK_MILLISECONDS,
                    )
                    return
                yield following.result()
        except StopAsyncIteration:
            return
        finally:
            ending.cancel()
            if following is not None:
                following.cancel()
                await asyncio.wait({following})
            await events.aclose()


class EventStream(EventSourceResponse):
    """A stream that holds one of its caller's places until it ends, however it ends."""

    def __init__(
        self,
        events: AsyncGenerator[ServerSentEvent, None],
        streams: Streams,
        caller_id: str,
        *,
        ping: int = PING_SECONDS,
    ) -> None:
        super().__init__(
            streams.until_ending(events),
            ping=ping,
            shutdown_event=anyio.Event(),
            shutdown_grace_period=FAREWELL_SECONDS,
        )
        self._streams = streams
        self._caller_id = caller_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream, where a place is free."""
        with self._streams.place(self._caller_id):
            await super().__call__(scope, receive, send)


def _none_left(why: str) -> PaoError:
    return PaoError(
        ErrorCode.RATE_LIMIT_EXCEEDED,
        f"{why}; close one, or poll the request's status instead.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
