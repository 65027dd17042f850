"""What the list says of each request, and how it is narrowed and searched."""

import secrets
from typing import Any

import httpx
import pytest

from tests.api.test_api_ticket_status import update
from tests.support.callers import ADA, OLIVER, PRIYA, STRANGER
from tests.support.stack import Stack
from tests.support.submissions import dns_body, error_of, submit, submit_completed, submit_failed


def list_requests(client: httpx.Client, **params: Any) -> dict[str, Any]:
    answer = client.get("/requests", params=params)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def ids(client: httpx.Client, **params: Any) -> set[str]:
    return {row["id"] for row in list_requests(client, **params)["data"]}


def row_of(client: httpx.Client, document: dict[str, Any]) -> dict[str, Any]:
    [row] = list_requests(client, correlationId=document["correlationId"])["data"]
    found: dict[str, Any] = row
    return found


def test_several_values_are_separated_by_commas_or_repeated(
    stack: Stack, dana: httpx.Client
) -> None:
    tag = f"tag-{secrets.token_hex(4)}"
    good = submit(dana, dns_body() | {"metadata": {"tags": [tag, "eu"]}})
    bad = submit_failed(stack, dana)
    both = {good["id"], bad["id"]}
    since = min(good["createdAt"], bad["createdAt"])
    for statuses in ("failed,completed", "failed, completed", ["failed", "completed"]):
        assert ids(dana, status=statuses, since=since) & both == both
    assert ids(dana, status=["failed,aborted", "escalated"], since=since) & both == {bad["id"]}
    assert ids(dana, tag=tag) == ids(dana, tag=[tag, "eu"]) == {good["id"]}
    assert ids(dana, tag=[tag, "us"]) == ids(dana, tag=tag[:-1]) == set()
    assert ids(dana, cause="input", since=since) & both == {bad["id"]}
    assert ids(dana, cause="access,quota", since=since) & both == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "failed,done"),
        ("status", ""),
        ("status", "failed,"),
        ("cause", "weather"),
        ("tag", "a\x00b"),
        ("tag", "x" * 101),
        ("q", "\x00"),
        ("q", "x" * 201),
        ("count", "many"),
    ],
)
def test_a_value_that_is_none_is_refused(dana: httpx.Client, name: str, value: str) -> None:
    answer = dana.get("/requests", params={name: value})
    assert answer.status_code == 400, answer.text
    assert error_of(answer)["details"][0]["field"].startswith(name)


def test_a_request_is_found_by_what_people_remember_of_it(stack: Stack, dana: httpx.Client) -> None:
    tag = f"tag{secrets.token_hex(4)}"
    document = submit(dana, dns_body() | {"metadata": {"tags": [tag]}})
    key = document["actions"][0]["externalReference"]
    for text in (tag, tag[:6], f"dns {tag}", key, key.lower(), document["id"][:8], document["id"]):
        assert document["id"] in ids(dana, q=text), text
        assert document["id"] not in ids(stack.caller(STRANGER), q=text), text
    assert ids(dana, q=document["correlationId"][:13]) == {document["id"]}
    assert ids(dana, q=f"{tag} nothing") == ids(dana, q="?") == set()


def test_a_page_counts_what_matches_when_asked_to(dana: httpx.Client) -> None:
    tag = f"tag-{secrets.token_hex(4)}"
    for _ in range(3):
        submit(dana, dns_body() | {"metadata": {"tags": [tag]}})
    page = list_requests(dana, tag=tag, limit=1, count="true")
    assert (len(page["data"]), page["count"]) == (1, 3)
    assert "count" not in list_requests(dana, tag=tag)


def test_a_row_says_since_when_it_waits_for_whom_and_why(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    row = row_of(dana, document)
    [action] = document["actions"]
    assert row["waitingAction"] == {name: action[name] for name in ("id", "name", "type")}
    assert row["createdAt"] <= row["waitingSince"] <= row["updatedAt"]
    assert row["cause"] == row["error"]["cause"] == "input"
    assert row["suggestion"] == document["errorContext"]["suggestedDecision"]
    assert row["summary"] == f'failed: waits for a decision about "{action["name"]}"'
    for name in ("waitingSince", "waitingAction", "cause", "suggestion", "summary", "title"):
        assert document[name] == row[name]
    # The submitter, the owning team and admins decide; who shares a team only sees.
    for person, may in ((PRIYA, True), (ADA, True), (OLIVER, False)):
        caller = stack.caller(person)
        assert row_of(caller, document)["mayDecide"] is may
        assert caller.get(f"/requests/{document['id']}").json()["mayDecide"] is may
        assert (document["id"] in ids(caller, decidable="me", sort="waiting")) is may
    assert row["mayDecide"] is document["mayDecide"] is True


def test_a_request_that_ends_waits_no_more(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    where = f"/requests/{document['id']}"
    answer = dana.post(f"{where}/abort", json={"reason": "no longer needed"})
    assert answer.status_code == 200, answer.text
    row = row_of(dana, document)
    assert (row["waitingSince"], row["waitingAction"], row["suggestion"]) == (None, None, None)
    assert (row["cause"], row["summary"], row["mayDecide"]) == ("input", "aborted", False)
    assert document["id"] not in ids(dana, sort="waiting", since=document["createdAt"])


def test_a_completed_request_says_who_has_its_ticket(stack: Stack, dana: httpx.Client) -> None:
    document = submit_completed(dana)
    key = document["actions"][0]["externalReference"]
    where = f"/requests/{document['id']}"
    assert document["summary"] == f"completed: {key} was created for the network team"
    told = dana.get(f"{where}/status").json()["summary"]
    assert told == f"completed: {key} is with the network team (To Do)"
    stack.run(update(stack))
    assert row_of(dana, document)["summary"] == told
    stack.jira.move(key, "Done")
    assert dana.get(f"{where}/status").json()["summary"] == f"completed: {key} is done (Done)"
    assert dana.get(where).json()["summary"] == told


@pytest.mark.parametrize("text", ["%ff", "%ed%a0%80", "%F0%9F%8D%95", "%27%20%26%20%7C", "%5C"])
def test_odd_characters_find_nothing_and_break_nothing(dana: httpx.Client, text: str) -> None:
    for name in ("q", "tag"):
        answer = dana.get(f"/requests?{name}={text}")
        assert (answer.status_code, answer.json()["data"]) == (200, [])
