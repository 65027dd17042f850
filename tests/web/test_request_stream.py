"""The stream of a request's page, as its browser reads it."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.support.callers import DANA
from tests.support.stack import Stack
from tests.web.person import session_of
from tests.web.requesting import submit_for_approval
from tests.web.test_request_log import LINES

LAST = "SELECT max(id) AS last FROM request_events WHERE request_id = $1"
NOTIFY = "SELECT pg_notify('pao_requests', $1)"
ONE_STATE, ONE_LINE = 'hx-target="#now"', 'hx-swap="beforeend"'


@pytest.fixture
def watched(stack: Stack) -> Iterator[str]:
    """A request that waits for people, so that its stream goes on."""
    request_id = submit_for_approval(stack)
    yield request_id
    stack.caller(DANA).post(f"/requests/{request_id}/cancel", json={"reason": "seen"})


def last_of(stack: Stack, request_id: str) -> int:
    return int(stack.rows(LAST, request_id)[0]["last"])


@contextmanager
def following(stack: Stack, request_id: str) -> Iterator[Iterator[str]]:
    """Follow a request from now on; yields messages, and comments as they are."""
    name, token = session_of(stack, DANA)
    with httpx.stream(
        "GET",
        f"{stack.url}/requests/{request_id}/stream?after={last_of(stack, request_id)}",
        headers={"Cookie": f"{name}={token}"},
        timeout=60,
    ) as answer:
        assert answer.status_code == 200
        yield messages(answer.iter_lines())


def messages(lines: Iterator[str]) -> Iterator[str]:
    said = list[str]()
    for line in lines:
        if line:
            said.append(line)
        elif said:
            yield "\n".join(said)
            said = []


def test_a_stream_beats_while_nothing_happens(stack: Stack, watched: str) -> None:
    with following(stack, watched) as said:
        beats = (one for one in said if one.startswith("event: pao:beat"))
        assert [next(beats) for _ in range(2)]


def test_what_happens_at_once_is_rendered_once(stack: Stack, watched: str) -> None:
    with following(stack, watched) as said:
        for count in (30, 70):
            stack.rows(LINES, watched, count * 100, count, "approval")
            stack.rows(NOTIFY, watched)
            last = f"id: {last_of(stack, watched)}\n"
            message = next(one for one in said if last in f"{one}\n")
            assert (message.count(ONE_STATE), message.count(ONE_LINE)) == (1, count)
