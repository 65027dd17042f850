"""Submitting over HTTP: what a caller is answered, and what is true at that moment."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.requests.schemas import Submission
from tests.support.stack import Stack, wait_until
from tests.support.submissions import add_fault, dns_body, error_of, new_host, submit, tickets_of


def test_a_submission_is_answered_with_the_key_and_page_of_its_ticket(
    stack: Stack, dana: httpx.Client
) -> None:
    host = new_host()
    answer = dana.post("/requests", json=dns_body(host))
    document = answer.json()
    [ticket] = tickets_of(stack, document)
    [action] = document["actions"]

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/requests/{document['id']}"
    assert document["status"] == "completed"
    assert action["externalReference"] == ticket["key"] == action["outputs"]["key"]
    assert action["url"] == f"{stack.jira.url}/browse/{ticket['key']}"
    assert ticket["project"] == "NET"
    assert ticket["summary"] == f"DNS A {host}"


SUBMITTED = {"metadata": {"tags": ["production"], "note": "for the launch"}}
"""What may be submitted beside item and fields: of each field one value."""


def test_what_is_submitted_is_answered(dana: httpx.Client) -> None:
    body = dns_body(new_host()) | SUBMITTED
    document = dana.post("/requests", json=body).json()
    for field in Submission.model_fields.values():
        name = str(field.alias)
        assert name in body, f"{name}: add a value to SUBMITTED"
        shown = document[name]
        if name == "fields":
            shown = {key: shown[key] for key in body[name]}
        assert shown == body[name], f"{name}: pass it on in api/requests/preparation.py"


def test_whoever_has_the_answer_finds_the_same_state_in_postgres(
    stack: Stack, dana: httpx.Client
) -> None:
    document = submit(dana)
    [row] = stack.rows(
        "select r.status, a.status action_status, a.external_reference, r.correlation_id"
        " from requests r join request_actions a on a.request_id = r.id where r.id = $1",
        document["id"],
    )
    assert row["status"] == document["status"]
    assert row["action_status"] == document["actions"][0]["status"]
    assert row["external_reference"] == document["actions"][0]["externalReference"]
    assert dana.get(f"/requests/{document['id']}").json() == document


@pytest.mark.parametrize(
    "body",
    [
        dns_body(new_host()) | SUBMITTED,
        dns_body(new_host())
        | {"metadata": {"note": "ä \\u0000 \N{MUSICAL SYMBOL G CLEF}", "tags": ["ß"]}},
        {"catalogItemId": "database-redis-cache", "fields": {"cacheName": "sessions"}},
    ],
    ids=["dns", "odd characters", "another item"],
)
def test_the_answer_is_what_a_reader_reads_then(dana: httpx.Client, body: dict[str, Any]) -> None:
    """It is made without reading the request, but nobody can tell."""
    document = submit(dana, body)
    assert document["status"] == "completed"
    assert dana.get(f"/requests/{document['id']}").json() == document


def test_a_submission_whose_action_failed_is_created_and_says_why(
    stack: Stack, dana: httpx.Client
) -> None:
    host = new_host()
    add_fault(stack, host, "status", status=400, message="Project NET is archived.")
    answer = dana.post("/requests", json=dns_body(host))
    document = answer.json()

    assert answer.status_code == 201
    assert document["status"] == "failed"
    assert document["error"]["code"] == "ACTION_FAILED"
    assert "Project NET is archived." in document["error"]["message"]
    assert document["actions"][0]["error"]["httpStatus"] == 400
    assert document["actions"][0]["outcomeUnknown"] is False
    assert document["possibleDecisions"] == ["retry", "abort", "escalate"]
    assert document["errorContext"]["suggestedDecision"]
    assert tickets_of(stack, document) == []


def test_a_cut_line_is_an_outcome_that_nobody_knows(stack: Stack, dana: httpx.Client) -> None:
    host = new_host()
    add_fault(stack, host, "cut-after")
    document = submit(dana, dns_body(host))

    assert document["status"] == "failed"
    assert document["error"]["code"] == "EXTERNAL_SERVICE_ERROR"
    assert document["error"]["outcomeUnknown"] is True
    assert document["actions"][0]["outcomeUnknown"] is True
    assert len(tickets_of(stack, document)) == 1


def test_a_slow_jira_is_answered_within_the_budget_and_the_request_goes_on(
    hasty_stack: Stack,
) -> None:
    dana, host = hasty_stack.caller(), new_host()
    add_fault(hasty_stack, host, "slow", seconds=1)
    answer = dana.post("/requests", json=dns_body(host))
    document = answer.json()

    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1/requests/{document['id']}"
    assert document["status"] in {"submitted", "in_progress"}

    wait_until(lambda: dana.get(f"/requests/{document['id']}").json()["status"] == "completed")
    assert len(tickets_of(hasty_stack, document)) == 1


def test_the_link_to_the_workflow_leads_to_it(stack: Stack, dana: httpx.Client) -> None:
    document = submit(dana)
    link = document["links"]["workflow"]
    [row] = stack.rows("select run_id from requests where id = $1", document["id"])
    assert link.endswith(f"/workflows/request-{document['id']}/{row['run_id']}/user-metadata")


def test_what_a_caller_notes_about_a_request_is_shown_with_it(dana: httpx.Client) -> None:
    note = {"tags": ["production", "größer"], "note": "for the launch"}
    document = submit(dana, {**dns_body(), "metadata": note})
    assert document["metadata"] == note
    assert document["user"] == {
        "id": "dana",
        "email": "dana@example.com",
        "teams": ["team-orders"],
    }


def test_defaults_are_filled_in_and_shown(dana: httpx.Client) -> None:
    document = submit(dana)
    assert document["fields"]["recordType"] == "A"
    assert document["fields"]["ttl"] == 300


def test_the_correlation_id_of_the_caller_goes_all_the_way_to_the_ticket(
    stack: Stack, dana: httpx.Client
) -> None:
    given = str(uuid4())
    answer = dana.post("/requests", json=dns_body(), headers={"X-Correlation-ID": given})
    document = answer.json()
    [row] = stack.rows("select correlation_id from requests where id = $1", document["id"])
    audited = stack.rows(
        "select distinct correlation_id from audit_logs where request_id = $1", document["id"]
    )

    assert answer.headers["X-Correlation-ID"] == document["correlationId"] == given
    assert str(row["correlation_id"]) == given
    assert [str(line["correlation_id"]) for line in audited] == [given]
    assert len(tickets_of(stack, document)) == 1
    assert (
        dana.get("/requests", params={"correlationId": given}).json()["data"][0]["id"]
        == (document["id"])
    )


@pytest.mark.parametrize("given", ["", "not-a-uuid", "1234", "{" + "a" * 400])
def test_a_correlation_id_that_is_no_uuid_is_replaced(dana: httpx.Client, given: str) -> None:
    answer = dana.post("/requests", json={}, headers={"X-Correlation-ID": given})
    made = answer.headers["X-Correlation-ID"]
    assert made != given
    assert str(UUID(made)) == made == error_of(answer)["correlationId"]


def test_every_answer_carries_a_correlation_id_of_its_own(stack: Stack, dana: httpx.Client) -> None:
    answers = [
        stack.anybody().get("/health"),
        stack.anybody().get("/requests"),
        stack.anybody().get("/nowhere"),
        dana.get("/catalog"),
        dana.get("/nowhere"),
    ]
    assert len({answer.headers["X-Correlation-ID"] for answer in answers}) == len(answers)
