"""Retry with corrected fields: checked before anything is decided, kept as a diff."""

from typing import Any

import httpx

from tests.support.callers import DANA
from tests.support.stack import Stack
from tests.support.submissions import (
    add_fault,
    error_of,
    new_host,
    submit,
    submit_failed,
    tickets_of,
)

SECRET = "secret-vault-static"


def retry(client: httpx.Client, document: dict[str, Any], **body: Any) -> httpx.Response:
    path = f"/requests/{document['id']}/retry"
    return client.post(path, json={"reason": "corrected", **body})


def test_corrected_fields_go_into_the_ticket_and_are_kept_as_a_diff(
    stack: Stack, dana: httpx.Client
) -> None:
    before = submit_failed(stack, dana)
    host = new_host()
    answer = retry(dana, before, fields={"hostName": host, "ttl": 600})
    after = answer.json()
    [ticket] = tickets_of(stack, after)

    assert answer.status_code == 200, answer.text
    assert after["status"] == "completed"
    assert after["fields"] == {**before["fields"], "hostName": host, "ttl": 600}
    assert ticket["summary"] == f"DNS A {host}"
    assert after["decisions"][0]["changes"] == {
        "hostName": {"old": before["fields"]["hostName"], "new": host},
        "ttl": {"old": 300, "new": 600},
    }
    audited = stack.rows(
        "select event_type, event_data from audit_logs where request_id = $1", before["id"]
    )
    kept = [line["event_data"].get("changes") for line in audited]
    assert after["decisions"][0]["changes"] in kept


def test_invalid_corrections_decide_nothing(stack: Stack, dana: httpx.Client) -> None:
    before = submit_failed(stack, dana)
    answer = retry(
        dana, before, fields={"hostName": "not a host", "ttl": "long", "colour": 1, "address": None}
    )
    found = error_of(answer)
    assert answer.status_code == 422
    assert found["code"] == "VALIDATION_ERROR"
    assert {detail["field"] for detail in found["details"]} == {
        "fields.hostName",
        "fields.ttl",
        "fields.colour",
        "fields.address",
    }
    assert dana.get(f"/requests/{before['id']}").json() == before


def test_a_correction_may_take_a_value_away_and_change_what_is_asked_for(
    stack: Stack, dana: httpx.Client
) -> None:
    before = submit_failed(stack, dana)
    fields = {"recordType": "CNAME", "canonicalName": "other.example.com", "address": None}
    after = retry(dana, before, fields=fields).json()
    assert after["status"] == "completed", after
    assert "address" not in after["fields"]
    assert after["fields"]["canonicalName"] == "other.example.com"


def test_a_dry_run_shows_changes_and_calls_and_decides_nothing(
    stack: Stack, dana: httpx.Client
) -> None:
    before = submit_failed(stack, dana)
    host = new_host()
    answer = retry(dana, before, fields={"hostName": host}, dryRun=True)
    shown = answer.json()
    assert answer.status_code == 200
    assert shown["dryRun"] is True
    assert shown["changes"] == {"hostName": {"old": before["fields"]["hostName"], "new": host}}
    assert shown["actions"][0]["config"]["ticket"]["summaryTemplate"] == f"DNS A {host}"
    assert dana.get(f"/requests/{before['id']}").json() == before
    assert tickets_of(stack, before) == []


def test_a_dry_run_names_what_is_wrong(stack: Stack, dana: httpx.Client) -> None:
    before = submit_failed(stack, dana)
    answer = retry(dana, before, fields={"ttl": 0}, dryRun=True)
    assert answer.status_code == 422
    assert error_of(answer)["details"][0]["field"] == "fields.ttl"


def test_a_key_in_snake_case_is_refused_and_decides_nothing(
    stack: Stack, dana: httpx.Client
) -> None:
    before = submit_failed(stack, dana)
    answer = retry(dana, before, dry_run=True)
    assert answer.status_code == 422, answer.text
    assert error_of(answer)["details"][0]["field"] == "dry_run"
    assert dana.get(f"/requests/{before['id']}").json() == before


def test_a_dry_run_of_what_has_ended_is_refused(stack: Stack, dana: httpx.Client) -> None:
    before = submit_failed(stack, dana)
    retry(dana, before)
    answer = retry(dana, before, dryRun=True)
    assert answer.status_code == 409
    assert "completed" in error_of(answer)["message"]


def test_a_corrected_password_is_sealed_and_shown_to_nobody(stack: Stack) -> None:
    dana, path = stack.caller(DANA), f"orders/{new_host().partition('.')[0]}"
    first, second = "First-Sentinel-Passw0rd", "Second-Sentinel-Passw0rd"
    add_fault(stack, path, "status", status=400)
    fields = {"secretPath": path, "secretValue": first}
    before = submit(dana, {"catalogItemId": SECRET, "fields": fields})
    assert before["status"] == "failed"
    shown = retry(dana, before, fields={"secretValue": second}, dryRun=True)
    answer = retry(dana, before, fields={"secretValue": second})
    assert answer.json()["status"] == "completed", answer.text
    assert answer.json()["decisions"][0]["changes"] == {
        "secretValue": {"old": "********", "new": "********"}
    }
    for text in (shown.text, answer.text, stack.history(before["id"])):
        assert first not in text
        assert second not in text
