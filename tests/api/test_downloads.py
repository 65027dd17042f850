"""Downloads of any length: they are counted as streams, and end with whoever asked for them."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from api.requests.downloads import Download
from api.requests.streams import StreamLimits, Streams
from pao.core.errors import ErrorCode, PaoError
from tests.support.callers import ADA
from tests.support.postgres import Database
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import error_of

# More than what sockets buffer, so that the server waits for its reader.
LONG_TRAIL = """
    INSERT INTO audit_logs (event_type, actor, via, source_system, event_data)
    SELECT 'long', 'ada', 'api', 'api', jsonb_build_object('text', repeat('x', 50000))
    FROM generate_series(1, 800)
"""
PLAIN = {"Accept-Encoding": "identity"}
HASTY = StreamLimits(most=1, heartbeat=timedelta(0))


@pytest.fixture
def own(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    environ = {"PAO_MAX_STREAMS_PER_CALLER": "1", "PAO_STREAM_HEARTBEAT": "1ms"}
    with running_stack(
        database, temporal_address, tmp_path, environ=environ, with_worker=False
    ) as stack:
        stack.rows(LONG_TRAIL)
        yield stack


def test_an_export_is_one_of_its_caller_s_streams(own: Stack) -> None:
    ada = own.caller(ADA)
    with ada.stream("GET", "/audit/export", headers=PLAIN) as first:
        assert first.status_code == 200
        refused = ada.get("/audit/export")
        assert (refused.status_code, error_of(refused)["code"]) == (429, "RATE_LIMIT_EXCEEDED")
        assert "pao_streams_open 1.0" in own.anybody().get("/metrics").text
    wait_until(lambda: ada.get("/audit/export", params={"actor": "nobody"}).status_code == 200)


def test_an_export_breaks_off_when_its_key_is_revoked(own: Stack) -> None:
    key = own.new_key(ADA)
    path = "/audit/export?eventType=long"
    with own.client_of(key).stream("GET", path, headers=PLAIN) as export:
        lines = export.iter_lines()
        assert '"long"' in next(lines)
        assert own.caller(ADA).delete(f"/keys/{key[0]}").status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            list(lines)


def test_a_download_of_the_pages_breaks_off_when_its_session_ends(own: Stack) -> None:
    ada, sessions = own.caller(ADA), own.services.sessions
    code = ada.post("/web-sign-ins").json()["url"].rpartition("#")[2]
    token = own.run(sessions.open(code, user_agent="tests"))
    assert token is not None
    cookies = {f"pao-{own.port}": token}
    with (
        httpx.Client(base_url=own.url, cookies=cookies) as browser,
        browser.stream("GET", "/admin/audit.ndjson", headers=PLAIN) as download,
    ):
        lines = download.iter_lines()
        assert "session.opened" in next(lines)
        assert browser.get("/admin/audit.ndjson").status_code == 429
        [session] = ada.get("/web-sessions").json()["data"]
        assert ada.delete(f"/web-sessions/{session['id']}").status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            list(lines)


async def serve_lines(*, allowed: int, streams: Streams | None = None) -> list[Message]:
    """Serve three lines to somebody who is allowed so many; return what was sent."""
    left, sent = iter(range(allowed)), []

    async def lines() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number}\n"

    async def is_allowed() -> bool:
        return next(left, None) is not None

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    download = Download(
        lines(),
        streams or Streams(HASTY),
        "ada",
        is_allowed=is_allowed,
        media_type="text/plain",
        file="all.txt",
    )
    await download({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    return sent


async def test_a_download_is_whole_or_visibly_not() -> None:
    whole, broken = await serve_lines(allowed=3), await serve_lines(allowed=1)
    assert b"".join(one.get("body", b"") for one in whole) == b"0\n1\n2\n"
    assert [one.get("more_body") for one in whole] == [None, True, True, True, False]
    assert [one.get("body") for one in broken] == [None, b"0\n"]
    assert broken[-1]["more_body"]


async def test_a_download_gives_its_place_back_however_it_ends() -> None:
    streams = Streams(HASTY)
    for allowed in (0, 3):
        await serve_lines(allowed=allowed, streams=streams)
        assert streams.open == 0
    with streams.slot("dana"), pytest.raises(PaoError) as caught:
        await serve_lines(allowed=3, streams=streams)
    assert caught.value.code is ErrorCode.RATE_LIMIT_EXCEEDED
