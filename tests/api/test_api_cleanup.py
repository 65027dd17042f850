"""Saying over HTTP that something is cleaned up: once, by who may decide, and never deleted."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.callers import ADA, OLIVER, PRIYA, STRANGER, Person
from tests.support.stack import Stack
from tests.support.submissions import error_of, submit_completed, submit_failed

NOTE = {"note": "removed NET-1 by hand"}


def entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document["errorContext"]["cleanup"]
    return found


def mark(client: httpx.Client, document: dict[str, Any], entry: str) -> httpx.Response:
    return client.post(f"/requests/{document['id']}/cleanup/{entry}", json=NOTE)


def abort_request(stack: Stack, client: httpx.Client) -> dict[str, Any]:
    """Abort a request whose ticket may exist."""
    before = submit_failed(stack, client, "cut-after")
    answer = client.post(f"/requests/{before['id']}/abort", json={"reason": "no longer needed"})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def trail(stack: Stack, document: dict[str, Any]) -> list[dict[str, Any]]:
    return stack.rows(
        "select * from audit_logs where request_id = $1 and event_type = 'cleanup.done'",
        document["id"],
    )


def test_who_cleans_up_after_an_ended_request_says_so(stack: Stack, dana: httpx.Client) -> None:
    before = abort_request(stack, dana)
    [entry] = entries(before)
    assert entry["done"] is None

    answer = mark(dana, before, entry["entryId"])

    assert answer.status_code == 200, answer.text
    [after] = entries(answer.json())
    done = after.pop("done")
    assert (done["by"], done["note"]) == ("dana", NOTE["note"])
    assert after == {key: value for key, value in entry.items() if key != "done"}, "it stays"
    assert entries(dana.get(f"/requests/{before['id']}").json())[0]["done"] == done
    [line] = trail(stack, before)
    assert (line["actor"], line["reason"], line["via"]) == ("dana", NOTE["note"], "api")
    assert line["event_data"]["entryId"] == entry["entryId"]


def test_a_repeat_changes_nothing_whoever_sends_it(stack: Stack, dana: httpx.Client) -> None:
    before = abort_request(stack, dana)
    [entry] = entries(before)
    people = [dana, stack.caller(ADA)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: mark(people[n % 2], before, entry["entryId"]), range(8)))
    assert {one.status_code for one in answers} == {200}
    told = {str(entries(one.json())[0]["done"]) for one in answers}
    assert len(told) == 1
    assert len(trail(stack, before)) == 1


@pytest.mark.parametrize(
    ("person", "status"), [(OLIVER, 403), (STRANGER, 404), (PRIYA, 200), (ADA, 200)]
)
def test_who_may_decide_may_say_so(
    stack: Stack, dana: httpx.Client, person: Person, status: int
) -> None:
    before = abort_request(stack, dana)
    [entry] = entries(before)
    answer = mark(stack.caller(person), before, entry["entryId"])
    assert answer.status_code == status, answer.text


def test_what_a_retry_may_still_use_is_not_marked(stack: Stack, dana: httpx.Client) -> None:
    before = submit_failed(stack, dana, "cut-after")
    [entry] = entries(before)
    answer = mark(dana, before, entry["entryId"])
    assert answer.status_code == 409
    assert error_of(answer)["code"] == "INVALID_STATE_TRANSITION"
    assert "Decide about the request first" in error_of(answer)["message"]


def test_an_entry_that_is_not_listed_is_not_found(stack: Stack, dana: httpx.Client) -> None:
    for document in (submit_completed(dana), abort_request(stack, dana)):
        answer = mark(dana, document, "0123456789abcdef")
        assert answer.status_code == 404
        assert "lists no entry" in error_of(answer)["message"]
    assert mark(dana, document, "not-an-id").status_code == 400


def test_a_note_is_needed(stack: Stack, dana: httpx.Client) -> None:
    before = abort_request(stack, dana)
    [entry] = entries(before)
    path = f"/requests/{before['id']}/cleanup/{entry['entryId']}"
    for body in ({}, {"note": " "}, {"note": "x", "by": "eve"}):
        assert dana.post(path, json=body).status_code == 422
