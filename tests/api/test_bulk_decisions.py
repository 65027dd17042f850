"""One retry of many requests: stored once, judged one by one, gone on with where it was left."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.auth.principal import Principal, own_user
from api.requests.bulk_decisions import MOST, BulkDecision
from pao.core.errors import PaoError
from tests.support.callers import DANA, PRIYA, Person
from tests.support.stack import Stack, wait_until
from tests.support.submissions import dns_body, submit


def principal(person: Person = DANA) -> Principal:
    return own_user(
        person.name, email=person.email, teams=person.teams, source="link", access_key_id=None
    )


def submit_failing(stack: Stack, dana: httpx.Client, status: int = 503) -> str:
    stack.jira.fault("status", status=status, message="down")
    made = submit(dana, dns_body())
    stack.jira.clear_faults()
    assert made["status"] == "failed"
    return str(made["id"])


def begun(stack: Stack, *requests: str, key: str | None = None, **more: Any) -> BulkDecision:
    given = {"cause": "target-down", "reason": "It is back.", "requests": requests} | more
    work = stack.services.bulk_decisions.begin(
        principal(), decision_id=key or str(uuid4()), **given
    )
    return stack.run(work)


def gone_on(stack: Stack, bulk: BulkDecision) -> BulkDecision:
    return stack.run(stack.services.bulk_decisions.run(principal(), bulk))


def decisions(dana: httpx.Client, request_id: str) -> list[tuple[str, bool]]:
    found = dana.get(f"/requests/{request_id}").json()["decisions"]
    return [(one["decision"], one["accepted"]) for one in found]


def test_what_is_sent_twice_decides_once(stack: Stack, dana: httpx.Client) -> None:
    one, key = submit_failing(stack, dana), str(uuid4())
    bulk = begun(stack, one, key=key)
    assert (bulk.left, bulk.results) == ([one], {})
    assert gone_on(stack, bulk).results == {one: ""}
    wait_until(lambda: dana.get(f"/requests/{one}").json()["status"] == "completed" or None)
    # The form once more, and an answer that was lost before it was stored.
    again = begun(stack, one, key=key, reason="Another reason.")
    assert (again.reason, again.left) == ("It is back.", [])
    assert gone_on(stack, bulk).results == {one: ""}
    assert decisions(dana, one) == [("retry", True)]


def test_each_request_is_judged_by_itself(stack: Stack, dana: httpx.Client) -> None:
    good, other_cause, unseen = (
        submit_failing(stack, dana),
        submit_failing(stack, dana, 400),
        str(uuid4()),
    )
    bulk = gone_on(stack, begun(stack, good, other_cause, unseen))
    assert bulk.results[good] == ""
    assert "for another reason" in bulk.results[other_cause]
    assert "There is no request" in bulk.results[unseen]
    assert decisions(dana, other_cause) == []


def test_who_was_faster_is_named(stack: Stack, dana: httpx.Client) -> None:
    one = submit_failing(stack, dana)
    bulk = begun(stack, one)
    assert dana.post(f"/requests/{one}/abort", json={"reason": "Mine."}).status_code == 200
    said = "Nothing was decided: dana aborted it meanwhile."
    assert gone_on(stack, bulk).results == {one: said}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"requests": []}, "at least one"),
        ({"requests": [str(uuid4()) for _ in range(MOST + 1)]}, "at most 100"),
        ({"cause": "weather", "requests": ["-"]}, "no cause"),
    ],
)
def test_a_bulk_decision_has_bounds(stack: Stack, more: dict[str, Any], says: str) -> None:
    with pytest.raises(PaoError, match=says):
        begun(stack, **more)


def test_it_exists_for_its_maker_only(stack: Stack) -> None:
    bulk = begun(stack, str(uuid4()))
    with pytest.raises(PaoError, match="no such bulk decision"):
        stack.run(stack.services.bulk_decisions.get(principal(PRIYA), bulk.id))


def test_a_retry_that_waits_for_a_worker_is_taken_once(stack: Stack, dana: httpx.Client) -> None:
    one = submit_failing(stack, dana)
    stack.stop_worker()
    try:
        # Nobody answers: the decision is under way, and its outcome open.
        bulk = gone_on(stack, begun(stack, one))
    finally:
        stack.start_worker()
    bulk = gone_on(stack, bulk)
    assert bulk.results == {one: ""}
    wait_until(lambda: dana.get(f"/requests/{one}").json()["status"] == "completed" or None)
    assert decisions(dana, one) == [("retry", True)]
