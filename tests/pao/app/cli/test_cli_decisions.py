"""Decisions about one request on the command line: what is offered, sent, refused and shown."""

import pytest

from tests.pao.app.cli.scripted import (
    FORM,
    REQUEST,
    REQUEST_ID,
    Pao,
    Service,
    answered,
    failed_request,
    refused,
    request,
)

ITEM = "database-postgresql-standard"
SCHEMA = f"/catalog/items/{ITEM}/schema"


def test_the_manual_way_is_offered_where_there_is_one(pao: Pao, service: Service) -> None:
    document = failed_request()
    offer = f"pao request retry {REQUEST_ID} --mode manual"
    service.on("GET", f"/requests/{REQUEST_ID}", answered(document))
    assert offer not in pao("request", "get", REQUEST_ID).stdout
    document["errorContext"]["manualWay"] = True
    assert offer in pao("request", "get", REQUEST_ID).stdout


def test_evidence_is_asked_for_where_only_a_person_can_look(pao: Pao, service: Service) -> None:
    document = failed_request()
    document["error"]["outcomeUnknown"] = True
    service.on("GET", f"/requests/{REQUEST_ID}", answered(document))
    shown = pao("request", "get", REQUEST_ID).stdout
    assert "a retry looks for it first" in shown
    assert "--evidence" not in shown

    document["errorContext"]["suggestedDecision"]["decision"] = "evidence"
    shown = pao("request", "get", REQUEST_ID).stdout
    assert "a retry looks for it first" not in shown
    assert f"pao request retry {REQUEST_ID} --evidence absent --reason" in shown
    assert f"pao request retry {REQUEST_ID} --evidence 'present={{...}}' --reason" in shown


def test_an_approval_that_nothing_waits_for_says_so(pao: Pao, service: Service) -> None:
    service.on("GET", f"/requests/{REQUEST_ID}", answered(request()))
    result = pao("request", "approve", REQUEST_ID, "--reason", "fine")
    assert result.exit_code == 1
    assert "no action waits for an approval; the request is completed" in result.stderr


def test_a_retry_sends_corrected_fields_and_the_reason(pao: Pao, service: Service) -> None:
    service.on("GET", SCHEMA, FORM)
    service.on("GET", REQUEST, failed_request(attempt=2))
    change = {"storageSize": {"old": 20, "new": 30}}
    decided = {"decision": "retry", "by": "dev", "reason": "larger", "accepted": True}
    moment = {"at": "2026-03-01T10:00:00Z", "changes": change}
    service.on("POST", f"{REQUEST}/retry", request(decisions=[decided | moment]))

    result = pao("request", "retry", REQUEST_ID, "-r", "larger", "-f", "storageSize=30")

    assert result.exit_code == 0
    [call] = service.calls_of("POST", f"{REQUEST}/retry")
    assert call.body == {"reason": "larger", "fields": {"storageSize": 30}, "attempt": 2}
    assert "idempotency-key" in call.headers
    assert "storageSize: 20 -> 30" in result.stdout


def test_a_retry_sends_what_a_person_consents_to_and_has_seen(pao: Pao, service: Service) -> None:
    service.on("GET", REQUEST, failed_request(attempt=4))
    service.on("POST", f"{REQUEST}/retry", request())
    given = ["--unset", "note", "--revise", "--leave-behind", "--accept-used", "--attempt", "3"]
    seen = ["--evidence", 'present={"id": "7"}']

    assert pao("request", "retry", REQUEST_ID, "-r", "x", *given, *seen).exit_code == 0

    [call] = service.calls_of("POST", f"{REQUEST}/retry")
    assert call.body == {
        "reason": "x",
        "fields": {"note": None},
        "mode": "revise",
        "leaveBehind": True,
        "acceptUsed": True,
        "evidence": {"present": True, "outputs": {"id": "7"}},
        "attempt": 3,
    }


@pytest.mark.parametrize(
    "given",
    [
        ["--evidence", "perhaps"],
        ["--evidence", "absent={}"],
        ["--evidence", "present=[1]"],
        ["--evidence", "present={"],
        ["--revise", "--mode", "manual"],
    ],
)
def test_a_retry_that_contradicts_itself_is_not_sent(
    pao: Pao, service: Service, given: list[str]
) -> None:
    assert pao("request", "retry", REQUEST_ID, "-r", "x", *given).exit_code == 2
    assert service.calls == []


