"""Streams: how many (of events, and downloads) a caller may have open, and how they end."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from pao.core.errors import ErrorCode, PaoError

# What a stream has to say when its process ends is said by then.
SHUTDOWN_SECONDS = 2
RETRY_SECONDS = 10
RECONNECT_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How many streams one process keeps open, in all and per caller; and their rhythm."""

    most: int = 200
    most_per_caller: int = 10
    heartbeat: timedelta = timedelta(seconds=10)
    """How often an open stream sends a sign of life."""
    lifetime: timedelta = timedelta(hours=1)
    """After how long the stream of a page ends; its browser reconnects, and is checked again."""


class Streams:
    """The open streams of the process."""

    def __init__(self, limits: StreamLimits | None = None) -> None:
        self.limits = limits or StreamLimits()
        self._open: Counter[str] = Counter()
        self._ending = asyncio.Event()

    @property
    def open(self) -> int:
        """How many are open."""
        return self._open.total()

    def end(self) -> None:
        """End every stream now and tell its client to reconnect."""
        self._ending.set()

    @contextmanager
    def slot(self, caller_id: str) -> Iterator[None]:
        """Hold a slot while the block runs; ``RATE_LIMIT_EXCEEDED`` if none is free."""
        if self._open[caller_id] >= self.limits.most_per_caller:
            raise _limit_reached(f"You already have {self.limits.most_per_caller} streams open")
        if self.open >= self.limits.most:
            raise _limit_reached("All streams of this process are in use")
        self._open[caller_id] += 1
        try:
            yield
        finally:
            self._open[caller_id] -= 1
            if not self._open[caller_id]:
                del self._open[caller_id]

    async def until_shutdown(
        self, events: AsyncGenerator[ServerSentEvent, None], *, lifetime: timedelta | None = None
    ) -> AsyncIterator[ServerSentEvent]:
        """Yield the events; on shutdown, or after its lifetime, send "reconnect", and stop."""
        loop = asyncio.get_running_loop()
        until = loop.time() + lifetime.total_seconds() if lifetime else None
        ending = asyncio.ensure_future(self._ending.wait())
        next_event: asyncio.Future[ServerSentEvent] | None = None
        try:
            while True:
                next_event = asyncio.ensure_future(anext(events))
                await asyncio.wait(
                    {next_event, ending},
                    timeout=None if until is None else max(until - loop.time(), 0),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not next_event.done():
                    why = "this process is shutting down" if ending.done() else "its time is over"
                    yield ServerSentEvent(comment=f"{why}; reconnect", retry=RECONNECT_MILLISECONDS)
                    return
                yield next_event.result()
        except StopAsyncIteration:
            return
        finally:
            ending.cancel()
            if next_event is not None:
                next_event.cancel()
                await asyncio.wait({next_event})
            await events.aclose()


class EventStream(EventSourceResponse):
    """A stream that holds one of its caller's places until it ends, however it ends.

    Its heartbeat is a comment, which readers pass over, unless ``heartbeat`` makes another.
    """

    def __init__(
        self,
        events: AsyncGenerator[ServerSentEvent, None],
        streams: Streams,
        caller_id: str,
        *,
        lifetime: timedelta | None = None,
        heartbeat: Callable[[], ServerSentEvent] | None = None,
    ) -> None:
        super().__init__(
            streams.until_shutdown(events, lifetime=lifetime),
            ping_message_factory=heartbeat,
            shutdown_event=anyio.Event(),
            shutdown_grace_period=SHUTDOWN_SECONDS,
        )
        self.ping_interval = streams.limits.heartbeat.total_seconds()
        self._streams = streams
        self._caller_id = caller_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the stream, where a place is free."""
        with self._streams.slot(self._caller_id):
            await super().__call__(scope, receive, send)


def _limit_reached(why: str) -> PaoError:
    return PaoError(
        ErrorCode.RATE_LIMIT_EXCEEDED,
        f"{why} (events, downloads); close one, or poll a request's status instead.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
