"""A database that refuses PAO, or that PAO does not hear: said clearly, and over with its cause."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from pao.app.local.postgres import SERVICE
from tests.support.callers import DANA
from tests.support.event_loop import EventLoop
from tests.support.postgres import Database
from tests.support.postgres_proxy import LostAnswers, ProxyOptions, postgres_proxy
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import dns_body, error_of


@pytest.fixture
def idle(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    with running_stack(database, temporal_address, tmp_path, with_worker=False) as stack:
        yield stack


def as_superuser(database: Database, *statements: str) -> list[asyncpg.Record]:
    """Execute the statements; return the rows of the last."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database.superuser_url)
        try:
            for statement in statements:
                rows: list[asyncpg.Record] = await connection.fetch(statement)
        finally:
            await connection.close()
        return rows

    return asyncio.run(run())


END_SESSIONS = f"""
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE usename = '{SERVICE}' AND datname = current_database()
"""  # noqa: S608 -- our own name


def test_a_refused_login_is_503_everywhere_and_health_says_down(idle: Stack) -> None:
    database = idle.database
    dana = idle.caller(DANA)
    assert dana.get("/requests").status_code == 200
    refuse = f"REVOKE CONNECT ON DATABASE {database.name} FROM {SERVICE}"
    as_superuser(database, refuse, END_SESSIONS)

    health = idle.anybody().get("/health")
    assert health.status_code == 200
    assert health.json()["status"] == "down"
    found: dict[str, Any] = health.json()["components"]["database"]
    assert (found["status"], found["error"]) == ("down", "refuses the connection")
    ready = idle.anybody().get("/health/ready")
    assert ready.status_code == 503
    assert "the database refuses the connection" in ready.json()["problems"]
    for answer in (dana.get("/requests"), dana.post("/requests", json=dns_body())):
        assert answer.status_code == 503, answer.text
        assert error_of(answer)["code"] == "SERVICE_UNAVAILABLE"
        assert "refuses the connection" in error_of(answer)["message"]
        assert answer.headers["Retry-After"]
    assert idle.anybody().get("/metrics").status_code == 200

    as_superuser(database, f"GRANT CONNECT ON DATABASE {database.name} TO {SERVICE}")
    assert dana.get("/requests").status_code == 200
    wait_until(lambda: idle.anybody().get("/health").json()["status"] != "down")


@contextmanager
def behind(
    way: ProxyOptions, database: Database, temporal_address: str, home: Path
) -> Iterator[Stack]:
    with ExitStack() as stack:
        loop = stack.enter_context(closing(EventLoop()))
        proxy = postgres_proxy(database.service_url, way)
        environ = {"DATABASE_URL": loop.run(proxy.__aenter__())}
        stack.callback(lambda: loop.run(proxy.__aexit__(None, None, None)))
        yield stack.enter_context(
            running_stack(database, temporal_address, home, environ=environ, with_worker=False)
        )


@pytest.fixture
def behind_a_pooler(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    with behind(ProxyOptions(swallows_listen=True), database, temporal_address, tmp_path) as stack:
        yield stack


LOST = LostAnswers()
BRIEFLY = {"Prefer": "wait=1"}
NEW_REQUEST = b'"catalog_item_version":'
BUNDLE = {"catalogItemId": "bundle-webapp-standard", "fields": {"appName": "lost-answers"}}


@pytest.fixture
def losing(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    with behind(ProxyOptions(lost=LOST), database, temporal_address, tmp_path) as stack:
        yield stack


def test_a_process_that_hears_no_notifications_is_not_ready_and_says_why(
    behind_a_pooler: Stack,
) -> None:
    def told() -> bool:
        answer = behind_a_pooler.anybody().get("/health/ready")
        assert answer.status_code == 503
        return any("transaction pooling" in problem for problem in answer.json()["problems"])

    assert wait_until(told)


def stored(stack: Stack) -> list[str]:
    requests = as_superuser(stack.database, "SELECT id FROM requests WHERE parent_id IS NULL")
    return [str(row["id"]) for row in requests]


@pytest.mark.parametrize(
    ("lost", "body", "headers"),
    [
        ({"to": NEW_REQUEST}, dns_body(), {}),
        ({"to": NEW_REQUEST, "commit": True}, dns_body(), {"Idempotency-Key": "one"}),
        ({"to": NEW_REQUEST, "commit": True}, BUNDLE, {}),
        ({"to": b"replay_signatures"}, dns_body(), {}),
    ],
)
def test_a_submission_whose_answer_from_postgres_is_lost_is_made_once(
    losing: Stack, lost: dict[str, Any], body: dict[str, Any], headers: dict[str, str]
) -> None:
    LOST.lose(**lost)

    answer = losing.caller(DANA).post("/requests", json=body, headers=BRIEFLY | headers)

    assert LOST.times == 0
    assert answer.status_code == 202, answer.text
    assert "Idempotency-Replayed" not in answer.headers
    assert stored(losing) == [answer.json()["id"]]
    lines = "SELECT FROM audit_logs WHERE event_type = 'request.submitted' AND via = 'api'"
    assert len(as_superuser(losing.database, lines)) == 1 + len(answer.json().get("components", ()))


def test_a_submission_of_which_nothing_is_known_says_so_and_its_key_finds_it(losing: Stack) -> None:
    dana, body, key = losing.caller(DANA), dns_body(), {**BRIEFLY, "Idempotency-Key": "two"}
    LOST.lose(NEW_REQUEST, times=2, commit=True)

    unknown = dana.post("/requests", json=body, headers=key)

    assert LOST.times == 0
    assert (unknown.status_code, error_of(unknown)["code"]) == (503, "SERVICE_UNAVAILABLE")
    (there,) = stored(losing)
    assert f"whether the request {there} was stored is unknown" in error_of(unknown)["message"]
    again = dana.post("/requests", json=body, headers=key)
    assert (again.status_code, again.json()["id"]) == (200, there)
    assert stored(losing) == [there]


def test_an_item_of_another_version_is_503_and_the_others_are_served(idle: Stack) -> None:
    as_superuser(
        idle.database,
        "UPDATE catalog_items SET definition = '{}', generation = generation + 1"
        " WHERE id = 'network-dns-record'",
        "UPDATE catalog_state SET generation = generation + 1",
    )
    dana = idle.caller(DANA)

    def refused() -> bool:
        return dana.get("/catalog/items/network-dns-record").status_code == 503

    wait_until(refused)
    answer = dana.post("/requests", json=dns_body())
    assert (answer.status_code, error_of(answer)["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert "another version" in error_of(answer)["message"]
    assert dana.get("/catalog/items/storage-s3-bucket").status_code == 200
