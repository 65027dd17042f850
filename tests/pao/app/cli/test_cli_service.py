import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from tests.pao.app.cli.scripted import FORM, Pao, Service, answered

HEALTH: dict[str, Any] = {
    "status": "ok",
    "version": "0.1.0",
    "components": {
        "database": {"status": "ok", "latencyMs": 1.2},
        "jira": {"default": {"status": "ok"}, "other": {"status": "down", "error": "timed out"}},
        "breakers": {},
    },
}


@pytest.mark.parametrize(("status", "exit_code"), [("ok", 0), ("degraded", 5), ("down", 5)])
def test_health_exits_with_5_unless_all_is_well(
    pao: Pao, service: Service, status: str, exit_code: int
) -> None:
    service.on("GET", "/health", {**HEALTH, "status": status})

    result = pao("health")

    assert result.exit_code == exit_code
    assert "jira other" in result.stdout
    assert "timed out" in result.stdout


def test_health_needs_no_key(pao: Pao, service: Service) -> None:
    service.on("GET", "/health", HEALTH)

    result = pao("health", "-o", "json", PAO_ACCESS_KEY_ID=None)

    assert json.loads(result.stdout) == HEALTH
    assert "authorization" not in service.calls[0].headers


def test_readiness_names_every_problem(pao: Pao, service: Service) -> None:
    document = {"ready": False, "problems": ["Temporal does not respond"]}
    service.on("GET", "/health/ready", answered(document, 503))

    result = pao("health", "ready")

    assert result.exit_code == 5
    assert "Temporal does not respond" in result.stdout


def test_metrics_can_be_filtered_by_name(pao: Pao, service: Service) -> None:
    text = '# HELP a_total An a.\n# TYPE a_total counter\na_total{x="b_total"} 1\nb_total 2\n'
    service.on("GET", "/metrics", lambda _call: PlainTextResponse(text))

    assert pao("metrics", "--filter", "b_total").stdout == "b_total 2\n"


def test_the_catalog_shows_what_the_caller_may_not_request(pao: Pao, service: Service) -> None:
    row = {"id": "a", "name": "A", "version": "1.0.0", "category": "c", "owner": "team"}
    rows = [{**row, "requestable": True}, {**row, "id": "b", "requestable": False}]
    service.on("GET", "/catalog", {"data": rows, "pagination": {"nextCursor": None}})

    result = pao("catalog", "list", "--category", "c", "--search", "text")

    first, second = result.stdout.splitlines()[1:]
    assert "not for your teams" not in first
    assert "not for your teams" in second
    assert {("category", "c"), ("q", "text")} <= set(service.calls[0].query)


def test_an_item_shows_its_fields_and_the_command_to_request_it(pao: Pao, service: Service) -> None:
    metadata = {"id": "db", "name": "Database", "version": "1.2.0", "description": "A database."}
    service.on("GET", "/catalog/items/db", {"definition": {"metadata": metadata}, "gitSha": "abc"})
    service.on("GET", "/catalog/items/db/schema", FORM)

    lines = pao("catalog", "get", "db").stdout.splitlines()

    assert lines[0] == "Database  1.2.0"
    assert any(line.startswith("instanceName") and "required" in line for line in lines)
    assert any(line.startswith("adminPassword") and "conditional" in line for line in lines)
    assert lines[-1] == "pao request submit db --field instanceName=... --field size=..."


def test_a_refresh_that_refused_files_exits_with_1(pao: Pao, service: Service) -> None:
    document: dict[str, Any] = {"added": ["a"], "changed": [], "removed": [], "refused": ["x.yaml"]}
    service.on("POST", "/catalog/refresh", document)

    result = pao("catalog", "refresh")

    assert result.exit_code == 1
    assert "x.yaml" in result.stdout


def test_a_refresh_that_changes_most_of_the_catalog_names_some(pao: Pao, service: Service) -> None:
    names = [f"tool-{number:04}" for number in range(2000)]
    document = {"added": names, "changed": [], "removed": [], "refused": []}
    service.on("POST", "/catalog/refresh", document)
    lines = pao("catalog", "refresh").stdout.splitlines()
    assert (lines[0], lines[50], lines[51]) == ("added     2000", "  tool-0049", "  and 1950 more")
    service.on("POST", "/catalog/refresh", document)
    assert json.loads(pao("catalog", "refresh", "-o", "json").stdout) == document
    cut = document | {"removed": ["a"], "unnamed": {"added": 7000, "removed": 2}}
    service.on("POST", "/catalog/refresh", cut)
    lines = pao("catalog", "refresh").stdout.splitlines()
    assert (lines[0], lines[51]) == ("added     9000", "  and 8950 more")
    assert lines[53:56] == ["removed   3", "  a", "  and 2 more"]


