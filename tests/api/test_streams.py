"""Streams of events have an end: in number, with their client, and with their process."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sse_starlette import ServerSentEvent
from starlette.types import Message

from api.requests.streams import EventStream, StreamLimits, Streams
from pao.core.errors import PaoError
from tests.support.callers import DANA, OLIVER
from tests.support.postgres import Database
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import error_of, submit_failed

RHYTHM = StreamLimits(heartbeat=timedelta(milliseconds=1), lifetime=timedelta(milliseconds=1))


@pytest.fixture
def narrow_stack(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    environ = {"PAO_MAX_STREAMS_PER_CALLER": "2", "PAO_MAX_STREAMS": "3"}
    with running_stack(database, temporal_address, tmp_path, environ=environ) as stack:
        yield stack


def test_a_caller_has_so_many_streams_and_a_closed_one_makes_room(narrow_stack: Stack) -> None:
    dana, oliver = narrow_stack.caller(DANA), narrow_stack.caller(OLIVER)
    path = f"/requests/{submit_failed(narrow_stack, dana)['id']}/events"
    with dana.stream("GET", path) as first, dana.stream("GET", path) as second:
        assert (first.status_code, second.status_code) == (200, 200)
        refused = dana.get(path)
        assert (refused.status_code, error_of(refused)["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert int(refused.headers["Retry-After"]) > 0
        with oliver.stream("GET", path) as third:
            assert third.status_code == 200
            shown = narrow_stack.anybody().get("/metrics").text
            assert {"pao_streams_open 3.0", "pao_streams_max 3.0"} <= set(shown.splitlines())
            assert oliver.get(path).status_code == 429
    wait_until(lambda: opens(dana, path))


def opens(client: httpx.Client, path: str) -> bool:
    with client.stream("GET", path) as response:
        return response.status_code == 200


def test_a_place_is_free_again_however_its_stream_ended() -> None:
    streams = Streams(StreamLimits(most=1, most_per_caller=1))
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), streams.slot("dana"):
            _ = 1 / 0
    with streams.slot("dana"), pytest.raises(PaoError), streams.slot("oliver"):
        pass
    with streams.slot("oliver"):
        pass


async def test_a_stream_says_come_back_when_its_process_ends() -> None:
    closed = False

    async def events() -> AsyncGenerator[ServerSentEvent, None]:
        nonlocal closed
        try:
            yield ServerSentEvent("one")
            streams.end()
            await never.wait()
        finally:
            closed = True

    never = asyncio.Event()
    streams = Streams()
    seen = [one async for one in streams.until_shutdown(events())]
    assert [one.retry for one in seen] == [None, 1000]
    assert closed


async def test_a_stream_that_has_an_end_of_its_own_says_nothing_more() -> None:
    async def events() -> AsyncGenerator[ServerSentEvent, None]:
        yield ServerSentEvent("one")

    seen = [one async for one in Streams().until_shutdown(events())]
    assert len(seen) == 1


async def silent() -> AsyncGenerator[ServerSentEvent, None]:
    await asyncio.Event().wait()
    yield ServerSentEvent("never")


async def test_a_silent_stream_says_that_it_is_there() -> None:
    beats = list[bytes]()
    beaten = asyncio.Event()

    async def send(message: Message) -> None:
        if message.get("body", b"").startswith(b": ping"):
            beats.append(message["body"])
            if len(beats) == 3:
                beaten.set()

    scope = {"type": "http", "method": "GET"}

    async def receive() -> Message:
        await beaten.wait()
        return {"type": "http.disconnect"}

    await EventStream(silent(), Streams(RHYTHM), "dana")(scope, receive, send)
    assert len(beats) >= 3


async def test_the_stream_of_a_page_ends_when_its_time_is_over() -> None:
    streams = Streams(RHYTHM)
    seen = [one async for one in streams.until_shutdown(silent(), lifetime=RHYTHM.lifetime)]
    assert [(one.comment, one.retry) for one in seen] == [("its time is over; reconnect", 1000)]
