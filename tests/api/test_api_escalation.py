"""Escalating over HTTP: a ticket that holds everything, once, however often the line is cut."""

from typing import Any

import httpx

from tests.support.stack import Stack
from tests.support.submissions import error_of, submit_completed, submit_failed, tickets_of


def escalate(client: httpx.Client, document: dict[str, Any]) -> httpx.Response:
    reason = {"reason": "the network team must look"}
    return client.post(f"/requests/{document['id']}/escalate", json=reason)


def strike(stack: Stack, kind: str, **settings: Any) -> None:
    """Put a fault in force for creations of escalation tickets."""
    match = {"method": "POST", "path": "/issue$", "summaryContains": "PAO escalation"}
    stack.jira.fault(kind, match=match, **settings)


def escalations(stack: Stack, document: dict[str, Any]) -> list[dict[str, Any]]:
    found = tickets_of(stack, document)
    return [ticket for ticket in found if ticket["project"] == "ORCHESTRATION"]


def test_an_escalation_makes_a_ticket_that_holds_everything(
    stack: Stack, dana: httpx.Client
) -> None:
    before = submit_failed(stack, dana)
    answer = escalate(dana, before)
    after = answer.json()
    [ticket] = escalations(stack, before)

    assert answer.status_code == 200, answer.text
    assert after["status"] == "escalated"
    assert after["possibleDecisions"] == []
    assert after["escalation"]["ticketKey"] == ticket["key"]
    assert after["escalation"]["escalatedBy"] == "dana"
    assert after["escalation"]["reason"] == "the network team must look"
    assert ticket["fields"]["issuetype"]["name"] == "Incident"
    assert ticket["fields"]["priority"]["name"] == "High"
    text = ticket["description"]
    for part in (before["id"], before["correlationId"], before["fields"]["hostName"], "HTTP 400"):
        assert part in text
    for title in ("h2. Request", "h2. Actions", "h2. Error", "h2. Cleanup", "{code:json}"):
        assert title in text
    assert after["errorContext"] is not None


def test_the_escalation_is_shown_with_its_live_status(stack: Stack, dana: httpx.Client) -> None:
    after = escalate(dana, submit_failed(stack, dana)).json()
    stack.jira.move(after["escalation"]["ticketKey"], "In Review")
    shown = dana.get(f"/requests/{after['id']}/escalation")
    assert shown.status_code == 200
    assert {name: shown.json()[name] for name in after["escalation"]} == after["escalation"]
    assert shown.json()["ticket"]["live"] is True
    assert shown.json()["ticket"]["status"] == "In Review"


def test_what_was_not_escalated_has_no_escalation(stack: Stack, dana: httpx.Client) -> None:
    for document in (submit_completed(dana), submit_failed(stack, dana)):
        answer = dana.get(f"/requests/{document['id']}/escalation")
        assert answer.status_code == 404
        assert error_of(answer)["code"] == "NOT_FOUND"
        assert document["status"] in error_of(answer)["message"]


def test_without_jira_the_request_stays_failed_and_can_be_decided_again(
    stack: Stack, dana: httpx.Client
) -> None:
    before = submit_failed(stack, dana)
    strike(stack, "status", status=503)
    refused = escalate(dana, before)
    between = dana.get(f"/requests/{before['id']}").json()

    assert refused.status_code == 502
    assert error_of(refused)["code"] == "EXTERNAL_SERVICE_ERROR"
    assert between["status"] == "failed"
    assert between["possibleDecisions"] == ["retry", "abort", "escalate"]
    assert between["decisions"][0]["accepted"] is True
    assert between["decisions"][0]["outcome"] == "failed"
    assert between["error"] == before["error"]

    again = escalate(dana, before)
    assert again.status_code == 200, again.text
    assert again.json()["status"] == "escalated"
    assert len(escalations(stack, before)) == 1


def test_a_cut_line_makes_no_second_escalation_ticket(stack: Stack, dana: httpx.Client) -> None:
    before = submit_failed(stack, dana)
    strike(stack, "cut-after")
    refused = escalate(dana, before)
    [ticket] = escalations(stack, before)
    again = escalate(dana, before)
    assert (refused.status_code, again.status_code) == (502, 200)
    assert again.json()["escalation"]["ticketKey"] == ticket["key"]
    assert len(escalations(stack, before)) == 1


def test_a_failed_escalation_does_not_stand_in_the_way_of_a_retry(
    stack: Stack, dana: httpx.Client
) -> None:
    before = submit_failed(stack, dana)
    strike(stack, "status", status=503)
    assert escalate(dana, before).status_code == 502
    answer = dana.post(f"/requests/{before['id']}/retry", json={"reason": "try this"})
    assert answer.json()["status"] == "completed"
