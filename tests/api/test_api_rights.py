"""Who sees and who decides: what a caller may not see does not exist for them."""

from uuid import uuid4

import httpx
import pytest

from tests.support.callers import ADA, DANA, OLIVER, PRIYA, STRANGER, Person
from tests.support.stack import Stack
from tests.support.submissions import error_of, submit_completed, submit_failed

REASON = {"reason": "a test"}
ROUTES = [
    ("GET", "", None),
    ("GET", "/status", None),
    ("GET", "/logs", None),
    ("GET", "/events", None),
    ("GET", "/escalation", None),
    ("POST", "/look", None),
    ("POST", "/retry", REASON),
    ("POST", "/retry", {**REASON, "dryRun": True}),
    ("POST", "/retry", {**REASON, "fields": {"ttl": 1}}),
    ("POST", "/abort", REASON),
    ("POST", "/cancel", REASON),
    ("POST", "/escalate", REASON),
    ("POST", "/approve", {**REASON, "actionId": "jira-ticket-1"}),
    ("POST", "/reject", {**REASON, "actionId": "jira-ticket-1"}),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_a_request_of_others_is_not_found_on_any_route(
    stack: Stack, method: str, path: str, body: dict[str, object] | None
) -> None:
    theirs = submit_failed(stack, stack.caller(DANA))["id"]
    nobodys = str(uuid4())
    answers = [
        stack.caller(STRANGER).request(method, f"/requests/{which}{path}", json=body)
        for which in (theirs, nobodys)
    ]
    told = [error_of(answer) for answer in answers]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert [one["code"] for one in told] == ["REQUEST_NOT_FOUND"] * 2
    assert told[0]["message"].replace(theirs, nobodys) == told[1]["message"]


def test_requests_of_others_are_not_listed(stack: Stack) -> None:
    document = submit_completed(stack.caller(DANA))
    wanted = {"correlationId": document["correlationId"]}
    seen = {
        person.name: len(stack.caller(person).get("/requests", params=wanted).json()["data"])
        for person in (DANA, OLIVER, PRIYA, ADA, STRANGER)
    }
    assert seen == {"dana": 1, "oliver": 1, "priya": 1, "ada": 1, "steve": 0}


def test_filters_do_not_widen_what_is_seen(stack: Stack) -> None:
    submit_completed(stack.caller(DANA))
    for wanted in ({"userId": "dana"}, {"team": "team-orders"}, {"team": "team-network"}):
        answer = stack.caller(STRANGER).get("/requests", params=wanted)
        assert answer.json()["data"] == []


@pytest.mark.parametrize("person", [OLIVER, PRIYA, ADA], ids=lambda person: person.name)
def test_team_mates_owners_and_admins_see_everything_but_no_secret(
    stack: Stack, person: Person
) -> None:
    document = submit_completed(stack.caller(DANA))
    assert stack.caller(person).get(f"/requests/{document['id']}").json() == document


def test_a_team_mate_sees_but_does_not_decide(stack: Stack) -> None:
    document = submit_failed(stack, stack.caller(DANA))
    for path in ("retry", "abort", "escalate"):
        answer = stack.caller(OLIVER).post(f"/requests/{document['id']}/{path}", json=REASON)
        assert answer.status_code == 403
        assert error_of(answer)["code"] == "FORBIDDEN"
    assert stack.caller(OLIVER).post(f"/requests/{document['id']}/look").status_code == 403
    assert stack.caller(DANA).get(f"/requests/{document['id']}").json()["decisions"] == []


@pytest.mark.parametrize("person", [DANA, PRIYA, ADA], ids=lambda person: person.name)
def test_submitters_owners_and_admins_decide_in_their_own_name(
    stack: Stack, person: Person
) -> None:
    document = submit_failed(stack, stack.caller(DANA))
    client = stack.caller(person)
    answer = client.post(f"/requests/{document['id']}/abort", json=REASON)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "aborted"
    [decision] = answer.json()["decisions"]
    assert decision["by"] == person.name
    assert decision["via"] == "api"


def test_what_i_may_decide_is_listed(stack: Stack, dana: httpx.Client) -> None:
    mine = submit_failed(stack, dana)
    wanted = {"decidable": "me", "correlationId": mine["correlationId"]}
    seen = {
        person.name: len(stack.caller(person).get("/requests", params=wanted).json()["data"])
        for person in (DANA, OLIVER, PRIYA, ADA, STRANGER)
    }
    assert seen == {"dana": 1, "oliver": 0, "priya": 1, "ada": 1, "steve": 0}
    done = submit_completed(dana)["correlationId"]
    assert (
        dana.get("/requests", params={"decidable": "me", "correlationId": done}).json()["data"]
        == []
    )


@pytest.mark.parametrize("path", ["x", "1", "..%2f", "00000000-0000-4000-8000-00000000000g"])
def test_an_id_that_is_no_uuid_is_refused(dana: httpx.Client, path: str) -> None:
    answer = dana.get(f"/requests/{path}")
    assert answer.status_code in {400, 404}
    assert error_of(answer)["code"] in {"VALIDATION_ERROR", "NOT_FOUND", "REQUEST_NOT_FOUND"}
