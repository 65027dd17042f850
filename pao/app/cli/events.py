"""Follows the event stream of a request, and resumes it when it breaks."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from pao.app.cli.exits import LostAnswerError
from pao.app.cli.http import Api

# So many broken connections in a row, without an event between them, mean that it is unavailable.
_MAX_FAILURES = 5
_PAUSE_SECONDS = 0.5

OPENED = "opened"


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event; ``opened`` is added here and says that the stream is open from now on."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    id: str | None = None


def follow(api: Api, request_id: str) -> Iterator[ReceivedEvent]:
    """Yield events as they come, across broken connections, until the caller stops iterating.

    Each connection starts with an ``opened`` event: a caller who then reads the request misses
    nothing. Raises ``LostAnswerError`` if the service stays unavailable.
    """
    last_id: str | None = None
    failures = 0
    while True:
        reason = "the stream was closed"
        try:
            with api.stream(f"/requests/{request_id}/events", last_event_id=last_id) as lines:
                yield ReceivedEvent(OPENED)
                for event in read_events(lines):
                    failures = 0
                    last_id = event.id or last_id
                    yield event
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
        failures += 1
        if failures >= _MAX_FAILURES:
            raise LostAnswerError(api.target.endpoint, reason)
        time.sleep(_PAUSE_SECONDS * failures)


def read_events(lines: Iterator[str]) -> Iterator[ReceivedEvent]:
    """Read the event-stream format; comments are skipped, data that is not JSON is wrapped.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """
    kind, event_id, data = "message", None, list[str]()
    for line in lines:
        if not line:
            if data:
                yield ReceivedEvent(kind, _read_data("\n".join(data)), event_id)
            kind, data = "message", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id":
            event_id = value


def _read_data(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {"message": text}
    return value if isinstance(value, dict) else {"message": text}