STATUS: dict[str, Any] = {
    "source": "GitHub acme/catalog",
    "revision": "9f3c2ab1c0de4a5b6c7d8e9f00112233445566aa",
    "commit": {"subject": "Raise a version", "author": "Dana"},
    "readAt": None,
    "items": 310,
    "stale": 2,
    "refused": 0,
    "problem": None,
    "held": None,
}
HELD = {"revision": "c0ffee12ab34567890", "removes": 3, "served": 24, "items": ["a", "b"]}


def test_the_status_of_a_catalog_that_is_well_exits_with_0(pao: Pao, service: Service) -> None:
    service.on("GET", "/catalog/status", STATUS)
    result = pao("catalog", "status")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "source    GitHub acme/catalog",
        "revision  9f3c2ab1c0de Raise a version (Dana)",
        "read      never",
        "items     310, 2 stale",
    ]


def test_the_status_names_what_is_not_served_and_how_to_serve_it(
    pao: Pao, service: Service
) -> None:
    problem = {"cause": "gone", "message": "there is no branch main", "since": None}
    wrong = {"problem": problem, "held": HELD, "refused": 1, "notice": "review is not required"}
    finding = {"file": "a.yaml", "line": 3, "column": 2, "message": "not \x1b[31mYAML"}
    service.on("GET", "/catalog/status", STATUS | wrong)
    service.on("GET", "/catalog/validation-errors", {"data": [finding]})

    result = pao("catalog", "status")

    assert result.exit_code == 1
    assert result.stdout.splitlines()[4:] == [
        "refused   1 file",
        "The source cannot be read: there is no branch main",
        "review is not required",
        "Revision c0ffee12ab34 is held back: it would remove 3 of 24 items",
        "  a",
        "  b",
        "  and 1 more",
        "To serve it anyway:",
        "  pao catalog refresh --confirm c0ffee12ab34",
        "a.yaml:3:2 not \\x1b[31mYAML",
    ]


def test_the_status_says_when_polls_of_a_source_that_rests_go_on(
    pao: Pao, service: Service
) -> None:
    now = datetime.now(UTC)
    problem = {"cause": "limited", "message": "no calls are left"}
    problem |= {"since": (now - timedelta(hours=3)).isoformat()}
    for until, told in (
        (now + timedelta(minutes=90), "(first 3 h ago; polls continue in 1 h)"),
        (now - timedelta(minutes=90), "(first 3 h ago)"),
    ):
        service.on(
            "GET",
            "/catalog/status",
            STATUS | {"problem": problem | {"until": until.isoformat()}},
        )
        assert pao("catalog", "status").stdout.splitlines()[-1] == (
            f"The source cannot be read: no calls are left {told}"
        )


def test_the_status_names_authors_who_cannot_be_told_and_limits_of_the_source(
    pao: Pao, service: Service
) -> None:
    untold = {"commits": 3, "message": "the App has no right", "commit": "c0ffee12ab34567890"}
    untold |= {"proposal": 12, "since": None}
    service.on("GET", "/catalog/status", STATUS | {"unreported": untold, "limits": ["No hooks."]})
    told = (
        "Not reported to the authors of c0ffee12ab34 of request 12 and 2 more: the App has no right"
    )
    result = pao("catalog", "status")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[4:] == [
        "note      No hooks.",
        told,
    ]
    service.on("GET", "/catalog/status", STATUS | {"limits": ["No hooks."], "ownership": 1})
    finding = {"file": "a.yaml", "line": 3, "column": 2, "message": "team-a owns nothing"}
    service.on("GET", "/catalog/validation-errors", {"data": [], "ownership": [finding]})
    result = pao("catalog", "status")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[4:] == [
        "owners    1 difference from CODEOWNERS, reported only",
        "note      No hooks.",
        "a.yaml:3:2 team-a owns nothing",
    ]


def test_a_refresh_confirms_a_revision_and_says_when_it_is_another_one(
    pao: Pao, service: Service
) -> None:
    none: dict[str, Any] = {"added": [], "changed": [], "removed": [], "refused": []}
    service.on("POST", "/catalog/refresh", none | {"held": HELD})
    result = pao("catalog", "refresh", "--confirm", "abcdef1")
    assert (result.exit_code, service.calls[0].body) == (1, {"confirm": "abcdef1"})
    assert "abcdef1 is not the revision that is held back" in result.stderr


def test_a_refresh_that_goes_on_says_where_to_look(pao: Pao, service: Service) -> None:
    none: dict[str, Any] = {"added": [], "changed": [], "removed": [], "refused": []}
    service.on("POST", "/catalog/refresh", answered(none | {"pending": True}, 202))
    result = pao("catalog", "refresh")
    assert result.exit_code == 0
    assert "pao catalog status" in result.stderr
