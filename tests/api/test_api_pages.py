"""Pages and filters of the list: nothing is skipped, nothing shown twice, no cursor is forged."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.callers import ADA, PRIYA, STRANGER
from tests.support.stack import Stack
from tests.support.submissions import dns_body, error_of, submit, submit_completed, submit_failed

COPY = """
insert into requests (id, catalog_item_id, catalog_item_version, catalog_item_name, owner_team,
  item_definition, plan, user_id, user_email, user_teams, status, correlation_id, run_id,
  mirror_at, mirror_seq, created_at)
select gen_random_uuid(), catalog_item_id, catalog_item_version, catalog_item_name, owner_team,
  item_definition, plan, user_id, user_email, user_teams, status, $2, run_id, mirror_at,
  mirror_seq, timestamptz '2026-01-01' + ((n / 5) * interval '1 second')
from requests, generate_series(1, $3::int) n where id = $1
"""


def copies(stack: Stack, document: dict[str, Any], mark: str, count: int) -> None:
    """Store a request again and again, five at each moment."""
    stack.rows(COPY, document["id"], mark, count)


def walk(client: httpx.Client, **params: Any) -> Iterator[dict[str, Any]]:
    """Return the pages of the list."""
    cursor: dict[str, str] = {}
    while True:
        answer = client.get("/requests", params={**params, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page
        if not page["pagination"]["hasMore"]:
            assert page["pagination"]["nextCursor"] is None
            return
        cursor = {"cursor": page["pagination"]["nextCursor"]}


@pytest.mark.parametrize("limit", [1, 7, 10, 50, 200])
def test_pages_show_every_row_once_however_long_they_are(
    stack: Stack, dana: httpx.Client, limit: int
) -> None:
    mark = str(uuid4())
    copies(stack, submit_completed(dana), mark, 60 if limit > 1 else 12)
    stored = stack.rows(
        "select id from requests where correlation_id = $1 order by created_at desc, id desc", mark
    )
    pages = list(walk(dana, correlationId=mark, limit=limit))
    shown = [row["id"] for page in pages for row in page["data"]]
    assert shown == [str(row["id"]) for row in stored]
    assert all(len(page["data"]) == limit for page in pages[:-1])


def test_rows_inserted_while_paging_are_neither_skipped_nor_shown_twice(
    stack: Stack, dana: httpx.Client
) -> None:
    mark = str(uuid4())
    document = submit_completed(dana)
    copies(stack, document, mark, 40)
    before = {
        str(row["id"])
        for row in stack.rows("select id from requests where correlation_id = $1", mark)
    }
    shown: list[str] = []
    for page in walk(dana, correlationId=mark, limit=7):
        shown += [row["id"] for row in page["data"]]
        copies(stack, document, mark, 3)
    assert len(shown) == len(set(shown))
    assert before <= set(shown)


def test_the_oldest_that_wait_come_first_when_asked_for(stack: Stack, dana: httpx.Client) -> None:
    mark = str(uuid4())
    copies(stack, submit_failed(stack, dana), mark, 12)
    copies(stack, submit_completed(dana), mark, 3)
    stored = stack.rows(
        "select id from requests where correlation_id = $1 and status = 'failed'"
        " order by waiting_since, id",
        mark,
    )
    pages = walk(dana, correlationId=mark, sort="waiting", limit=5)
    shown = [row["id"] for page in pages for row in page["data"]]
    assert shown == [str(row["id"]) for row in stored]


def test_filters_narrow_the_list(stack: Stack, dana: httpx.Client) -> None:
    good, bad = submit_completed(dana), submit_failed(stack, dana)
    since = good["createdAt"]

    def found(**params: Any) -> set[str]:
        pages = walk(stack.caller(ADA), since=since, **params)
        return {row["id"] for page in pages for row in page["data"]}

    both = {good["id"], bad["id"]}
    assert both <= found()
    assert found(status="failed") & both == {bad["id"]}
    assert found(status=["failed", "completed"]) & both == both
    assert found(catalogItemId="network-dns-record") & both == both
    assert found(catalogItemId="storage-s3-bucket") & both == set()
    assert found(userId="dana") & both == both
    assert found(userId="priya") & both == set()
    assert found(team="team-orders") & both == both
    assert found(team="team-elsewhere") & both == set()
    assert found(externalReference=good["actions"][0]["externalReference"]) == {good["id"]}
    assert found(until=since) == set()


def test_the_list_shows_the_short_form(stack: Stack, dana: httpx.Client) -> None:
    document = submit_failed(stack, dana)
    [row] = dana.get("/requests", params={"correlationId": document["correlationId"]}).json()[
        "data"
    ]
    assert "actions" not in row
    assert "fields" not in row
    shared = {"id", "catalogItemId", "catalogItemVersion", "status", "createdAt", "updatedAt"}
    assert {name: row[name] for name in shared} == {name: document[name] for name in shared}
    assert row["error"]["message"] == document["error"]["message"]


@pytest.fixture
def cursor(dana: httpx.Client) -> str:
    for _ in range(2):
        submit(dana, dns_body())
    answer = dana.get("/requests", params={"limit": 1}).json()
    return str(answer["pagination"]["nextCursor"])


def expect_refusal(client: httpx.Client, path: str = "/requests", **params: Any) -> None:
    answer = client.get(path, params=params)
    assert answer.status_code == 400, answer.text
    found = error_of(answer)
    assert found["code"] == "VALIDATION_ERROR"
    assert found["details"][0]["field"].partition(".")[0] in {*params, "cursor"}


def test_a_cursor_that_was_tampered_with_is_refused(dana: httpx.Client, cursor: str) -> None:
    keys = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    keys["k"][0] = "2030-01-01T00:00:00+00:00"
    forged = base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")
    middle = len(cursor) // 2
    swapped = "A" if cursor[middle] != "A" else "B"
    for bad in (
        forged,
        cursor[:middle] + swapped + cursor[middle + 1 :],
        cursor[:-1],
        cursor + "A",
        "x",
        "",
        "%00",
        "\N{SLICE OF PIZZA}",
        "bnVsbA",
        base64.urlsafe_b64encode(b"[" * 1400).decode(),
        "x" * 2001,
    ):
        expect_refusal(dana, cursor=bad, limit=1)


def test_a_cursor_of_another_list_is_refused(dana: httpx.Client, cursor: str) -> None:
    document = submit_completed(dana)
    expect_refusal(dana, cursor=cursor, limit=1, status="failed")
    expect_refusal(dana, cursor=cursor, limit=1, sort="waiting")
    expect_refusal(dana, "/catalog", cursor=cursor)
    expect_refusal(dana, f"/requests/{document['id']}/logs", cursor=cursor)
    catalog = dana.get("/catalog", params={"limit": 1}).json()["pagination"]["nextCursor"]
    expect_refusal(dana, cursor=catalog)


def test_a_cursor_shows_nobody_more_than_they_may_see(stack: Stack, cursor: str) -> None:
    answer = stack.caller(STRANGER).get("/requests", params={"cursor": cursor, "limit": 1})
    assert answer.status_code in {200, 400}
    assert not answer.json().get("data")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", "", "10000000000000000000000"])
def test_a_limit_is_a_number_from_1_to_200(dana: httpx.Client, limit: str) -> None:
    expect_refusal(dana, limit=limit)
    expect_refusal(dana, "/catalog", limit=limit)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "done"),
        ("correlationId", "x"),
        ("since", "yesterday"),
        ("since", "2026-01-01T00:00:00"),
        ("until", "0000-00-00T00:00:00Z"),
        ("since", "0001-01-01T00:00:00+14:00"),
        ("until", "9999-12-31T23:59:59-14:00"),
        ("decidable", "you"),
        ("sort", "name"),
        ("userId", "a\x00b"),
        ("team", "\x00"),
        ("catalogItemId", "x" * 201),
        ("externalReference", "\x00"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(dana: httpx.Client, name: str, value: str) -> None:
    expect_refusal(dana, **{name: value})


def test_odd_moments_are_no_trouble(stack: Stack) -> None:
    for since in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00+14:00"):
        answer = stack.caller(PRIYA).get("/requests", params={"since": since, "limit": 1})
        assert answer.status_code == 200, answer.text
