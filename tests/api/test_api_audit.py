"""The audit trail over HTTP: pages, filters, the export."""

import json

import httpx
import pytest

from tests.support.callers import ADA, DANA
from tests.support.stack import Stack
from tests.support.submissions import submit_completed


@pytest.fixture
def ada(stack: Stack) -> httpx.Client:
    return stack.caller(ADA)


def test_a_request_s_lines_are_found_the_newest_first(
    ada: httpx.Client, dana: httpx.Client
) -> None:
    request = submit_completed(dana)

    page = ada.get("/audit", params={"requestId": request["id"]}).json()
    types = [line["eventType"] for line in page["data"]]
    assert types[-1] == "request.submitted"
    assert types[0] == "request.completed"
    assert {line["correlationId"] for line in page["data"]} == {request["correlationId"]}
    assert {line["actor"] for line in page["data"] if line["via"] == "api"} == {"dana"}
    ids = [line["id"] for line in page["data"]]
    assert ids == sorted(ids, reverse=True)


def test_pages_and_the_export_hold_each_line_once(ada: httpx.Client, dana: httpx.Client) -> None:
    request = submit_completed(dana)
    asked = {"requestId": request["id"], "limit": "1"}

    seen, cursor = [], None
    while True:
        page = ada.get("/audit", params=asked | ({"cursor": cursor} if cursor else {})).json()
        seen += page["data"]
        cursor = page["pagination"]["nextCursor"]
        if cursor is None:
            break
    exported = ada.get("/audit/export", params={"requestId": request["id"]})
    assert exported.headers["Content-Type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in exported.text.splitlines()] == seen
    assert len(seen) > 2


def test_filters_narrow_and_bad_ones_are_named(ada: httpx.Client, dana: httpx.Client) -> None:
    submit_completed(dana)
    by_dana = ada.get("/audit", params={"actor": "dana", "eventType": "request.submitted"}).json()
    assert {line["actor"] for line in by_dana["data"]} == {"dana"}
    assert {line["eventType"] for line in by_dana["data"]} == {"request.submitted"}
    assert ada.get("/audit", params={"until": "2020-01-01T00:00:00Z"}).json()["data"] == []
    # An underscore or a percent sign is no wildcard.
    assert ada.get("/audit", params={"eventType": "r_quest.*"}).json()["data"] == []

    for bad in (
        {"since": "yesterday"},
        {"since": "2026-01-01T00:00:00"},
        {"actor": "a\x00"},
        {"colour": "red"},
    ):
        assert ada.get("/audit", params=bad).status_code == 400, bad


def test_a_request_is_named_in_any_way_and_by_its_id_for_ever(
    ada: httpx.Client, dana: httpx.Client
) -> None:
    request = submit_completed(dana)
    for name in (request["id"][:8], request["correlationId"]):
        page = ada.get("/audit", params={"requestId": name}).json()
        assert {line["requestId"] for line in page["data"]} == {request["id"]}
    gone = ada.get("/audit", params={"requestId": "00000000-0000-4000-8000-000000000000"})
    assert (gone.status_code, gone.json()["data"]) == (200, [])
    assert ada.get("/audit", params={"requestId": "NONE-1"}).status_code == 404


@pytest.mark.parametrize("path", ["/audit", "/audit/export"])
def test_only_admins_read_it(stack: Stack, path: str) -> None:
    refused = stack.caller(DANA).get(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
