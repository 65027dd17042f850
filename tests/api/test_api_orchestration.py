"""Items with branches, approvals, a manual way, or an end: submitted, seen and decided by HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pao.app.local.postgres import PostgresAddress
from tests.support.callers import ADA, DANA, OLIVER, PRIYA, STRANGER, Person
from tests.support.postgres import cloned_database
from tests.support.requests import Document, automatic, item, ticket
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import error_of

APPROVAL = {
    "id": "ok",
    "type": "approval",
    "name": "The approval",
    "config": {
        "approvers": {"users": ["dana", "steve@example.com"], "teams": ["team-platform"]},
        "message": "{{fields.title}} is asked for.",
    },
}
HYBRID = automatic(
    ticket("fast", summary="fast: {{fields.title}}"),
    ticket("later", when="fields.size > 5"),
    manual=[ticket("fast", summary="by hand: {{fields.title}}")],
)
GUIDE = "https://wiki.example.com/change-over"


def deprecated_item(sunset: str | None) -> Document:
    document = item()
    notice = {"deprecated": True, "replacement": "hybrid", "migrationGuide": GUIDE}
    document["lifecycle"] = {"deprecation": notice | ({"sunsetDate": sunset} if sunset else {})}
    return document


ITEMS = {
    "approved": item([APPROVAL, ticket("after")]),
    "for-admins": item([{**APPROVAL, "config": {"approvers": {"users": ["ada"]}}}]),
    "hybrid": HYBRID,
    "old": deprecated_item("2099-01-31"),
    "gone": deprecated_item("2020-01-31"),
}


@pytest.fixture(scope="module")
def own(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A PAO that offers these items."""
    folder = tmp_path_factory.mktemp("orchestration")
    catalog = folder / "files" / "things"
    catalog.mkdir(parents=True)
    for name, document in ITEMS.items():
        document["metadata"] = {**document["metadata"], "id": name, "name": name.title()}
        (catalog / f"{name}.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document))))
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder, catalog=folder / "files") as stack,
    ):
        yield stack


def ask(stack: Stack, name: str, *, wait: int | None = None, **fields: Any) -> Any:
    body = {"catalogItemId": name, "fields": {"title": f"a {name}", **fields}}
    headers = {"Prefer": f"wait={wait}"} if wait else None
    return stack.caller(DANA).post("/requests", json=body, headers=headers)


def get(stack: Stack, request_id: str, person: Person = DANA) -> Any:
    return stack.caller(person).get(f"/requests/{request_id}").json()


def waiting(stack: Stack, name: str = "approved") -> str:
    answer = ask(stack, name)
    assert answer.status_code == 202
    request_id = str(answer.json()["id"])
    wait_until(lambda: get(stack, request_id)["actions"][0]["status"] == "waiting")
    return request_id


def vote(stack: Stack, request_id: str, kind: str, person: Person, **body: Any) -> Any:
    given = {"actionId": "ok", "reason": "a test", **body}
    return stack.caller(person).post(f"/requests/{request_id}/{kind}", json=given)


def decidable(stack: Stack, person: Person) -> list[str]:
    listed = stack.caller(person).get("/requests", params={"decidable": "me"}).json()
    return [row["id"] for row in listed["data"]]


def test_an_approver_sees_and_decides_what_waits_for_the_team(own: Stack) -> None:
    request_id = waiting(own)
    assert request_id in decidable(own, PRIYA)
    document = get(own, request_id, PRIYA)
    shown = document["actions"][0]["waiting"]
    assert shown["message"] == "a approved is asked for."
    assert document["waitingAction"] == {
        "id": "ok",
        "name": "The approval",
        "type": "approval",
    }
    assert (document["waitingSince"], document["mayDecide"]) == (shown["since"], True)
    assert document["summary"] == (
        "in progress: waits for approval by dana, steve@example.com or the platform team"
    )
    assert get(own, request_id)["mayDecide"] is False
    listed = own.caller(PRIYA).get("/requests", params={"sort": "waiting"}).json()
    assert request_id in [row["id"] for row in listed["data"]]
    answer = vote(own, request_id, "approve", PRIYA)
    assert answer.status_code == 200, answer.text
    wait_until(lambda: get(own, request_id)["status"] == "completed")
    [done, _] = get(own, request_id)["actions"]
    assert (done["outputs"]["by"], done["outputs"]["reason"]) == ("priya", "a test")
    assert request_id not in decidable(own, PRIYA)
    assert get(own, request_id, PRIYA)["id"] == request_id
    late = vote(own, request_id, "approve", PRIYA)
    assert (late.status_code, error_of(late)["code"]) == (409, "INVALID_STATE_TRANSITION")


