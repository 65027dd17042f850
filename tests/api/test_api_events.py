"""Following a request by Server-Sent Events: nothing lost, nothing twice, an end after the end."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from api.requests.schemas.event import EVENTS
from tests.support.stack import Stack
from tests.support.submissions import error_of, submit_completed, submit_failed


@dataclass(frozen=True)
class Event:
    id: int
    kind: str
    data: dict[str, Any]


def events(response: httpx.Response) -> Iterator[Event]:
    """Read a stream as a browser does: fields until an empty line, comments passed over."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and fields:
            yield Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}


def follow(client: httpx.Client, document: dict[str, Any], after: int = 0) -> list[Event]:
    """Follow a request until its stream ends."""
    headers = {"Last-Event-ID": str(after)} if after else {}
    with client.stream("GET", f"/requests/{document['id']}/events", headers=headers) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        return list(events(response))


def test_a_finished_request_is_told_whole_and_the_stream_ends(
    stack: Stack, dana: httpx.Client
) -> None:
    document = submit_failed(stack, dana)
    dana.post(f"/requests/{document['id']}/retry", json={"reason": "a test"})
    seen = follow(dana, document)
    states = [event.data["status"] for event in seen if event.kind == "state"]

    assert {event.kind for event in seen} == {"state", "action", "log", "decision"}
    assert states[:2] == ["submitted", "in_progress"]
    assert "failed" in states
    assert states[-1] == "completed"
    assert [event.id for event in seen] == sorted({event.id for event in seen})
    for event in seen:
        EVENTS[event.kind].model_validate_json(json.dumps(event.data), extra="forbid")


def test_a_stream_resumes_after_any_event_without_loss_or_repeats(dana: httpx.Client) -> None:
    document = submit_completed(dana)
    whole = follow(dana, document)
    assert len(whole) > 3
    for index, event in enumerate(whole):
        assert follow(dana, document, event.id) == whole[index + 1 :]


def test_events_arrive_while_they_happen(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    path = f"/requests/{document['id']}/events"
    with ThreadPoolExecutor(1) as pool, dana.stream("GET", path) as response:
        stream = events(response)
        for event in stream:
            if event.kind == "state" and event.data["status"] == "failed":
                break
        decided = pool.submit(dana.post, f"/requests/{document['id']}/abort", json={"reason": "x"})
        rest = list(stream)
        assert decided.result().status_code == 200
    [told] = [event.data for event in rest if event.kind == "decision"]
    assert (told["decision"], told["accepted"], told["outcome"]) == ("abort", True, "done")
    assert [event.data["status"] for event in rest if event.kind == "state"] == ["aborted"]


def test_a_client_that_hangs_up_and_comes_back_misses_nothing(
    stack: Stack, dana: httpx.Client
) -> None:
    document = submit_failed(stack, dana)
    seen: list[Event] = []
    with dana.stream("GET", f"/requests/{document['id']}/events") as response:
        for event in events(response):
            seen.append(event)
            if len(seen) == 2:
                break
    dana.post(f"/requests/{document['id']}/retry", json={"reason": "a test"})
    seen += follow(dana, document, seen[-1].id)
    assert seen == follow(dana, document)


def test_the_log_and_the_stream_tell_the_same(dana: httpx.Client) -> None:
    document = submit_completed(dana)
    lines = dana.get(f"/requests/{document['id']}/logs").json()["data"]
    streamed = [event for event in follow(dana, document) if event.kind == "log"]
    assert [line["sequence"] for line in lines] == [event.id for event in streamed]
    assert [line["message"] for line in lines] == [event.data["message"] for event in streamed]


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 19, "0x10"])
def test_a_place_to_resume_from_is_a_number(dana: httpx.Client, after: str) -> None:
    document = submit_completed(dana)
    answer = dana.get(f"/requests/{document['id']}/events", headers={"Last-Event-ID": after})
    assert answer.status_code in {400, 422}
    assert error_of(answer)["code"] == "VALIDATION_ERROR"


def test_a_place_beyond_the_end_gives_nothing_and_ends(dana: httpx.Client) -> None:
    assert follow(dana, submit_completed(dana), 10**17) == []
