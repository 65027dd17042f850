"""The execution log over HTTP: paged from either end, of one action, searched."""

from typing import Any

import httpx
import pytest

from tests.support.callers import STRANGER
from tests.support.stack import Stack
from tests.support.submissions import error_of, submit_completed

LINES = """
    INSERT INTO request_events (request_id, run_id, seq, kind, at, data)
    SELECT $1, 'lines', n, 'log', now(), jsonb_build_object('level', 'info', 'attempt', 1,
        'actionId', CASE WHEN n % 2 = 0 THEN 'even' ELSE 'odd' END, 'data', '{}'::jsonb,
        'message', 'Line ' || n || ' 100%_done')
    FROM generate_series(1, 12) AS n ORDER BY n
"""


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    return {}


@pytest.fixture
def path(stack: Stack, dana: httpx.Client, found: dict[str, str]) -> str:
    """The log of a request with twelve lines of two actions behind its own."""
    if not found:
        made = submit_completed(dana)
        stack.rows(LINES, made["id"])
        found["path"] = f"/requests/{made['id']}/logs"
    return found["path"]


def pages(client: httpx.Client, path: str, **params: Any) -> list[list[dict[str, Any]]]:
    """Return all pages of a log, as they follow each other."""
    read: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(path, params=params | cursor)
        assert answer.status_code == 200, answer.text
        read.append(answer.json()["data"])
        if not answer.json()["pagination"]["hasMore"]:
            return read
        cursor = {"cursor": answer.json()["pagination"]["nextCursor"]}


def test_pages_back_give_the_same_lines_from_the_other_end(dana: httpx.Client, path: str) -> None:
    whole = dana.get(path).json()["data"]
    back = pages(dana, path, before="end", limit=5)
    assert [line for page in reversed(back) for line in page] == whole
    assert back[0] == whole[-5:]

    middle = whole[7]["sequence"]
    assert dana.get(path, params={"before": middle}).json()["data"] == whole[:7]
    first = dana.get(path, params={"before": whole[0]["sequence"]}).json()
    assert first == {"data": [], "pagination": {"hasMore": False, "nextCursor": None}}


def test_lines_of_one_action_and_a_text_are_found(dana: httpx.Client, path: str) -> None:
    def messages(**params: Any) -> list[str]:
        return [line["message"] for page in pages(dana, path, limit=2, **params) for line in page]

    even = [f"Line {n} 100%_done" for n in (2, 4, 6, 8, 10, 12)]
    assert messages(actionId="even") == even
    assert messages(actionId="even", q="LINE 1") == even[4:]
    # A text is a text: nothing in it stands for anything else.
    assert len(messages(q="100%_d")) == 12
    assert messages(q="100__done") == messages(actionId="no-such") == messages(component="x") == []
    assert messages(actionId="odd", before="end")[:2] == ["Line 9 100%_done", "Line 11 100%_done"]


def test_a_cursor_belongs_to_one_search_and_one_direction(dana: httpx.Client, path: str) -> None:
    def cursor(**params: Any) -> str:
        page = dana.get(path, params={"limit": 1, **params}).json()
        return str(page["pagination"]["nextCursor"])

    there, back, odd = cursor(), cursor(before="end"), cursor(actionId="odd")
    for wrong in (
        {"cursor": there, "before": "end"},
        {"cursor": back},
        {"cursor": odd},
        {"cursor": odd, "actionId": "even"},
        {"cursor": odd, "actionId": "odd", "q": "x"},
    ):
        assert dana.get(path, params=wrong).status_code == 400, wrong


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"before": "0"}, "before"),
        ({"before": "-1"}, "before"),
        ({"before": "1.5"}, "before"),
        ({"before": "begin"}, "before"),
        ({"before": ""}, "before"),
        ({"before": "9" * 30}, "before"),
        ({"q": "x" * 201}, "q"),
        ({"q": "\x00"}, "q"),
        ({"actionId": "\x00"}, "actionId"),
        ({"component": "\x00"}, "component"),
        ({"limit": "201"}, "limit"),
        ({"action": "even"}, "action"),
    ],
)
def test_what_cannot_be_asked_is_named(
    dana: httpx.Client, path: str, params: dict[str, str], field: str
) -> None:
    answer = dana.get(path, params=params)
    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")
    assert [one["field"] for one in error_of(answer)["details"]] == [field]


def test_nobody_searches_the_log_of_others(stack: Stack, path: str) -> None:
    answer = stack.caller(STRANGER).get(path, params={"q": "Line", "before": "end"})
    assert answer.status_code == 404