def test_a_retry_that_fails_again_exits_with_1(pao: Pao, service: Service) -> None:
    service.on("GET", REQUEST, failed_request())
    service.on("POST", f"{REQUEST}/retry", failed_request())

    assert pao("request", "retry", REQUEST_ID, "--reason", "x").exit_code == 1


def test_a_decision_needs_a_reason(pao: Pao, service: Service) -> None:
    for decision in ("retry", "abort", "escalate"):
        assert pao("request", decision, REQUEST_ID).exit_code == 2
    assert service.calls == []


def test_a_decision_that_the_state_forbids_exits_with_1(pao: Pao, service: Service) -> None:
    conflict = refused(409, "INVALID_STATE_TRANSITION", "The request is completed.")
    service.on("GET", REQUEST, failed_request())
    service.on("POST", f"{REQUEST}/abort", conflict)

    result = pao("request", "abort", REQUEST_ID, "--reason", "x")

    assert result.exit_code == 1
    assert "The request is completed." in result.stderr


def test_an_escalation_shows_its_ticket(pao: Pao, service: Service) -> None:
    ticket = {"ticketKey": "ORCHESTRATION-1", "url": "https://jira.example.com/browse/O-1"}
    service.on("GET", REQUEST, failed_request())
    service.on("POST", f"{REQUEST}/escalate", request("escalated", escalation=ticket))

    result = pao("request", "escalate", REQUEST_ID, "--reason", "x")

    assert result.exit_code == 0
    assert "Escalated as ORCHESTRATION-1" in result.stdout


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [("found", "a retry adopts it"), ("absent", "a retry does it"), ("unknown", "timed out")],
)
def test_a_look_says_what_a_retry_would_do(
    pao: Pao, service: Service, answer: str, sentence: str
) -> None:
    document = {"answer": answer, "reason": "timed out" if answer == "unknown" else None}
    service.on("POST", f"{REQUEST}/look", document)

    assert sentence in pao("request", "look", REQUEST_ID).stdout


def test_what_was_left_behind_is_shown(pao: Pao, service: Service) -> None:
    left = {"action": "host", "type": "jira-ticket", "id": "DB-1", "instructions": "Close DB-1."}
    service.on("GET", REQUEST, request(leftBehind=[left]))

    result = pao("request", "get", REQUEST_ID)

    assert "left behind by host: jira-ticket DB-1" in result.stdout
    assert "Close DB-1." in result.stdout


def test_a_dry_run_says_why_a_retry_would_be_refused(pao: Pao, service: Service) -> None:
    refusal = {
        "code": "EXISTS_WITH_FORMER_VALUES",
        "message": "It exists.",
        "actionId": "host",
    }
    look = {"actionId": "host", "answer": "found", "wouldAdopt": {"externalReference": "DB-1"}}
    service.on("GET", REQUEST, failed_request())
    service.on("POST", f"{REQUEST}/retry", {"changes": {}, "refusals": [refusal], "looks": [look]})

    result = pao("request", "retry", REQUEST_ID, "-r", "x", "--dry-run")

    assert result.exit_code == 1
    assert "would be refused" in result.stdout
    assert "It exists." in result.stdout
    assert "DB-1" in result.stdout
    assert "adopts" not in result.stdout


def test_what_does_not_follow_a_correction_is_shown(pao: Pao, service: Service) -> None:
    decision = {
        "decision": "retry",
        "by": "dana",
        "accepted": True,
        "outcome": "done",
        "changes": {"a": {"old": "x", "new": "y"}},
        "details": {"outOfStep": {"a": ["one", "two"]}},
    }
    service.on("GET", REQUEST, {**request(), "decisions": [decision]})

    result = pao("request", "get", REQUEST_ID)

    assert "a is inconsistent: one, two used the previous value" in result.stdout


def test_only_what_the_caller_may_decide_is_offered(pao: Pao, service: Service) -> None:
    service.on("GET", REQUEST, failed_request(mayDecide=False))

    shown = pao("request", "get", REQUEST_ID).stdout

    assert "JIRA refused the ticket" in shown
    assert "Others decide about it" in shown
    assert "pao request retry" not in shown