def test_an_approver_may_be_named_by_email_and_sees_nothing_else(own: Stack) -> None:
    request_id = waiting(own)
    assert decidable(own, STRANGER) == [request_id]
    answer = vote(own, request_id, "reject", STRANGER)
    assert answer.status_code == 200, answer.text
    wait_until(lambda: get(own, request_id)["status"] == "failed")
    shown = get(own, request_id, STRANGER)
    assert shown["error"]["message"] == "It was rejected by steve: a test"
    late = vote(own, request_id, "approve", STRANGER)
    assert late.status_code == 409
    assert "no longer waits for approval" in error_of(late)["message"]
    refused = own.caller(STRANGER).post(f"/requests/{request_id}/abort", json={"reason": "x"})
    assert refused.status_code == 403


def test_who_is_no_approver_and_who_has_submitted_do_not_decide(own: Stack) -> None:
    request_id = waiting(own)
    for person in (OLIVER, ADA):
        refused = vote(own, request_id, "approve", person)
        assert refused.status_code == 403
        assert "team team-platform" in error_of(refused)["message"]
    assert request_id not in decidable(own, DANA)
    refused = vote(own, request_id, "approve", DANA)
    assert refused.status_code == 409
    assert "cannot decide about their own requests" in error_of(refused)["message"]
    assert get(own, request_id)["decisions"][-1]["outcome"] == "rejected"
    unknown = vote(own, request_id, "approve", PRIYA, actionId="other")
    assert (unknown.status_code, error_of(unknown)["code"]) == (422, "VALIDATION_ERROR")
    assert vote(own, request_id, "reject", PRIYA).status_code == 200


def test_a_hybrid_item_shows_both_ways_and_takes_the_manual_one_when_told(own: Stack) -> None:
    body = {"catalogItemId": "hybrid", "fields": {"title": "both ways"}}
    plan = own.caller(DANA).post("/validate/request", json=body).json()["actions"]
    assert [(one["id"], one["dependsOn"], one["fallback"]) for one in plan] == [
        ("fast", [], False),
        ("later", ["fast"], False),
        ("manual-fast", [], True),
    ]
    own.jira.fault("status", status=400, match={"path": "/issue$", "summaryContains": "fast:"})
    document = ask(own, "hybrid").json()
    assert document["status"] == "failed"
    path = f"/requests/{document['id']}/retry"
    preview = {"reason": "a test", "mode": "manual", "dryRun": True}
    shown = own.caller(DANA).post(path, json=preview).json()["actions"]
    assert [one["id"] for one in shown] == ["manual-fast"]
    answer = own.caller(DANA).post(path, json={"reason": "a test", "mode": "manual"})
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    states = {one["id"]: one["status"] for one in answer.json()["actions"]}
    assert states == {"fast": "skipped", "later": "skipped", "manual-fast": "completed"}


def test_an_admin_finds_approvals_where_asked_and_no_others(own: Stack) -> None:
    others, asked = waiting(own), waiting(own, "for-admins")
    assert asked in decidable(own, ADA)
    assert others not in decidable(own, ADA)
    assert vote(own, others, "approve", ADA).status_code == 403
    narrowed = {"decidable": "me", "team": "team-orders"}
    listed = own.caller(ADA).get("/requests", params=narrowed).json()["data"]
    assert asked in {row["id"] for row in listed}
    assert others not in {row["id"] for row in listed}
    assert vote(own, asked, "approve", ADA).status_code == 200
    assert asked not in decidable(own, ADA)


def test_a_caller_may_wait_for_what_is_slow_by_nature(own: Stack) -> None:
    answer = ask(own, "approved", wait=1)
    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "wait=1"
    assert answer.json()["actions"][0]["status"] == "waiting"


def test_a_deprecated_item_says_so_in_the_answer(own: Stack) -> None:
    answer = ask(own, "old")
    assert answer.status_code == 201
    assert answer.headers["Deprecation"] == "true"
    assert answer.headers["Sunset"] == "Sat, 31 Jan 2099 00:00:00 GMT"
    [warning] = answer.json()["warnings"]
    assert warning == (
        "Old is deprecated and will be withdrawn on 2099-01-31. Use hybrid. "
        f"Migration guide: {GUIDE}"
    )


def test_a_withdrawn_item_is_refused_and_names_its_replacement(own: Stack) -> None:
    answer = ask(own, "gone")
    assert answer.status_code == 422
    assert "Gone was withdrawn on 2020-01-31. Use hybrid." in error_of(answer)["message"]
