"""`pao insights`: three tables that fit, and the document for machines."""

import json

from tests.pao.app.cli.scripted import Pao, Service

DOCUMENT = {
    "days": 7,
    "since": "2026-02-26T14:07:09.123Z",
    "until": "2026-03-05T14:07:09.123Z",
    "item": None,
    "team": "data",
    "times": [
        {
            "item": "database-standard",
            "name": "PostgreSQL database",
            "requests": 42,
            "machineSeconds": {"median": 61.5, "p90": 204.2},
            "humanSeconds": {"median": 0.0, "p90": 10860.0},
        }
    ],
    "failures": [
        {
            "item": "database-standard",
            "name": "PostgreSQL database",
            "failures": 5,
            "causes": {"quota": 4, "target-down": 1},
        }
    ],
    "waiting": [],
}


def test_times_failures_and_waits_are_shown(pao: Pao, service: Service) -> None:
    service.on("GET", "/insights", DOCUMENT)
    result = pao("insights", "--days", "7", "--team", "data")
    assert result.exit_code == 0
    for text in ("1.0 min / 3.4 min", "0 / 3.0 h", "quota 4, target-down 1", "Nothing is waiting."):
        assert text in result.stdout
    [call] = service.calls
    assert call.query == [("days", "7"), ("team", "data")]
    assert json.loads(pao("insights", "-o", "json").stdout) == DOCUMENT


def test_a_period_that_does_not_exist_is_refused(pao: Pao, service: Service) -> None:
    result = pao("insights", "--days", "8")
    assert result.exit_code == 2
    assert service.calls == []
