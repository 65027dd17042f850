"""What an operator reads about requests: one line per event, with the ids, and no traceback."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pao.app.worker_log import SdkLines
from pao.runtime.logging import JsonFormatter, Redactor
from tests.support.callers import DANA
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import submit, submit_completed, submit_failed

Line = dict[str, Any]
IDS = ("requestId", "correlationId", "traceId")


class Log:
    """The log of the process as its own configuration would write it."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def lines(self) -> list[Line]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    def about(self, document: dict[str, Any]) -> list[Line]:
        """Return the lines that mention a request in any way, in order."""
        return [line for line in self.lines() if document["id"] in json.dumps(line)]

    def events(self, document: dict[str, Any]) -> list[str]:
        """Return what was said about a request's events, in order."""
        return [line["message"] for line in self.about(document) if line["logger"] == "pao.events"]


@pytest.fixture
def log() -> Iterator[Log]:
    root, stream = logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(Redactor()))
    handler.addFilter(SdkLines())
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield Log(stream)
    root.removeHandler(handler)
    root.setLevel(level)


def decide(client: httpx.Client, document: dict[str, Any], kind: str, reason: str) -> None:
    answer = client.post(f"/requests/{document['id']}/{kind}", json={"reason": reason})
    assert answer.status_code == 200, answer.text


def test_a_completed_request_is_told_once_and_every_line_has_its_ids(
    dana: httpx.Client, log: Log
) -> None:
    document = submit_completed(dana)
    key = document["actions"][0]["externalReference"]

    assert log.events(document) == [
        "submitted: network-dns-record 1.1.0, by dana@example.com",
        "the request is in progress",
        "Ask the network team for the record: attempt 1 starts",
        f"Ask the network team for the record succeeded: {key}",
        "the request is completed",
    ]
    # The line of the call is written once its answer is on its way.
    call = "POST /api/v1/requests 201"
    wait_until(lambda: call in {line["message"] for line in log.about(document)})
    lines = log.about(document)
    assert [line for line in lines if not all(line.get(name) for name in IDS)] == []
    assert {line["correlationId"] for line in lines} == {document["correlationId"]}
    assert len({line["traceId"] for line in lines}) == 1


def test_a_failure_is_one_line_with_the_reason_and_one_with_what_is_awaited(
    stack: Stack, dana: httpx.Client, log: Log
) -> None:
    document = submit_failed(stack, dana, message="Field priority cannot be set")
    decide(dana, document, "abort", "nobody needs it")

    why = "JIRA could not create the ticket (HTTP 400): Field priority cannot be set"
    assert log.events(document)[3:] == [
        f"Ask the network team for the record failed: {why}",
        "the request failed; it waits for a decision: retry, abort or escalate; suggested: retry",
        "abort decided; the request is aborted, by dana: nobody needs it",
    ]
    lines = log.about(document)
    assert len([one for one in lines if "Field priority" in json.dumps(one)]) == 1
    assert [one for one in lines if "exception" in one or "Traceback" in json.dumps(one)] == []
    assert [one for one in log.lines() if one["logger"].startswith("temporalio")] == []


def test_lines_of_libraries_have_the_ids_as_well(dana: httpx.Client, log: Log) -> None:
    library = logging.getLogger("urllib3.connectionpool")
    before = library.level
    library.setLevel(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        document = submit_completed(dana)
    finally:
        library.setLevel(before)

    lines = [one for one in log.lines() if one["logger"] == library.name and "POST" in str(one)]
    assert document["id"] in {one.get("requestId") for one in lines}
    assert [one for one in lines if not all(one.get(name) for name in IDS)] == []


def test_a_refused_signal_is_told_with_its_reason(
    stack: Stack, dana: httpx.Client, log: Log
) -> None:
    document = submit_failed(stack, dana)
    handle = stack.temporal.get_workflow_handle(f"request-{document['id']}")
    stack.run(handle.signal("rerty", {}))
    stack.run(handle.signal("retry", "now"))

    def told() -> list[str]:
        return log.events(document)[5:]

    wait_until(lambda: len(told()) == 2)
    assert told()[0].startswith(
        "a signal of an unknown name is ignored: there is no signal 'rerty'"
    )
    assert told()[1].startswith("retry is refused: the signal's input is not an object")


def test_a_replay_tells_nothing_again(
    database: Any, temporal_address: str, tmp_path: Any, log: Log
) -> None:
    with running_stack(database, temporal_address, tmp_path) as stack:
        dana = stack.caller(DANA)
        document = submit_failed(stack, dana)
        before = log.events(document)
        stack.stop_worker()
        stack.start_worker()
        # The new worker has nothing in its cache: it replays the history before it decides.
        decide(dana, document, "retry", "once more")

        after = log.events(document)
    assert after[: len(before)] == before
    assert after[len(before) :][0] == "retry decided, by dana: once more"
    assert len(set(after)) == len(after)


def test_a_call_about_a_request_has_its_id_whatever_it_answers(
    dana: httpx.Client, stack: Stack, log: Log
) -> None:
    absent = "00000000-0000-4000-8000-000000000000"
    assert dana.get(f"/requests/{absent}/status").status_code == 404
    assert stack.anybody().get(f"/requests/{absent}").status_code == 401

    def told() -> list[Any]:
        return [one["requestId"] for one in log.lines() if absent in str(one.get("path"))]

    # A call is logged when its answer has gone.
    wait_until(lambda: len(told()) == 2)
    assert told() == [absent, absent]


def test_a_repeated_submission_is_told_as_a_call_only(dana: httpx.Client, log: Log) -> None:
    key = {"Idempotency-Key": "logs-once"}
    body = {"catalogItemId": "network-dns-record", "fields": {"hostName": "once.example.com"}}
    body["fields"]["address"] = "10.0.0.3"  # type: ignore[index]
    document = submit(dana, body, **key)
    before = log.events(document)
    assert dana.post("/requests", json=body, headers=key).json()["id"] == document["id"]

    assert log.events(document) == before

    def calls() -> list[Any]:
        return [one for one in log.about(document) if one["logger"] == "pao.access"]

    wait_until(lambda: len(calls()) == 2)
    assert [one["requestId"] for one in calls()] == [document["id"]] * 2
    assert {one["client"] for one in calls()} == {"127.0.0.1"}
