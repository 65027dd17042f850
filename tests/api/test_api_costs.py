"""What calls cost in statements and threads of the API, which no machine's speed changes.

A figure that rises is a decision: say in the commit what it buys. One that falls is lowered here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import Any

import httpx
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from api.app import ROUTERS
from api.queries import refuse_unknown_parameters
from tests.support.stack import Stack
from tests.support.submissions import dns_body, submit, submit_completed, submit_failed

SUBMISSION = {"access_keys": 1, "replay_signatures": 1, "given": 1}
READING = {"requests": 1, "request_actions": 1, "decisions": 1, "cleanups_done": 1}


@contextmanager
def counted(stack: Stack) -> Iterator[dict[str, int]]:
    """Count the statements of the API's own connections by the table that they begin with."""
    counts: dict[str, int] = {}
    pool = stack.services.reading.database._engine.pool

    def note(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        # The processes that live are counted at intervals of their own.
        if connection.engine.pool is pool and "pg_stat_activity" not in statement:
            table = _table(statement)
            # An API looks by itself, now and then, which catalog is in service.
            if table != "catalog_state":
                counts[table] = counts.get(table, 0) + 1

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield counts
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _table(statement: str) -> str:
    words = statement.split()
    before = next(word for word in ("FROM", "INTO", "UPDATE", "WITH") if word in words)
    if words[0] in {"WITH", "INSERT"}:
        before = "WITH" if words[0] == "WITH" else "INTO"
    return words[words.index(before) + 1]


def dependencies(dependant: Dependant) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from dependencies(one)


def test_what_a_call_depends_on_takes_no_thread() -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    calls = {refuse_unknown_parameters}.union(*(dependencies(one.dependant) for one in routes))

    assert len(calls) > 3
    assert [one for one in calls if not iscoroutinefunction(one)] == []


def test_a_submission_takes_three_statements_and_its_answer_none(
    stack: Stack, dana: httpx.Client
) -> None:
    submit_completed(dana)
    with counted(stack) as counts:
        submit_completed(dana)
    assert counts == SUBMISSION


def test_what_is_not_completed_is_read(stack: Stack, dana: httpx.Client) -> None:
    with counted(stack) as counts:
        submit_failed(stack, dana)
    assert counts == SUBMISSION | READING | {"requests": 2}  # and whether the caller may decide


def test_an_idempotency_key_adds_two(stack: Stack, dana: httpx.Client) -> None:
    submit_completed(dana)
    with counted(stack) as counts:
        submit(dana, dns_body(), **{"Idempotency-Key": "costs"})
    assert counts == SUBMISSION | {"idempotency_keys": 2}


def test_a_page_of_the_list_takes_as_many_however_long_it_is(
    stack: Stack, dana: httpx.Client
) -> None:
    for _ in range(3):
        submit_completed(dana)
    for limit in (1, 3):
        with counted(stack) as counts:
            assert len(dana.get("/requests", params={"limit": limit}).json()["data"]) == limit
        # The caller's key, the requests, and the actions of all of them.
        assert sum(counts.values()) == 3


def test_the_catalog_is_read_from_memory(stack: Stack, dana: httpx.Client) -> None:
    dana.get("/catalog")
    with counted(stack) as counts:
        assert dana.get("/catalog").status_code == 200
        assert dana.get("/catalog/items/network-dns-record/schema").status_code == 200
    assert counts == {"access_keys": 2}


def test_what_is_large_is_compressed_for_whoever_takes_it(dana: httpx.Client) -> None:
    whole, row = "/openapi.json", "/requests?limit=1"
    packed = {path: dana.get(path) for path in (whole, row)}
    assert packed[whole].headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed[whole].headers["Vary"]
    assert "Content-Encoding" not in packed[row].headers
    plain = dana.get(whole, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.json() == packed[whole].json()
    assert packed[whole].num_bytes_downloaded < plain.num_bytes_downloaded / 4
