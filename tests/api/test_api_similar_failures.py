"""What earlier failures tell about one like them, and what a retry would change in the calls."""

from typing import Any

import httpx

from tests.support.callers import OLIVER, STRANGER
from tests.support.stack import Stack, wait_until
from tests.support.submissions import dns_body, submit


def submit_failing(stack: Stack, client: httpx.Client) -> dict[str, Any]:
    stack.jira.fault("status", status=429, message="Too many tickets")
    made = submit(client, dns_body())
    stack.jira.clear_faults()
    assert made["cause"] == "quota"
    return made


def similar(client: httpx.Client, request_id: str) -> dict[str, Any]:
    answer = client.get(f"/requests/{request_id}/similar-failures")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_failure_is_told_what_solved_those_like_it(stack: Stack, dana: httpx.Client) -> None:
    before = similar(dana, submit_failing(stack, dana)["id"])
    solved = submit_failing(stack, dana)
    body = {"reason": "The quota was raised.", "fields": {"ttl": 600}}
    assert dana.post(f"/requests/{solved['id']}/retry", json=body).status_code in {200, 202}
    wait_until(
        lambda: dana.get(f"/requests/{solved['id']}").json()["status"] == "completed" or None
    )
    given_up = submit_failing(stack, dana)
    dana.post(f"/requests/{given_up['id']}/abort", json={"reason": "not needed"})
    found = similar(dana, submit_failing(stack, dana)["id"])
    assert (found["actionId"], found["cause"]) == ("record", "quota")
    assert found["count"] == before["count"] + 3
    assert found["solved"] == before["solved"] + 1
    assert found["aborted"] == before["aborted"] + 1
    newest = found["solutions"][0]
    assert newest["requestId"] == solved["id"]
    assert (newest["by"], newest["reason"]) == ("dana", "The quota was raised.")
    assert newest["fields"] == ["ttl"]


def test_a_request_without_a_failure_is_like_none(dana: httpx.Client) -> None:
    found = similar(dana, submit(dana, dns_body())["id"])
    assert (found["actionId"], found["cause"], found["count"]) == (None, None, 0)


def test_only_who_sees_the_request_is_told(stack: Stack, dana: httpx.Client) -> None:
    made = submit_failing(stack, dana)
    assert similar(stack.caller(OLIVER), made["id"])["cause"] == "quota"
    answer = stack.caller(STRANGER).get(f"/requests/{made['id']}/similar-failures")
    assert answer.status_code == 404


def test_a_preview_shows_the_former_call_where_it_differs(stack: Stack, dana: httpx.Client) -> None:
    made = submit_failing(stack, dana)
    body = {"reason": "-", "dryRun": True, "fields": {"hostName": "other.example.com"}}
    (call,) = dana.post(f"/requests/{made['id']}/retry", json=body).json()["actions"]
    new, old = (call[one]["ticket"]["summaryTemplate"] for one in ("config", "former"))
    assert "other.example.com" in new
    assert "other.example.com" not in old
    del body["fields"]
    (call,) = dana.post(f"/requests/{made['id']}/retry", json=body).json()["actions"]
    assert "former" not in call
