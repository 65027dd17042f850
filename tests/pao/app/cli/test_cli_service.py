import json
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
