"""Passwords: in no row, answer, log line, ticket or history, however a request goes."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.callers import ADA, PEOPLE
from tests.support.stack import Stack
from tests.support.submissions import add_fault, error_of, new_host

ITEM = "secret-vault-static"
SENTINEL = "S3ntinel-Pa55word-of-the-test"
TABLES = "select tablename from pg_tables where schemaname = 'public'"


def body(path: str, secret: str = SENTINEL) -> dict[str, Any]:
    return {"catalogItemId": ITEM, "fields": {"secretPath": path, "secretValue": secret}}


def new_path() -> str:
    return f"orders/{new_host().partition('.')[0]}"


def stored_text(stack: Stack) -> str:
    """Return all rows of all tables as text."""
    names = [row["tablename"] for row in stack.rows(TABLES)]
    assert {"requests", "request_actions", "request_events", "audit_logs"} <= set(names)
    parts = [
        row["line"]
        for name in names
        for row in stack.rows(f"select t::text line from {name} t")  # noqa: S608 -- our own tables
    ]
    return "\n".join(parts)


def answers(client: httpx.Client, document: dict[str, Any]) -> Iterator[str]:
    for path in ("", "/status", "/logs", "/escalation"):
        yield client.get(f"/requests/{document['id']}{path}").text
    yield client.get("/requests", params={"correlationId": document["correlationId"]}).text
    yield client.post("/validate/request", json=body(new_path())).text


def test_a_password_appears_nowhere_whatever_becomes_of_the_request(
    stack: Stack, dana: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    documents = []
    for decision in ("retry", "abort", "escalate"):
        path = new_path()
        # JIRA itself repeats what it was sent, as real ones do in error messages.
        add_fault(stack, path, "status", status=400, message=f"cannot take {SENTINEL}")
        document = dana.post("/requests", json=body(path)).json()
        assert document["status"] == "failed"
        dana.post(f"/requests/{document['id']}/look")
        decided = dana.post(f"/requests/{document['id']}/{decision}", json={"reason": "x"})
        assert decided.status_code == 200, decided.text
        seen += [json.dumps(document), decided.text, *answers(dana, document)]
        seen.append(stack.history(document["id"]))
        with dana.stream("GET", f"/requests/{document['id']}/events") as stream:
            seen.append(stream.read().decode())
        documents.append(document)
    seen += [stored_text(stack), caplog.text, json.dumps(stack.jira.tickets())]
    seen += [repr(record.__dict__) for record in caplog.records]
    seen.append(stack.anybody().get("/metrics").text)

    assert len(caplog.records) > 10
    assert all(document["fields"]["secretValue"] == "********" for document in documents)
    assert [text for text in seen if SENTINEL in text] == []


def test_a_refused_password_is_not_repeated(
    dana: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    weak = "sentinel"
    for value in (weak, [weak], {"a": weak}):
        answer = dana.post("/requests", json=body(new_path(), value))  # type: ignore[arg-type]
        assert answer.status_code == 422
        assert error_of(answer)["details"][0]["field"] == "fields.secretValue"
        assert weak not in answer.text
    assert weak not in caplog.text


def test_the_same_password_is_sealed_differently_each_time(
    stack: Stack, dana: httpx.Client
) -> None:
    ids = [dana.post("/requests", json=body(new_path())).json()["id"] for _ in range(2)]
    rows = stack.rows("select fields from requests where id = any($1::uuid[])", ids)
    sealed = {row["fields"]["secretValue"] for row in rows}
    assert len(sealed) == 2
    assert all(value.startswith("pao:enc:") for value in sealed)


def test_a_sealed_value_from_outside_is_a_password_like_any_other(
    stack: Stack, dana: httpx.Client
) -> None:
    """Whoever sends the ciphertext of another request gets it sealed, not opened."""
    first = dana.post("/requests", json=body(new_path())).json()
    [row] = stack.rows("select fields from requests where id = $1", first["id"])
    stolen = row["fields"]["secretValue"]
    answer = dana.post("/requests", json=body(new_path(), stolen))
    if answer.status_code == 201:
        [mine] = stack.rows("select fields from requests where id = $1", answer.json()["id"])
        assert mine["fields"]["secretValue"] != stolen
        assert answer.json()["status"] == "completed"
    else:
        assert answer.status_code == 422


def test_sealed_looking_text_in_another_field_is_no_trouble(dana: httpx.Client) -> None:
    text = "pao:enc:v1:k1:AAAA"
    fields = {"hostName": new_host(), "recordType": "TXT", "text": text}
    answer = dana.post("/requests", json={"catalogItemId": "network-dns-record", "fields": fields})
    assert answer.status_code in {201, 422}, answer.text


def test_secrets_of_access_keys_are_stored_sealed_and_never_shown(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stack.caller(ADA).get("/requests")
    stored = stored_text(stack)
    for person in PEOPLE:
        _, secret = stack.key(person)
        assert secret not in stored
        assert secret not in caplog.text
