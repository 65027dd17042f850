"""Errors of the framework, of too many calls and of our own making: one envelope for all."""

from collections.abc import Iterator
from datetime import datetime

import httpx
import pytest

from pao.app.local.postgres import PostgresAddress
from tests.support.callers import ADA, DANA
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack
from tests.support.submissions import dns_body, error_of, submit_completed


@pytest.mark.parametrize("path", ["/nowhere", "/requests/", "/catalog/items", "/docs/nowhere"])
def test_a_path_that_is_not_there_is_not_found(dana: httpx.Client, path: str) -> None:
    answer = dana.get(path)
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "NOT_FOUND"


def test_outside_of_the_api_are_the_pages_which_no_signature_opens(
    stack: Stack, dana: httpx.Client
) -> None:
    for path in ("/docs", "/openapi.json", "/redoc", "/api"):
        answer = dana.get(f"{stack.url}{path}")
        assert answer.status_code == 303, path
        assert answer.headers["location"] == f"/signin?to={path}"
    assert dana.get(f"{stack.url}/x", headers={"Accept": "application/json"}).status_code == 401
    answer = dana.get(f"{stack.url}/api/v2/requests")
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/requests", {"GET", "POST"}),
        ("PUT", "/catalog", {"GET"}),
        ("GET", "/validate/request", {"POST"}),
        ("PATCH", "/requests/00000000-0000-4000-8000-000000000000", {"GET"}),
        ("POST", "/health", {"GET"}),
        ("OPTIONS", "/requests", {"GET", "POST"}),
    ],
)
def test_a_method_that_is_not_possible_is_told_which_are(
    dana: httpx.Client, method: str, path: str, allowed: set[str]
) -> None:
    answer = dana.request(method, path)
    assert answer.status_code == 405
    assert error_of(answer)["code"] == "METHOD_NOT_ALLOWED"
    assert set(answer.headers["Allow"].split(", ")) <= allowed


def test_the_envelope_says_when(dana: httpx.Client) -> None:
    told = error_of(dana.get("/nowhere"))["timestamp"]
    assert told.endswith("Z")
    assert len(told) == len("2026-01-01T00:00:00.000Z")
    assert datetime.fromisoformat(told)


def test_nothing_is_told_of_an_error_that_nobody_foresaw(
    stack: Stack, dana: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """A stored definition that no code of ours can read stands for every such error."""
    document = submit_completed(dana)
    stack.rows(
        "insert into requests (id, catalog_item_id, catalog_item_version, catalog_item_name,"
        " item_definition, plan, user_id, status, correlation_id)"
        " select gen_random_uuid(), 'x', '1', 'x', '{}', '[1]', user_id, 'failed', id"
        " from requests where id = $1",
        document["id"],
    )
    [row] = stack.rows("select id from requests where correlation_id = $1", document["id"])
    answer = dana.post(f"/requests/{row['id']}/retry", json={"reason": "x", "dryRun": True})
    assert answer.status_code == 500
    assert error_of(answer)["code"] == "INTERNAL_ERROR"
    for hidden in ("Traceback", "File ", ".py", "select", "KeyError", "TypeError"):
        assert hidden not in answer.text
    [record] = [one for one in caplog.records if one.exc_info and one.name == "api.error_responses"]
    assert record.levelname == "ERROR"


@pytest.fixture(scope="module")
def strict(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A PAO that takes five calls a minute."""
    folder = tmp_path_factory.mktemp("strict")
    environ = {"RATE_LIMIT_REQUESTS_PER_MINUTE": "5"}
    with (
        cloned_database(postgres_address) as database,
        running_stack(
            database, temporal_address, folder, environ=environ, with_worker=False
        ) as stack,
    ):
        yield stack


def test_too_many_calls_are_refused_with_when_to_come_back(strict: Stack) -> None:
    client = strict.caller(DANA)
    answers = [client.get("/catalog") for _ in range(7)]
    refused = answers[-1]
    assert 429 in {answer.status_code for answer in answers[5:]}
    assert answers[0].headers["RateLimit-Limit"] == "5"
    assert [answer.status_code for answer in answers[:5]].count(200) >= 4
    assert refused.status_code == 429
    assert error_of(refused)["code"] == "RATE_LIMIT_EXCEEDED"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert int(refused.headers["RateLimit-Reset"]) >= 1


def test_a_caller_who_calls_too_often_stores_nothing_and_stops_nobody_else(strict: Stack) -> None:
    client = strict.caller(DANA)
    answers = [client.post("/requests", json=dns_body()).status_code for _ in range(12)]
    assert answers[-1] == 429
    stored = strict.rows("select count(*) n from requests")[0]["n"]
    assert stored == sum(code == 202 for code in answers)
    assert strict.caller(ADA).get("/catalog").status_code == 200


def test_probes_are_not_counted(strict: Stack) -> None:
    codes = {strict.anybody().get("/version").status_code for _ in range(12)}
    assert codes == {200}


def test_who_guesses_signatures_is_slowed_down(strict: Stack) -> None:
    codes = [strict.anybody().get("/catalog").status_code for _ in range(12)]
    assert codes[0] == 401
    assert codes[-1] == 429
