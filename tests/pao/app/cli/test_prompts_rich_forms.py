"""Questions about what depends on more than the form: options, computed defaults, rules, rows."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from catalog.forms import Form, FormContext
from tests.pao.app.cli.scripted import Call, Service, answered, refused, request
from tests.pao.app.cli.terminals import Terminal

Start = Callable[..., Terminal]
USER = FormContext(scopes={"request": {"user": {"email": "dana@example.com"}}})


@pytest.fixture
def asked(on_terminal: Start, service: Service) -> Start:
    """Start a submission of an item with this form, which the service evaluates as it does."""

    def start(*fields: dict[str, Any], rules: tuple[dict[str, Any], ...] = ()) -> Terminal:
        form = Form.from_mapping(
            {"groups": [{"id": "g", "fields": list(fields)}], "rules": list(rules)}
        )

        def evaluate(call: Call) -> Response:
            result = form.validate(call.body["fields"], datetime.now(UTC).date(), USER)
            problems = [
                {"field": one.field, "constraint": one.constraint, "message": one.message}
                for one in result.errors
            ]
            return JSONResponse(
                {
                    "valid": result.valid,
                    "visible": result.visible,
                    "required": result.required,
                    "values": result.values,
                    "computed": result.computed,
                    "errors": problems,
                    "warnings": [],
                }
            )

        service.on("GET", "/catalog/items/db", {"id": "db", "name": "Database", "version": "1.0.0"})
        service.on("GET", "/catalog/items/db/schema", {"form": form.ui_schema()})
        if ("POST", "/api/v1/catalog/items/db/form") not in service.script:
            service.on("POST", "/catalog/items/db/form", evaluate)
        service.on("POST", "/requests", answered(request(), 201))
        return on_terminal("request", "submit", "db", NO_COLOR="1")

    return start


def sent(service: Service) -> dict[str, Any]:
    fields: dict[str, Any] = service.calls_of("POST", "/requests")[-1].body["fields"]
    return fields


OWNER = {"id": "owner", "type": "string", "required": True}
NAME = {"id": "name", "type": "string", "default": {"template": "{{fields.owner}}-db"}}
EMAIL = {
    "id": "email",
    "type": "string",
    "readOnly": True,
    "default": {"template": "{{request.user.email}}"},
}


def test_a_computed_default_is_offered_and_what_is_read_only_is_shown(
    asked: Start, service: Service
) -> None:
    terminal = asked(NAME, EMAIL, OWNER)
    terminal.answer("Owner", "orders")
    terminal.next("[orders-db]")
    terminal.answer("", "")
    terminal.next("dana@example.com  (default)")
    terminal.answer("Submit?", "email")
    terminal.next("Email cannot be changed.")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"owner": "orders"}


def test_a_service_that_evaluates_no_forms_leaves_the_rest_to_the_submission(
    asked: Start, service: Service
) -> None:
    service.on("POST", "/catalog/items/db/form", refused(503, "SERVICE_UNAVAILABLE", "away"))
    terminal = asked(NAME, EMAIL, OWNER)
    terminal.answer("Owner", "orders")
    terminal.answer("Name", "")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"owner": "orders"}


def test_what_is_required_under_a_condition_is_required_then(
    asked: Start, service: Service
) -> None:
    terminal = asked(
        OWNER,
        {"id": "reason", "type": "string", "required": {"when": "{{fields.owner == 'x'}}"}},
    )
    terminal.answer("Owner", "x")
    terminal.answer("Reason", "")
    terminal.answer("is required", "because")
    terminal.answer("Submit?", "owner", "y")
    terminal.answer("Submit?", "reason", '""')
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"owner": "y"}


def test_the_fields_of_a_broken_rule_are_asked_for_again(asked: Start, service: Service) -> None:
    rule = {
        "id": "order",
        "check": "{{fields.warn < fields.critical}}",
        "message": "The warning must come first.",
    }
    terminal = asked(
        {"id": "warn", "type": "integer"}, {"id": "critical", "type": "integer"}, rules=(rule,)
    )
    terminal.answer("Warn", "90")
    terminal.answer("Critical", "80")
    terminal.answer("The warning must come first.", "70")
    terminal.answer("[80]", "")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"warn": 70, "critical": 80}


CLUSTER = {
    "id": "cluster",
    "type": "select",
    "required": True,
    "options": {"from": "http", "url": "https://inventory.example.com/{{fields.owner}}"},
}


def options(*labels: str, **more: Any) -> dict[str, Any]:
    choices = [{"value": label.lower(), "label": label} for label in labels]
    return {"options": choices, "total": len(choices), "freeText": False, **more}


def test_options_are_fetched_for_the_answers_so_far(asked: Start, service: Service) -> None:
    service.on("POST", "/catalog/items/db/options/cluster", options("Alpha", "Beta"))
    terminal = asked(CLUSTER, OWNER)
    terminal.answer("Owner", "orders")
    terminal.answer("2  Beta", "gamma")
    terminal.answer("no choice 'gamma'", "bet")
    terminal.next("Cluster  Beta")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"owner": "orders", "cluster": "beta"}
    [call] = service.calls_of("POST", "/catalog/items/db/options/cluster")
    assert call.body["fields"] == {"owner": "orders"}


@pytest.mark.parametrize(
    "answer",
    [
        options(problem="inventory.example.com did not answer"),
        refused(503, "SERVICE", "did not answer"),
    ],
)
def test_options_that_are_away_are_said_and_a_text_is_taken(
    asked: Start, service: Service, answer: Any
) -> None:
    service.on("POST", "/catalog/items/db/options/cluster", answer)
    terminal = asked(OWNER, CLUSTER)
    terminal.answer("Owner", "orders")
    terminal.next("did not answer")
    terminal.answer("Cluster", "alpha")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"owner": "orders", "cluster": "alpha"}


def test_a_field_that_offers_nothing_says_so(asked: Start, service: Service) -> None:
    service.on("POST", "/catalog/items/db/options/cluster", options())
    terminal = asked(OWNER, CLUSTER)
    terminal.answer("Owner", "orders")
    terminal.answer("Cluster offers nothing with these answers.", "alpha")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen


PORTS: dict[str, Any] = {
    "id": "ports",
    "type": "list",
    "required": True,
    "maxItems": 2,
    "uniqueBy": ["port"],
    "fields": [
        {"id": "port", "type": "integer", "required": True, "validation": {"max": 99}},
        {"id": "protocol", "type": "select", "enum": ["tcp", "udp"], "default": "tcp"},
        {
            "id": "note",
            "type": "string",
            "required": True,
            "conditional": {"dependsOn": "protocol", "condition": "equals", "value": "udp"},
        },
    ],
}


def test_a_list_is_asked_for_row_by_row(asked: Start, service: Service) -> None:
    terminal = asked(PORTS)
    terminal.next("Row 1")
    terminal.answer("Port", "100")
    terminal.answer("at most 99", "80")
    terminal.answer("Protocol", "")
    terminal.answer("1  Port 80", "a")
    terminal.next("Row 2")
    terminal.answer("Port", "80")
    terminal.answer("Protocol", "udp")
    terminal.answer("Note", "for names")
    terminal.answer("2  Port 80, Protocol udp, Note for names", "")
    terminal.next("has the same Port in the rows 1 and 2")
    terminal.answer("", "3")
    terminal.answer("neither 'a' nor the number of a row", "2")
    terminal.answer("Port", "53")
    terminal.answer("Protocol", "")
    terminal.answer("Note", "")
    terminal.answer("2  Port 53, Protocol udp, Note for names", "-1")
    terminal.answer("1  Port 53", "")
    terminal.next("1 row: Port 53, Protocol udp, Note for names")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"ports": [{"port": 53, "protocol": "udp", "note": "for names"}]}


def test_rows_come_from_a_file_and_outlive_ctrl_c(asked: Start, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"port": 1}, {"port": 100}]')
    (tmp_path / "text.json").write_text('"x"')
    terminal = asked({**PORTS, "required": False})
    terminal.answer("a adds a row", "@text.json", "@rows.json")
    terminal.answer("2  Port 100", "")
    terminal.next("Row 2: Port must be at most 99")
    terminal.next("> ")
    terminal.interrupt("Save your answers")
    terminal.answer("Save your answers", "")

    assert terminal.ends_with() == 130, terminal.seen
    assert json.loads((tmp_path / "db.json").read_text()) == {
        "catalogItemId": "db",
        "fields": {"ports": [{"port": 1}, {"port": 100}]},
        "unanswered": ["ports"],
    }


def test_a_row_that_is_half_typed_outlives_ctrl_c(asked: Start, tmp_path: Path) -> None:
    terminal = asked(PORTS)
    terminal.next("Row 1")
    terminal.answer("Port", "80")
    terminal.answer("Protocol", "udp")
    terminal.next("Note")
    terminal.next("> ")
    terminal.press(b"for na")
    terminal.next("for na")
    terminal.interrupt("Save your answers")
    terminal.answer("Save your answers", "")

    assert terminal.ends_with() == 130, terminal.seen
    kept = json.loads((tmp_path / "db.json").read_text())
    assert kept["fields"] == {"ports": [{"port": 80, "protocol": "udp", "note": "for na"}]}


ACCOUNTS: dict[str, Any] = {
    "id": "accounts",
    "type": "list",
    "required": True,
    "uniqueBy": ["login"],
    "fields": [
        {"id": "login", "type": "string", "required": True},
        {
            "id": "role",
            "type": "select",
            "options": {"from": "http", "url": "https://roles.example.com/{{fields.login}}"},
        },
        {"id": "initial", "type": "password", "required": True, "validation": {"minLength": 8}},
    ],
}


def test_rows_offer_what_fits_their_own_fields_and_hide_passwords(
    asked: Start, service: Service
) -> None:
    def roles(call: Call) -> Response:
        offered = {"ada": ("Admin", "Reader"), "bo": ("Guest",), "cy": ("Owner",)}
        names = offered[call.body["row"]["login"]]
        return JSONResponse(options(*names))

    service.on("POST", "/catalog/items/db/options/accounts.role", roles)
    terminal = asked(ACCOUNTS)
    terminal.answer("Login", "ada")
    terminal.answer("2  Reader", "1")
    terminal.answer("Initial", "s3cret")
    terminal.answer("at least 8", "Ada-Pa55word")
    terminal.answer("again", "Ada-Pa55word")
    terminal.answer("1  Login ada, Role admin, Initial ********", "a")
    terminal.answer("Login", "bo")
    terminal.answer("1  Guest", "guest")
    terminal.answer("Initial", "Bo-Pa55word")
    terminal.answer("again", "Bo-Pa55word")
    terminal.answer("2  Login bo", "1")
    # Another login has other roles; Enter leaves the password.
    terminal.answer("Login", "cy")
    terminal.answer("1  Owner", "owner")
    terminal.answer("[********]", "")
    terminal.answer("1  Login cy, Role owner, Initial ********", "")
    terminal.next("2 rows: Login cy, Role owner, Initial ********; Login bo")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert "s3cret" not in terminal.seen
    assert "Pa55word" not in terminal.seen
    assert sent(service)["accounts"] == [
        {"login": "cy", "role": "owner", "initial": "Ada-Pa55word"},
        {"login": "bo", "role": "guest", "initial": "Bo-Pa55word"},
    ]


def test_passwords_in_rows_are_not_kept_in_a_file(asked: Start, tmp_path: Path) -> None:
    terminal = asked({**ACCOUNTS, "fields": [ACCOUNTS["fields"][0], ACCOUNTS["fields"][2]]})
    terminal.answer("Login", "ada")
    terminal.answer("Initial", "Ada-Pa55word")
    terminal.answer("again", "Ada-Pa55word")
    terminal.next("1  Login ada")
    terminal.next("> ")
    terminal.interrupt("Save your answers")
    terminal.answer("Save your answers", "")
    terminal.next("Not in it, because it is secret: Accounts (Initial)")

    assert terminal.ends_with() == 130, terminal.seen
    kept = json.loads((tmp_path / "db.json").read_text())
    assert (kept["fields"], kept["unanswered"]) == ({"accounts": [{"login": "ada"}]}, ["accounts"])
