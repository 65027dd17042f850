"""`pao request logs`: which lines it asks for, from which end, and how it follows."""

import json
from typing import Any

import pytest

from tests.pao.app.cli.scripted import (
    REQUEST,
    REQUEST_ID,
    Pao,
    Service,
    events,
    failed_request,
    page,
    request,
)

LOGS = f"{REQUEST}/logs"


def line(sequence: int, message: str, **more: Any) -> dict[str, Any]:
    time = "2026-03-01T10:00:00.000Z"
    head = {"sequence": sequence, "time": time, "level": "info", "actionId": "jira-ticket-1"}
    return {**head, "attempt": 1, "message": message, "data": {}, **more}


def asked(service: Service) -> list[dict[str, str]]:
    """Return what each call for the log had in its query."""
    return [dict(call.query) for call in service.calls_of("GET", LOGS)]


def test_the_whole_log_is_read_page_by_page(pao: Pao, service: Service) -> None:
    service.on("GET", LOGS, page(line(1, "one"), line(2, "two"), cursor="c2"), page(line(3, "3")))

    result = pao("request", "logs", REQUEST_ID, "-o", "json")

    assert [one["sequence"] for one in json.loads(result.stdout)["data"]] == [1, 2, 3]
    assert asked(service) == [{"limit": "200"}, {"limit": "200", "cursor": "c2"}]


def test_the_tail_is_read_from_the_end_and_says_how_to_go_on(pao: Pao, service: Service) -> None:
    service.on("GET", LOGS, page(line(8, "eight"), line(9, "nine"), cursor="c"), page())

    result = pao("request", "logs", REQUEST_ID, "--tail", "2")

    assert result.stdout.index("eight") < result.stdout.index("nine")
    assert "There are earlier lines: --before 8" in result.stderr
    assert asked(service) == [{"limit": "2", "before": "end"}]


def test_lines_before_one_stay_in_order_over_pages(pao: Pao, service: Service) -> None:
    late, early = [line(n, "x") for n in (5, 7)], [line(n, "x") for n in (2, 4)]
    service.on("GET", LOGS, page(*late, cursor="c"), page(*early))

    result = pao("request", "logs", REQUEST_ID, "--before", "9", "-o", "json")

    assert [one["sequence"] for one in json.loads(result.stdout)["data"]] == [2, 4, 5, 7]
    assert [one["before"] for one in asked(service)] == ["9", "9"]


def test_filters_are_asked_of_the_service(pao: Pao, service: Service) -> None:
    service.on("GET", LOGS, page())

    options = ("--search", "50 %", "--action", "record", "--component", "db")
    result = pao("request", "logs", REQUEST_ID, *options)

    assert "No log line matches." in result.stderr
    assert asked(service) == [
        {"limit": "200", "q": "50 %", "actionId": "record", "component": "db"}
    ]


@pytest.mark.parametrize(
    "options", [("--follow", "--before", "3"), ("--before", "0"), ("--before", "x"), ("--tail=-1",)]
)
def test_what_makes_no_sense_is_refused(
    pao: Pao, service: Service, options: tuple[str, ...]
) -> None:
    assert pao("request", "logs", REQUEST_ID, *options).exit_code == 2
    assert service.calls == []


def test_followed_logs_show_each_line_once_and_end_with_the_request(
    pao: Pao, service: Service
) -> None:
    stored = line(1, "one"), line(2, "two"), line(3, "three"), line(5, "five")
    newest, opened, over = page(stored[0], cursor="c"), page(*stored[:2]), page(*stored)
    service.on("GET", LOGS, newest, page(*stored[:1]), opened, over)
    service.on("GET", REQUEST, failed_request(), request("aborted"))
    replay = events((2, "log", line(2, "two")), (3, "log", line(3, "three")), (4, "state", {}))
    service.on("GET", f"{REQUEST}/events", replay)

    result = pao("request", "logs", REQUEST_ID, "--follow", "-o", "json")

    assert result.exit_code == 0
    shown = [json.loads(text)["sequence"] for text in result.stdout.splitlines()]
    assert shown == [1, 2, 3, 5]


def test_followed_lines_are_filtered_as_the_stored_ones(pao: Pao, service: Service) -> None:
    service.on("GET", LOGS, page(), page(), page(), page())
    service.on("GET", REQUEST, failed_request(), request("aborted"))
    coming = [
        line(1, "Retry LATER"),
        line(2, "retry later", actionId="other"),
        line(3, "nothing"),
    ]
    said = [(one["sequence"], "log", one) for one in coming]
    service.on("GET", f"{REQUEST}/events", events(*said, (4, "state", {})))

    options = ("--search", "retry", "--action", "jira-ticket-1", "-o", "json")
    result = pao("request", "logs", REQUEST_ID, "--follow", *options)

    assert [json.loads(text)["sequence"] for text in result.stdout.splitlines()] == [1]
