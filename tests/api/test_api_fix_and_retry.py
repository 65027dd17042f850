"""Corrected fields after a ticket was made whose answer was lost; over HTTP."""

from typing import Any

import httpx

from tests.support.stack import Stack
from tests.support.submissions import error_of, new_host, submit_failed, tickets_of


def in_doubt(stack: Stack, client: httpx.Client) -> dict[str, Any]:
    """Return a request whose ticket was made, and nobody was told."""
    document = submit_failed(stack, client, "cut-after")
    assert document["actions"][0]["outcomeUnknown"], document
    return document


def retry(client: httpx.Client, document: dict[str, Any], **body: Any) -> httpx.Response:
    return client.post(f"/requests/{document['id']}/retry", json={"reason": "corrected", **body})


def test_what_exists_with_former_values_is_named_and_not_called_corrected(
    stack: Stack, dana: httpx.Client
) -> None:
    before = in_doubt(stack, dana)
    [made] = tickets_of(stack, before)
    answer = retry(dana, before, fields={"hostName": new_host()})
    found = error_of(answer)
    assert (answer.status_code, found["code"]) == (409, "EXISTS_WITH_FORMER_VALUES")
    assert made["key"] in found["message"]
    after = dana.get(f"/requests/{before['id']}").json()
    assert (after["status"], after["fields"]) == ("failed", before["fields"])
    assert after["decisions"][0]["code"] == "EXISTS_WITH_FORMER_VALUES"

    adopted = retry(dana, before).json()
    assert (adopted["status"], adopted["fields"]) == ("completed", before["fields"])
    assert len(tickets_of(stack, before)) == 1


def test_a_revision_changes_the_ticket_and_says_so(stack: Stack, dana: httpx.Client) -> None:
    before, host = in_doubt(stack, dana), new_host()
    after = retry(dana, before, fields={"hostName": host}, mode="revise").json()
    [ticket] = tickets_of(stack, before)
    assert after["status"] == "completed", after["error"]
    assert (after["fields"]["hostName"], ticket["summary"]) == (host, f"DNS A {host}")


def test_a_dry_run_looks_and_says_what_would_be_refused(stack: Stack, dana: httpx.Client) -> None:
    before = in_doubt(stack, dana)
    [made] = tickets_of(stack, before)
    shown = retry(dana, before, fields={"hostName": new_host()}, dryRun=True).json()
    assert [one["answer"] for one in shown["looks"]] == ["found"]
    assert shown["looks"][0]["wouldAdopt"]["externalReference"] == made["key"]
    assert [one["code"] for one in shown["refusals"]] == ["EXISTS_WITH_FORMER_VALUES"]
    unchanged = retry(dana, before, dryRun=True).json()
    assert unchanged["refusals"] == []
    assert dana.get(f"/requests/{before['id']}").json() == before
    looked = dana.post(f"/requests/{before['id']}/look").json()
    assert looked["wouldAdopt"]["externalReference"] == made["key"]


def test_a_decision_upon_another_attempt_is_a_conflict(stack: Stack, dana: httpx.Client) -> None:
    before = in_doubt(stack, dana)
    assert before["attempt"] == 1
    answer = retry(dana, before, attempt=7)
    assert (answer.status_code, error_of(answer)["code"]) == (409, "INVALID_STATE_TRANSITION")
    assert "attempt 7" in error_of(answer)["message"]
    assert "attempt 1" in error_of(answer)["message"]
    assert retry(dana, before, attempt=1).json()["status"] == "completed"


def test_evidence_is_read_strictly(stack: Stack, dana: httpx.Client) -> None:
    before = in_doubt(stack, dana)
    for wrong in ("there", {"present": "yes"}, {"present": True, "colour": 1}):
        assert retry(dana, before, evidence=wrong).status_code == 422
    answer = retry(dana, before, evidence={"present": True, "outputs": {"key": "NET-1"}})
    assert answer.status_code == 409
    assert "lack id, url" in error_of(answer)["message"]
    outputs = {"key": "NET-1", "id": "1", "url": "https://jira.example.com/browse/NET-1"}
    after = retry(dana, before, evidence={"present": True, "outputs": outputs}).json()
    assert after["status"] == "completed"
    assert after["actions"][0]["externalReference"] == "NET-1"
    assert after["decisions"][-1]["details"]["evidence"]["present"] is True
    assert after["leftBehind"] == []


def test_a_dry_run_says_what_is_objected_to_before_anything_is_looked_for(
    stack: Stack, dana: httpx.Client
) -> None:
    before = in_doubt(stack, dana)
    host = new_host()

    def objections(**body: Any) -> str:
        shown = retry(dana, before, dryRun=True, **body).json()
        return " ".join(one["message"] for one in shown["refusals"])

    assert "attempt 7" in objections(attempt=7)
    assert "no manual way" in objections(mode="manual")
    assert "there are: record" in objections(evidence={"present": False, "actionId": "other"})
    assert "without corrected fields" in objections(
        evidence={"present": True}, fields={"hostName": host}
    )
    # Whoever has looked need not have the target asked: the correction is free.
    assert objections(evidence={"present": False}, fields={"hostName": host}) == ""


def test_a_dry_run_checks_the_outputs_of_evidence_as_the_decision_does(
    stack: Stack, dana: httpx.Client
) -> None:
    before = in_doubt(stack, dana)
    outputs = {"key": "NET-1", "id": "1", "url": "https://jira.example.com/browse/NET-1"}
    found: list[list[dict[str, Any]]] = []
    for seen in ({"key": "NET-1"}, outputs):
        evidence = {"present": True, "outputs": seen}
        found.append(retry(dana, before, evidence=evidence, dryRun=True).json()["refusals"])
    [[refusal], accepted] = found
    assert "lack id, url" in refusal["message"]
    assert accepted == []
    assert dana.get(f"/requests/{before['id']}").json() == before
    decided = retry(dana, before, evidence={"present": True, "outputs": {"key": "NET-1"}})
    assert refusal["message"] in error_of(decided)["message"]
