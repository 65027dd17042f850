import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pao.app.cli.events import ReceivedEvent, read_events
from pao.app.cli.main import app as pao_app
from tests.pao.app.cli.scripted import (
    FORM,
    REQUEST,
    REQUEST_ID,
    Pao,
    Service,
    action,
    answered,
    cut_off,
    events,
    failed_request,
    page,
    refused,
    request,
)

ITEM = "database-postgresql-standard"
SCHEMA = f"/catalog/items/{ITEM}/schema"


@pytest.fixture
def form(service: Service) -> None:
    service.on("GET", SCHEMA, FORM)


@pytest.mark.usefixtures("form")
def test_submit_sends_fields_typed_by_the_form(pao: Pao, service: Service, tmp_path: Path) -> None:
    service.on("POST", "/requests", answered(request(), 201))
    certificate = tmp_path / "ca.txt"
    certificate.write_bytes(b"pem")
    assignments = {
        "instanceName": "42",
        "storageSize": "100",
        "ratio": "1.5",
        "backups": "yes",
        "size": "3",
        "zones": "a, c",
        "extra": '{"deep": [1]}',
        "certificate": f"@{certificate}",
        "unknown": "as=text",
    }
    options = [part for name, text in assignments.items() for part in ("-f", f"{name}={text}")]

    result = pao("request", "submit", ITEM, *options, "--tag", "production")

    assert result.exit_code == 0, result.output
    [call] = service.calls_of("POST", "/requests")
    assert call.is_signed
    assert call.body == {
        "catalogItemId": ITEM,
        "metadata": {"tags": ["production"]},
        "fields": {
            "instanceName": "42",
            "storageSize": 100,
            "ratio": 1.5,
            "backups": True,
            "size": 3,
            "zones": ["a", "c"],
            "extra": {"deep": [1]},
            "certificate": f"data:text/plain;name={certificate.name};base64,"
            + base64.b64encode(b"pem").decode(),
            "unknown": "as=text",
        },
    }
    assert "PLATFORM-123  https://jira.example.com/browse/PLATFORM-123" in result.stdout


@pytest.mark.usefixtures("form")
def test_every_field_that_cannot_be_read_is_reported_and_nothing_is_sent(
    pao: Pao, service: Service
) -> None:
    options = ["-f", "storageSize=big", "-f", "backups=maybe", "-f", "extra={", "-f", "nothing"]

    result = pao("request", "submit", ITEM, *options)

    assert result.exit_code == 2
    for name in ("storageSize", "backups", "extra", "nothing"):
        assert name in result.stderr
    assert service.calls_of("POST", "/requests") == []


@pytest.mark.usefixtures("form")
def test_fields_come_from_a_file_and_options_win(
    pao: Pao, service: Service, tmp_path: Path
) -> None:
    service.on("POST", "/requests", answered(request(), 201))
    config = tmp_path / "fields.yaml"
    config.write_text("instanceName: orders-db\nstorageSize: 10\n")

    result = pao("request", "submit", ITEM, "--config", str(config), "-f", "storageSize=20")

    assert result.exit_code == 0
    [call] = service.calls_of("POST", "/requests")
    assert call.body["fields"] == {"instanceName": "orders-db", "storageSize": 20}


@pytest.mark.usefixtures("form")
def test_a_lost_answer_is_asked_for_again_with_the_same_key(pao: Pao, service: Service) -> None:
    replayed = answered(request(), 200, {"Idempotency-Replayed": "true"})
    service.on("POST", "/requests", cut_off, replayed)

    result = pao("request", "submit", ITEM)

    assert result.exit_code == 0
    first, second = service.calls_of("POST", "/requests")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.is_signed
    assert second.is_signed


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("answer", [cut_off, refused(503, "SERVICE_UNAVAILABLE", "unknown")])
@pytest.mark.parametrize("options", [(), ("--idempotency-key", "key-1")])
def test_an_answer_that_leaves_it_open_names_the_key_to_repeat_with(
    pao: Pao, service: Service, answer: Any, options: tuple[str, ...]
) -> None:
    service.on("POST", "/requests", answer)

    result = pao("request", "submit", ITEM, *options)

    assert result.exit_code == 5
    keys = {call.headers["idempotency-key"] for call in service.calls_of("POST", "/requests")}
    assert keys == {"key-1"} if options else len(keys) == 1
    assert f"--idempotency-key {keys.pop()}" in result.stderr.replace("\n", " ")
    assert result.stdout == ""


@pytest.mark.usefixtures("form")
def test_a_failed_request_exits_with_1_and_shows_what_may_be_decided(
    pao: Pao, service: Service
) -> None:
    service.on("POST", "/requests", answered(failed_request(), 201))

    result = pao("request", "submit", ITEM)

    assert result.exit_code == 1
    assert "JIRA refused the ticket: project: valid project is required (HTTP 400)" in result.stdout
    assert "Close PLATFORM-1 by hand." in result.stdout
    assert "Suggested: retry" in result.stdout
    for decision in ("look", "retry", "abort", "escalate"):
        assert f"pao request {decision} {REQUEST_ID}" in result.stdout


