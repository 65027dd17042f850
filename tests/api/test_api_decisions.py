"""Deciding about a failed request over HTTP: retry, abort, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.callers import PRIYA
from tests.support.stack import Stack, wait_until
from tests.support.submissions import (
    add_fault,
    dns_body,
    error_of,
    new_host,
    submit,
    submit_completed,
    submit_failed,
    tickets_of,
)

REASON = {"reason": "a test"}


def decide(
    client: httpx.Client, document: dict[str, Any], kind: str, **changes: Any
) -> httpx.Response:
    headers = changes.pop("headers", {})
    path = f"/requests/{document['id']}/{kind}"
    return client.post(path, json={**REASON, **changes}, headers=headers)


def in_progress(client: httpx.Client) -> dict[str, Any]:
    """Submit a request that waits for its approval, for as long as a test wants."""
    fields = {"purpose": "to have a look at it"}
    body = {"catalogItemId": "access-production-account", "fields": fields}
    request_id = client.post("/requests", json=body).json()["id"]

    def waits() -> dict[str, Any]:
        found: dict[str, Any] = client.get(f"/requests/{request_id}").json()
        return found if found["actions"][0]["status"] == "waiting" else {}

    document = wait_until(waits)
    assert document["status"] == "in_progress"
    return document


def approve(stack: Stack, document: dict[str, Any]) -> None:
    """Let a request go on that waits for its approval, and wait until it is completed."""
    answer = decide(stack.caller(PRIYA), document, "approve", actionId="approval")
    assert answer.status_code in {200, 202}, answer.text
    wait_until_completed(stack.caller(), document)


def wait_until_completed(client: httpx.Client, document: dict[str, Any]) -> None:
    wait_until(lambda: client.get(f"/requests/{document['id']}").json()["status"] == "completed")


def audit(stack: Stack, document: dict[str, Any]) -> list[dict[str, Any]]:
    return stack.rows("select * from audit_logs where request_id = $1 order by id", document["id"])


def test_a_retry_completes_what_had_failed(stack: Stack, dana: httpx.Client) -> None:
    before = submit_failed(stack, dana)
    answer = decide(dana, before, "retry", reason="JIRA is back")
    after = answer.json()

    assert answer.status_code == 200, answer.text
    assert after["status"] == "completed"
    assert after["retrying"] is False
    assert after["error"] is None
    assert after["errorContext"] is None
    assert after["actions"][0]["attempt"] == 2
    assert len(tickets_of(stack, after)) == 1
    [decision] = after["decisions"]
    assert decision["decision"] == "retry"
    assert decision["reason"] == "JIRA is back"
    assert decision["accepted"] is True
    assert decision["outcome"] == "done"
    assert dana.get(f"/requests/{before['id']}").json() == after


def test_a_retry_that_fails_again_can_be_retried_again(stack: Stack, dana: httpx.Client) -> None:
    host = new_host()
    add_fault(stack, host, "status", status=500, times=2)
    before = submit(dana, dns_body(host))
    again = decide(dana, before, "retry")
    assert again.status_code == 200
    assert again.json()["status"] == "failed"
    assert again.json()["actions"][0]["attempt"] == 2
    assert decide(dana, before, "retry").json()["status"] == "completed"


def test_a_retry_adopts_the_ticket_that_a_cut_line_hid(stack: Stack, dana: httpx.Client) -> None:
    before = submit_failed(stack, dana, "cut-after")
    [ticket] = tickets_of(stack, before)
    after = decide(dana, before, "retry").json()
    assert after["status"] == "completed"
    assert after["actions"][0]["adopted"] is True
    assert after["actions"][0]["externalReference"] == ticket["key"]
    assert len(tickets_of(stack, after)) == 1


def test_an_abort_ends_the_request_and_keeps_why(stack: Stack, dana: httpx.Client) -> None:
    before = submit_failed(stack, dana)
    answer = decide(dana, before, "abort", reason="not needed any more")
    after = answer.json()
    assert answer.status_code == 200
    assert after["status"] == "aborted"
    assert after["possibleDecisions"] == []
    assert after["decisions"][0]["reason"] == "not needed any more"
    lines = audit(stack, before)
    assert {"dana"} <= {line["actor"] for line in lines}
    assert "not needed any more" in {line["reason"] for line in lines}
    assert {str(line["correlation_id"]) for line in lines} == {before["correlationId"]}


@pytest.mark.parametrize("kind", ["retry", "abort", "escalate"])
@pytest.mark.parametrize("state", ["completed", "aborted", "escalated"])
def test_what_has_ended_is_not_decided_about(
    stack: Stack, dana: httpx.Client, kind: str, state: str
) -> None:
    document = submit_completed(dana) if state == "completed" else submit_failed(stack, dana)
    if state != "completed":
        decide(dana, document, {"aborted": "abort", "escalated": "escalate"}[state])
    answer = decide(dana, document, kind)
    found = error_of(answer)
    assert answer.status_code == 409
    assert found["code"] == "INVALID_STATE_TRANSITION"
    assert state in found["message"]
    assert "nothing" in found["message"]
    assert dana.get(f"/requests/{document['id']}").json()["status"] == state


def test_what_is_in_progress_is_not_decided_about(stack: Stack, dana: httpx.Client) -> None:
    document = in_progress(dana)
    for kind in ("retry", "abort", "escalate"):
        answer = decide(dana, document, kind)
        assert answer.status_code == 409, answer.text
        assert "in_progress" in error_of(answer)["message"]
    approve(stack, document)


def wait_until_settled(dana: httpx.Client, document: dict[str, Any]) -> dict[str, Any]:
    """Wait until no decision is being carried out any more."""

    def there() -> dict[str, Any] | None:
        found: dict[str, Any] = dana.get(f"/requests/{document['id']}").json()
        return None if found["retrying"] or found["status"] == "in_progress" else found

    found = wait_until(there)
    assert found is not None
    return found


def test_of_two_decisions_at_once_one_wins(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    add_fault(stack, document["fields"]["hostName"], "slow", seconds=3.0)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda kind: decide(dana, document, kind), ["retry", "abort"]))
    won, lost = sorted(answer.status_code for answer in answers)
    # 202: a busy machine has not carried it out within the time for an answer.
    assert won in {200, 202}, [answer.text for answer in answers]
    assert lost == 409, [answer.text for answer in answers]
    after = wait_until_settled(dana, document)
    assert sorted(one["accepted"] for one in after["decisions"]) in ([True], [False, True])
    assert len(tickets_of(stack, after)) == (1 if after["status"] == "completed" else 0)


def test_of_ten_retries_at_once_one_is_carried_out(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    add_fault(stack, document["fields"]["hostName"], "slow", seconds=3.0)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: decide(dana, document, "retry"), range(10)))
    won, *lost = sorted(answer.status_code for answer in answers)
    assert won in {200, 202}, [answer.text for answer in answers]
    assert lost == [409] * 9, [answer.text for answer in answers]
    after = wait_until_settled(dana, document)
    assert len(tickets_of(stack, document)) == 1
    assert [one["accepted"] for one in after["decisions"]].count(True) == 1


def test_a_decision_while_another_is_carried_out_is_refused(hasty_stack: Stack) -> None:
    dana = hasty_stack.caller()
    document = submit_failed(hasty_stack, dana)
    add_fault(hasty_stack, document["fields"]["hostName"], "slow", seconds=4.0)
    first = decide(dana, document, "retry")
    second = decide(dana, document, "abort")
    assert first.status_code == 202
    assert first.json()["retrying"] is True
    assert first.json()["status"] == "failed"
    assert first.json()["possibleDecisions"] == ["cancel"]
    assert second.status_code == 409
    assert error_of(second)["code"] == "INVALID_STATE_TRANSITION"
    wait_until_completed(dana, document)


@pytest.mark.parametrize("kind", ["retry", "abort", "escalate"])
def test_a_repeated_decision_is_told_the_first_ones_outcome(
    stack: Stack, dana: httpx.Client, kind: str
) -> None:
    document = submit_failed(stack, dana)
    key = {"Idempotency-Key": new_host()}
    first = decide(dana, document, kind, headers=key)
    again = decide(dana, document, kind, headers=key)
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert len(again.json()["decisions"]) == 1


@pytest.mark.parametrize("kind", ["retry", "abort", "escalate"])
def test_the_same_key_with_another_body_decides_nothing_more(
    stack: Stack, dana: httpx.Client, kind: str
) -> None:
    document = submit_failed(stack, dana)
    key = {"Idempotency-Key": new_host()}
    first = decide(dana, document, kind, headers=key)
    other = decide(dana, document, kind, headers=key, reason="another one")
    assert (first.status_code, other.status_code) == (200, 409), other.text
    assert error_of(other)["code"] == "IDEMPOTENCY_CONFLICT"
    assert dana.get(f"/requests/{document['id']}").json() == first.json()


def test_a_key_is_for_one_kind_of_decision_about_one_request(
    stack: Stack, dana: httpx.Client
) -> None:
    host = new_host()
    add_fault(stack, host, "status", status=500, times=2)
    first, other = submit(dana, dns_body(host)), submit_failed(stack, dana)
    key = {"Idempotency-Key": "k" * 255}
    answers = [
        decide(dana, first, "retry", headers=key),
        decide(dana, first, "abort", headers=key, reason="another one"),
        decide(dana, other, "abort", headers=key, reason="a third one"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert all("Idempotency-Replayed" not in answer.headers for answer in answers)


def test_a_refused_correction_does_not_use_its_key_up(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    key = {"Idempotency-Key": new_host()}
    wrong = decide(dana, document, "retry", headers=key, fields={"ttl": "long"})
    right = decide(dana, document, "retry", headers=key, fields={"ttl": 600})
    assert (wrong.status_code, right.status_code) == (422, 200), right.text


def test_a_repeated_decision_that_was_refused_stays_refused(
    stack: Stack, dana: httpx.Client
) -> None:
    key = {"Idempotency-Key": new_host()}
    document = in_progress(dana)
    first = decide(dana, document, "retry", headers=key)
    approve(stack, document)
    again = decide(dana, document, "retry", headers=key)
    assert (first.status_code, again.status_code) == (409, 409)


def test_parallel_repeats_of_a_decision_are_one_decision(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    key = {"Idempotency-Key": new_host()}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: decide(dana, document, "retry", headers=key), range(8)))
    assert {answer.status_code for answer in answers} == {200}, [one.text for one in answers]
    assert [one.headers.get("Idempotency-Replayed") for one in answers].count("true") == 7
    after = dana.get(f"/requests/{document['id']}").json()
    assert len(after["decisions"]) == 1
    assert after["actions"][0]["attempt"] == 2


def test_the_same_key_of_another_caller_is_another_decision(
    stack: Stack, dana: httpx.Client
) -> None:
    document = submit_failed(stack, dana)
    key = {"Idempotency-Key": new_host()}
    assert decide(dana, document, "abort", headers=key).status_code == 200
    assert decide(stack.caller(PRIYA), document, "abort", headers=key).status_code == 409


def test_odd_reasons_are_kept_as_they_are(stack: Stack, dana: httpx.Client) -> None:
    reason = "größer \N{SLICE OF PIZZA} 'quoted\" \\ {{fields.x}} <b>\n{code}"
    after = decide(dana, submit_failed(stack, dana), "abort", reason=reason).json()
    assert after["decisions"][0]["reason"] == reason


def test_a_cancel_ends_what_runs_and_leaves_the_request_to_the_usual_decision(
    hasty_stack: Stack,
) -> None:
    dana, host = hasty_stack.caller(), new_host()
    add_fault(hasty_stack, host, "slow", seconds=30)
    before = dana.post("/requests", json=dns_body(host)).json()
    assert before["possibleDecisions"] == ["cancel"]
    answer = decide(dana, before, "cancel", reason="it hangs")
    assert answer.status_code in {200, 202}, answer.text
    wait_until(lambda: dana.get(f"/requests/{before['id']}").json()["status"] == "failed")
    after = dana.get(f"/requests/{before['id']}").json()
    [told] = after["decisions"]
    assert (told["decision"], told["reason"], told["outcome"]) == ("cancel", "it hangs", "done")
    assert after["error"]["outcomeUnknown"] is True
    assert after["possibleDecisions"] == ["retry", "abort", "escalate"]


def test_a_cancel_is_refused_where_nothing_runs(stack: Stack, dana: httpx.Client) -> None:
    before = submit_failed(stack, dana)
    answer = decide(dana, before, "cancel")
    assert answer.status_code == 409
    assert error_of(answer)["code"] == "INVALID_STATE_TRANSITION"
    assert "nothing is running or waiting" in error_of(answer)["message"]


def test_a_decision_that_no_worker_takes_in_time_is_late(hasty_stack: Stack) -> None:
    dana = hasty_stack.caller()
    document = submit_failed(hasty_stack, dana)
    before = late(hasty_stack)
    hasty_stack.stop_worker()
    try:
        assert decide(dana, document, "abort").status_code == 202
        assert late(hasty_stack) == before + 1
    finally:
        hasty_stack.start_worker()
    wait_until(lambda: dana.get(f"/requests/{document['id']}").json()["status"] == "aborted")


def late(stack: Stack) -> float:
    """Return how many aborts were late so far."""
    [counted] = stack.services.metrics.decisions.labels("abort", "late").collect()
    return sum(one.value for one in counted.samples)
