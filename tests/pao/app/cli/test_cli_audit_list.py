from typing import Any

from tests.pao.app.cli.scripted import Pao, Service

LINE: dict[str, Any] = {
    "id": 7,
    "at": "2026-03-05T14:07:09.123Z",
    "eventType": "request.retry",
    "actor": "priya",
    "via": "api",
    "reason": "quota\x1b[31m raised",
    "requestId": "0d2f7f5e-6a5b-4f0c-9a1c-2f1c3f7d9b11",
    "actionId": None,
    "correlationId": "3c637320-1a02-4326-b551-18c5f64130c0",
    "sourceSystem": "workflow",
    "data": {},
}
KEY = LINE | {
    "id": 6,
    "eventType": "key.revoked",
    "requestId": None,
    "reason": None,
    "data": {"accessKeyId": "PAO5XQ2KJ7LMNOPQRSTU"},
}
LAST = {"hasMore": False, "nextCursor": None}


def test_lines_are_listed_with_what_they_are_about(pao: Pao, service: Service) -> None:
    service.on("GET", "/audit", {"data": [LINE, KEY], "pagination": LAST})

    result = pao("audit", "list", "--actor", "priya", "--event", "key.*", "--since", "2026-01-01")

    assert result.exit_code == 0
    assert LINE["requestId"] in result.stdout
    assert "PAO5XQ2KJ7LMNOPQRSTU" in result.stdout
    assert "\x1b" not in result.stdout
    [call] = service.calls
    assert call.is_signed
    query = dict(call.query)
    assert (query["actor"], query["eventType"]) == ("priya", "key.*")
    assert query["since"].startswith("2025-12-31") or query["since"].startswith("2026-01-01")


def test_an_empty_list_and_a_wrong_time_are_said(pao: Pao, service: Service) -> None:
    service.on("GET", "/audit", {"data": [], "pagination": LAST})

    assert "No matching entries." in pao("audit", "list").stderr
    wrong = pao("audit", "list", "--until", "later")
    assert wrong.exit_code == 2
    assert "--until 'later' is not a time" in wrong.stderr
