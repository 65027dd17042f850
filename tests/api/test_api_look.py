"""Looking before a retry, and a request's live status: JIRA is asked now, and changes nothing."""

import json
from typing import Any

import httpx

from api.requests.retry_preview import LOOK_SECONDS
from tests.support.stack import Stack, wait_until
from tests.support.submissions import error_of, submit_completed, submit_failed, tickets_of

SEARCH = {"path": "/search"}


def test_a_look_finds_what_a_cut_line_hid(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana, "cut-after")
    [ticket] = tickets_of(stack, document)
    found = dana.post(f"/requests/{document['id']}/look").json()
    assert found["answer"] == "found"
    assert found["actionId"] == document["actions"][0]["id"]
    assert found["wouldAdopt"]["externalReference"] == ticket["key"]
    assert found["wouldAdopt"]["url"].endswith(f"/browse/{ticket['key']}")
    assert dana.get(f"/requests/{document['id']}").json() == document


def test_a_lost_task_costs_a_look_only_a_part_of_its_time(stack: Stack, dana: httpx.Client) -> None:
    dana.post(f"/requests/{submit_failed(stack, dana)['id']}/look")

    async def allowed() -> list[float]:
        queue = stack.settings.temporal.task_queue
        query = f"WorkflowType = 'LookWorkflow' AND TaskQueue = '{queue}'"
        found = stack.temporal.list_workflows(query)
        looks = [stack.temporal.get_workflow_handle(one.id) async for one in found]
        told = [(await one.describe()).raw_description.execution_config for one in looks]
        return [one.default_workflow_task_timeout.ToTimedelta().total_seconds() for one in told]

    # Temporal's search lags.
    wait_until(lambda: stack.run(allowed()))
    assert max(stack.run(allowed())) * 2 < LOOK_SECONDS


def test_a_look_says_when_there_is_nothing(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    found = dana.post(f"/requests/{document['id']}/look").json()
    assert found["answer"] == "absent"
    assert found["wouldAdopt"] is None
    assert tickets_of(stack, document) == []


def test_a_look_that_jira_does_not_answer_knows_nothing(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    stack.jira.fault("status", status=500, match=SEARCH)
    found = dana.post(f"/requests/{document['id']}/look").json()
    assert found["answer"] == "unknown"
    assert "500" in found["reason"]


def test_a_retry_whose_look_fails_creates_nothing(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana, "cut-after")
    stack.jira.fault("status", status=500, match=SEARCH)
    after = dana.post(f"/requests/{document['id']}/retry", json={"reason": "a test"}).json()
    assert after["status"] == "failed"
    assert len(tickets_of(stack, document)) == 1


def test_a_look_leaves_the_requests_own_history_alone(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    before = json.loads(stack.history(document["id"]))
    dana.post(f"/requests/{document['id']}/look")
    assert json.loads(stack.history(document["id"])) == before


def test_a_look_is_for_what_has_failed(stack: Stack, dana: httpx.Client) -> None:
    answer = dana.post(f"/requests/{submit_completed(dana)['id']}/look")
    assert answer.status_code == 409
    assert error_of(answer)["code"] == "INVALID_STATE_TRANSITION"
    document = submit_failed(stack, dana)
    answer = dana.post(f"/requests/{document['id']}/look", json={"actionId": "other"})
    assert answer.status_code == 422
    assert document["actions"][0]["id"] in error_of(answer)["message"]


def test_the_status_is_that_of_jira_now(stack: Stack, dana: httpx.Client) -> None:
    document = submit_completed(dana)
    key = document["actions"][0]["externalReference"]
    path = f"/requests/{document['id']}/status"

    def live() -> dict[str, Any]:
        [ticket] = dana.get(path).json()["tickets"]
        return ticket if ticket["live"] else {}

    seen = []
    for status in ("To Do", "In Review", "Done", "Won't Do"):
        if status != "To Do":
            stack.jira.move(key, status)
        # A JIRA that answers late on a busy machine is said as not live.
        ticket = wait_until(live)
        assert ticket["error"] is None
        assert ticket["key"] == key
        seen.append((ticket["status"], ticket["statusCategory"], ticket["mapped"]))
    assert [one[0] for one in seen] == ["To Do", "In Review", "Done", "Won't Do"]
    assert [one[1] for one in seen] == ["new", "indeterminate", "done", "done"]


def test_a_jira_that_fails_leaves_the_stored_state(stack: Stack, dana: httpx.Client) -> None:
    document = submit_completed(dana)
    stack.jira.fault("status", status=503, match={"method": "GET"})
    answer = dana.get(f"/requests/{document['id']}/status")
    [ticket] = answer.json()["tickets"]
    assert answer.status_code == 200
    assert ticket["live"] is False
    assert "503" in ticket["error"]
    assert ticket["mappedStatus"] == "completed"
    assert answer.json()["progress"] == {
        "completedActions": 1,
        "totalActions": 1,
        "percentComplete": 100,
    }


def test_a_status_does_not_wait_for_a_jira_that_is_silent(stack: Stack, dana: httpx.Client) -> None:
    document = submit_completed(dana)
    stack.jira.fault("slow", seconds=30, match={"method": "GET"})
    [ticket] = dana.get(f"/requests/{document['id']}/status").json()["tickets"]
    assert ticket["live"] is False
    assert ticket["error"]


def test_a_failed_request_names_the_action_in_hand(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    status = dana.get(f"/requests/{document['id']}/status").json()
    assert status["status"] == "failed"
    assert status["retrying"] is False
    assert [one["id"] for one in status["currentActions"]] == [document["actions"][0]["id"]]
    assert status["tickets"] == []
    assert status["progress"]["percentComplete"] == 0


def test_the_log_is_paged_oldest_first_without_loss(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    dana.post(f"/requests/{document['id']}/retry", json={"reason": "a test"})
    path = f"/requests/{document['id']}/logs"
    whole = dana.get(path).json()["data"]
    paged: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = dana.get(path, params={"limit": "1", **cursor}).json()
        paged += page["data"]
        if not page["pagination"]["hasMore"]:
            break
        cursor = {"cursor": page["pagination"]["nextCursor"]}
    assert paged == whole
    assert len(whole) >= 3
    sequences = [line["sequence"] for line in whole]
    assert sequences == sorted(set(sequences))
    assert {"time", "level", "actionId", "attempt", "message", "data"} < set(whole[0])
    other = dana.get(f"/requests/{submit_completed(dana)['id']}/logs", params=cursor)
    assert other.status_code == 400
