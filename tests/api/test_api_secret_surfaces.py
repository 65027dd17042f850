"""Passwords and what came later: approvals, webhooks, messages, tools, pages of the catalog."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from pao.app.local.postgres import PostgresAddress
from pao.core.names import MASK
from tests.support.callers import ADA, PRIYA
from tests.support.postgres import cloned_database
from tests.support.raw_servers import RawServer, answering, raw_server
from tests.support.requests import item
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import new_host

SENTINEL = "S3ntinel-Pa55word-of-the-surfaces"
OWN = {"id": "pass", "name": "Password", "type": "password"}
IN_ROW = "S3ntinel-Pa55word-of-a-row"
USERS = {
    "id": "users",
    "name": "Users",
    "type": "list",
    "fields": [
        {"id": "name", "name": "Name", "type": "string"},
        {"id": "initial", "name": "Initial password", "type": "password"},
    ],
}
TABLES = "select tablename from pg_tables where schemaname = 'public'"


def actions(silent: RawServer, echo: RawServer) -> list[dict[str, Any]]:
    """Return an approval, three that do not use the password, and one whose target repeats it."""
    approval = {"approvers": {"teams": ["team-platform"]}, "message": "May {{fields.title}}?"}
    text = {"url": f"{silent.url}/channel", "text": "{{fields.title}} of {{request.user.email}}"}
    told = {
        "url": f"{silent.url}/hook",
        "secret": "a-signing-key-of-32-characters!!",
        "payload": {"title": "{{fields.title}}"},
    }
    set_it = {
        "endpoint": {"url": f"{echo.url}/passwords", "method": "POST"},
        "body": {"contentTemplate": {"is": "{{fields.pass}}", "users": "{{fields.users}}"}},
    }
    return [
        {"id": "may", "name": "Approval", "type": "approval", "config": approval},
        {"id": "tell", "name": "Tell them", "type": "notification", "config": text},
        {"id": "hook", "name": "Tell a machine", "type": "webhook", "config": told},
        {"id": "set", "name": "Set it", "type": "rest-api", "config": set_it},
    ]


@pytest.fixture(scope="module")
def silent() -> Iterator[RawServer]:
    with raw_server(answering()) as server:
        yield server


@pytest.fixture(scope="module")
def echo() -> Iterator[RawServer]:
    """A target that repeats what it was sent in its refusal, as real ones do."""
    body = json.dumps({"message": f"cannot set {SENTINEL} or {IN_ROW}"}).encode()
    with raw_server(answering(body, status="400 Bad Request")) as server:
        yield server


@pytest.fixture(scope="module")
def surfaces(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
    silent: RawServer,
    echo: RawServer,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("surfaces")
    catalog = folder / "files"
    catalog.mkdir()
    document = item(actions(silent, echo), fields=[OWN, USERS])
    (catalog / "thing.yaml").write_text(yaml.safe_dump(document))
    environ = {"PAO_EGRESS_ALLOW": "127.0.0.1"}
    with (
        cloned_database(postgres_address) as database,
        running_stack(
            database, temporal_address, folder, catalog=catalog, environ=environ
        ) as stack,
    ):
        yield stack


def stored_text(stack: Stack) -> str:
    names = [row["tablename"] for row in stack.rows(TABLES)]
    return "\n".join(
        row["line"]
        for name in names
        for row in stack.rows(f"select t::text line from {name} t")  # noqa: S608 -- our own tables
    )


def wait_for_status(client: httpx.Client, path: str, status: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        found: dict[str, Any] = client.get(path).json()
        waits = any(one["status"] == "waiting" for one in found["actions"])
        return found if status == ("waiting" if waits else found["status"]) else None

    found = wait_until(there)
    assert found is not None
    return found


def test_a_password_is_in_no_approval_message_hook_error_or_page(
    surfaces: Stack, silent: RawServer, echo: RawServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dana = surfaces.caller()
    users = [{"name": "ada"}, {"name": "bo", "initial": IN_ROW}]
    fields: dict[str, Any] = {"title": new_host(), "pass": SENTINEL, "users": users}
    body = {"catalogItemId": "thing", "fields": fields}
    seen = [dana.post("/validate/request", json=body).text]
    document = dana.post("/requests", json=body, headers={"Prefer": "wait=1"}).json()
    path = f"/requests/{document['id']}"
    seen.append(json.dumps(wait_for_status(dana, path, "waiting")))
    vote = {"actionId": "may", "reason": "it fits"}
    voted = surfaces.caller(PRIYA).post(f"{path}/approve", json=vote)
    assert voted.is_success, voted.text
    failed = wait_for_status(dana, path, "failed")
    assert "cannot set" in json.dumps(failed)
    seen += [voted.text, json.dumps(failed), surfaces.history(document["id"])]
    escalated = surfaces.caller(ADA).post(f"{path}/escalate", json={"reason": "x"})
    assert escalated.is_success, escalated.text
    pages = ("", "/status", "/logs", "/escalation", "/events")
    seen += [escalated.text, *(dana.get(path + page).text for page in pages)]
    seen += [json.dumps(surfaces.jira.tickets()), stored_text(surfaces), caplog.text]
    seen += [repr(record.__dict__) for record in caplog.records]
    seen += [sent.decode() for sent in silent.requests]
    seen += [dana.get("/catalog/items/thing/schema").text, surfaces.anybody().get("/metrics").text]

    (sent,) = echo.requests
    assert SENTINEL.encode() in sent
    assert IN_ROW.encode() in sent
    assert len(silent.requests) == 2
    assert [text for text in seen if SENTINEL in text or IN_ROW in text] == []


def test_a_password_that_is_tried_in_a_template_is_not_shown(
    surfaces: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    users = [{"name": "bo", "initial": IN_ROW}]
    fields: dict[str, Any] = {"title": new_host(), "pass": SENTINEL, "users": users}
    answer = surfaces.caller().post(
        "/test/variables", json={"catalogItemId": "thing", "fields": fields}
    )
    assert answer.status_code == 200, answer.text
    assert fields["title"] in answer.text
    assert SENTINEL not in answer.text + caplog.text
    assert IN_ROW not in answer.text + caplog.text


def test_a_form_that_is_judged_shows_no_password_of_a_row(surfaces: Stack) -> None:
    fields = {"users": [{"name": "bo", "initial": IN_ROW}, "S3ntinel-Pa55word-of-a-row"]}
    answer = surfaces.caller().post("/catalog/items/thing/form", json={"fields": fields})
    assert answer.json()["values"]["users"][0] == {"name": "bo", "initial": MASK}
    assert IN_ROW not in answer.text


def test_stars_are_no_password_and_leave_one_in_a_correction_as_it_is(
    surfaces: Stack, echo: RawServer
) -> None:
    dana = surfaces.caller()
    users = [{"name": "ada", "initial": "Ada-Pa55word"}, {"name": "bo", "initial": IN_ROW}]
    fields: dict[str, Any] = {
        "title": new_host(),
        "pass": MASK,
        "users": [{"name": "ada", "initial": MASK}],
    }
    refused = dana.post("/requests", json={"catalogItemId": "thing", "fields": fields})
    assert [one["field"] for one in refused.json()["error"]["details"]] == [
        "fields.pass",
        "fields.users[0].initial",
    ]
    fields |= {"pass": SENTINEL, "users": users}
    document = dana.post("/requests", json={"catalogItemId": "thing", "fields": fields}).json()
    path = f"/requests/{document['id']}"
    wait_for_status(dana, path, "waiting")
    surfaces.caller(PRIYA).post(f"{path}/approve", json={"actionId": "may", "reason": "it fits"})
    shown = wait_for_status(dana, path, "failed")["fields"]["users"]
    assert [one["initial"] for one in shown] == [MASK, MASK]

    # Ada goes, Bo stays with the password of his own row, Cy is new.
    rows = [shown[1], {"name": "cy", "initial": MASK}]
    unknown = dana.post(f"{path}/retry", json={"reason": "x", "fields": {"users": rows}})
    assert unknown.json()["error"]["details"][0]["field"] == "fields.users[1].initial"
    rows[1] = {"name": "cy", "initial": "Cy-Pa55word"}
    before = len(echo.requests)
    retried = dana.post(f"{path}/retry", json={"reason": "x", "fields": {"users": rows}})
    assert retried.is_success, retried.text
    wait_until(lambda: len(echo.requests) > before)
    sent = echo.requests[-1].decode()
    assert f'{{"name": "bo", "initial": "{IN_ROW}"}}'.replace(" ", "") in sent.replace(" ", "")
    assert "Cy-Pa55word" in sent
    assert "Ada-Pa55word" not in sent