def test_only_what_waits_for_the_callers_decision_is_listed_when_asked_for(
    pao: Pao, service: Service
) -> None:
    service.on("GET", "/requests", {"data": [], "pagination": {"hasMore": False}})
    assert pao("request", "list", "--decidable").exit_code == 0
    assert pao("request", "list").exit_code == 0
    asked = [dict(call.query).get("decidable") for call in service.calls_of("GET", "/requests")]
    assert asked == ["me", None]


@pytest.mark.usefixtures("form")
def test_a_dry_run_shows_the_calls_and_submits_nothing(pao: Pao, service: Service) -> None:
    config = {"ticket": {"project": "PLATFORM", "labels": ["a", "b"]}}
    plan = {"valid": True, "actions": [{"name": "Ticket", "type": "jira-ticket", "config": config}]}
    service.on("POST", "/validate/request", plan)

    result = pao("request", "submit", ITEM, "--dry-run")

    assert result.exit_code == 0
    assert "ticket.project: PLATFORM" in result.stdout
    assert service.calls_of("POST", "/requests") == []


@pytest.mark.usefixtures("form")
def test_waiting_ends_when_the_request_has_settled(pao: Pao, service: Service) -> None:
    service.on("POST", "/requests", answered(request("in_progress"), 202))
    service.on("GET", REQUEST, request("in_progress"), request("in_progress"), request())
    service.on("GET", f"{REQUEST}/events", events((1, "action", {}), (2, "state", {})))

    result = pao("request", "submit", ITEM, "--wait", "-o", "json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["status"] == "completed"


@pytest.mark.usefixtures("form")
def test_without_waiting_a_request_under_way_is_no_failure(pao: Pao, service: Service) -> None:
    service.on("POST", "/requests", answered(request("in_progress"), 202))

    result = pao("request", "submit", ITEM)

    assert result.exit_code == 0
    assert f"pao request status {REQUEST_ID} --watch" in result.stderr


def test_json_output_is_the_document_and_nothing_else(pao: Pao, service: Service) -> None:
    service.on("GET", REQUEST, failed_request())

    for arguments in (("-o", "json", "request", "get"), ("request", "get", "--output", "json")):
        result = pao(*arguments, REQUEST_ID)
        assert result.exit_code == 0
        assert json.loads(result.stdout) == failed_request()


def test_control_characters_of_the_server_do_not_reach_the_terminal(
    pao: Pao, service: Service
) -> None:
    evil = "x\x1b]0;title\x07\u202e\x9b31m"
    service.on("GET", REQUEST, request(actions=[action(name=evil)], catalogItemId=evil))

    for output in ("table", "json", "yaml"):
        result = pao("request", "get", REQUEST_ID, "-o", output)
        assert not set("\x1b\x07\u202e\x9b") & set(result.stdout), output


def test_json_output_with_escapes_is_still_the_same_document(pao: Pao, service: Service) -> None:
    document = request(catalogItemId="a\u202eb\x9bc\u2028d")
    service.on("GET", REQUEST, document)

    assert json.loads(pao("request", "get", REQUEST_ID, "-o", "json").stdout) == document


def test_square_brackets_of_the_server_are_not_markup(pao: Pao, service: Service) -> None:
    service.on("GET", REQUEST, request(actions=[action(name="[bold]x[/nope]")]))

    assert "[bold]x[/nope]" in pao("request", "get", REQUEST_ID).stdout


def test_status_shows_what_jira_says_now(pao: Pao, service: Service) -> None:
    ticket = {"actionId": "jira-ticket-1", "key": "PLATFORM-123", "live": True, "status": "Review"}
    now = "completed: PLATFORM-123 is with the platform team (Review)"
    answer = {"id": REQUEST_ID, "summary": now, "tickets": [ticket]}
    service.on("GET", f"{REQUEST}/status", answer)
    service.on("GET", REQUEST, request(summary="completed: PLATFORM-123 was created"))

    shown = pao("request", "status", REQUEST_ID).stdout
    assert "PLATFORM-123  [Review]" in shown
    assert now in shown


def test_status_says_when_jira_did_not_answer(pao: Pao, service: Service) -> None:
    ticket = {"actionId": "jira-ticket-1", "live": False, "error": "timed out"}
    service.on("GET", f"{REQUEST}/status", {"id": REQUEST_ID, "tickets": [ticket]})
    service.on("GET", REQUEST, request())

    assert "not live: timed out" in pao("request", "status", REQUEST_ID).stdout


def test_watching_resumes_after_a_broken_stream_where_it_was(pao: Pao, service: Service) -> None:
    service.on("GET", REQUEST, *[request("in_progress")] * 3, failed_request())
    stream = f"{REQUEST}/events"
    service.on("GET", stream, events((7, "action", {})), events((8, "state", {})))

    result = pao("request", "status", REQUEST_ID, "--watch")

    assert result.exit_code == 1
    first, second = service.calls_of("GET", stream)
    assert "last-event-id" not in first.headers
    assert second.headers["last-event-id"] == "7"


def test_a_list_passes_its_filters_on(pao: Pao, service: Service) -> None:
    service.on("GET", "/requests", page(request()))

    result = pao("request", "list", "--status", "failed", "--status", "aborted", "--item", "x")

    assert result.exit_code == 0
    [call] = service.calls_of("GET", "/requests")
    assert [value for name, value in call.query if name == "status"] == ["failed", "aborted"]
    assert ("catalogItemId", "x") in call.query
    assert REQUEST_ID in result.stdout


def test_a_long_list_is_read_over_several_pages(pao: Pao, service: Service) -> None:
    rows = [request() for _ in range(200)]
    service.on("GET", "/requests", page(*rows, cursor="next"), page(*rows[:50]))

    result = pao("request", "list", "--limit", "250", "-o", "json")

    assert len(json.loads(result.stdout)["data"]) == 250
    first, second = service.calls_of("GET", "/requests")
    assert ("limit", "200") in first.query
    assert {("limit", "50"), ("cursor", "next")} <= set(second.query)


def test_a_time_that_cannot_be_read_is_wrong_usage(pao: Pao) -> None:
    result = pao("request", "list", "--since", "yesterday")

    assert result.exit_code == 2
    assert "24h" in result.stderr


def test_event_streams_are_read_line_by_line() -> None:
    text = ': ping\n\nid: 1\nevent: log\ndata: {"a":\ndata: 1}\n\ndata: no json\n\nid: 9\n\n'

    assert list(read_events(iter(text.split("\n")))) == [
        ReceivedEvent("log", {"a": 1}, "1"),
        ReceivedEvent("message", {"message": "no json"}, "1"),
    ]


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize(
    "text",
    [
        "instanceName: orders-db\nstorageSize: 10\n",
        '\n{"instanceName": "orders-db",\t"storageSize": 10}',
    ],
)
def test_fields_come_from_standard_input(
    service: Service, environ: dict[str, str | None], text: str
) -> None:
    service.on("POST", "/requests", answered(request(), 201))
    given = ["request", "submit", ITEM, "--config", "-", "-f", "storageSize=20"]

    result = CliRunner().invoke(pao_app, given, input=text, env=environ)

    assert result.exit_code == 0, result.output
    [call] = service.calls_of("POST", "/requests")
    assert call.body["fields"] == {"instanceName": "orders-db", "storageSize": 20}


def test_standard_input_that_holds_no_fields_is_named(
    service: Service, environ: dict[str, str | None]
) -> None:
    service.on("GET", SCHEMA, FORM)
    given = ["request", "submit", ITEM, "--config", "-"]

    result = CliRunner().invoke(pao_app, given, input="- 1\n", env=environ)

    assert result.exit_code == 2
    assert "Cannot read the fields: standard input:1:1" in result.stderr


def test_a_failure_that_no_action_explains_is_shown(pao: Pao, service: Service) -> None:
    error = {"code": "INTERNAL_ERROR", "message": "Its workflow is lost."}
    document = failed_request(error=error, actions=[action("pending")])
    service.on("GET", REQUEST, document)

    assert "Its workflow is lost." in pao("request", "get", REQUEST_ID).stdout


APPROVAL = {
    "kind": "approval",
    "approvers": {"users": [], "teams": ["team-platform"]},
    "message": "Dana asks for an account.",
    "deadline": "2026-03-05T10:00:00Z",
}


def asked(status: str, **more: Any) -> dict[str, Any]:
    approval = action(status, id="ok", type="approval", name="Approval", outputs=None)
    later = action("pending", name="Ask the security team for the account")
    return request("in_progress", actions=[approval | more, later])


@pytest.mark.usefixtures("form")
def test_a_submission_that_waits_for_approval_shows_the_plan_and_who_must_approve(
    pao: Pao, service: Service
) -> None:
    service.on("POST", "/requests", answered(asked("pending"), 202))
    waits = asked("waiting", waiting=APPROVAL) | {"mayDecide": False}
    service.on("GET", REQUEST, asked("pending"), asked("in_progress"), waits)

    shown = pao("request", "submit", ITEM).stdout

    assert "waits for team team-platform, until 2026-03-05" in shown
    assert "Ask the security team for the account  pending" in shown
    assert "pao request approve" not in shown


@pytest.mark.parametrize("vote", ["approve", "reject"])
def test_an_approver_is_offered_both_votes(pao: Pao, service: Service, vote: str) -> None:
    service.on("GET", REQUEST, asked("waiting", waiting=APPROVAL) | {"mayDecide": True})

    assert f"pao request {vote} {REQUEST_ID}" in pao("request", "get", REQUEST_ID).stdout
