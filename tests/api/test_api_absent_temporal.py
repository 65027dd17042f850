"""Without Temporal nothing is taken, nothing is stored, and everybody is told when to come back."""

from collections.abc import Iterator

import httpx
import pytest

from pao.app.local.ports import free_ports
from pao.app.local.postgres import PostgresAddress
from tests.support.callers import DANA
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import add_fault, dns_body, error_of, new_host


@pytest.fixture(scope="module")
def alone(
    postgres_address: PostgresAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A PAO whose Temporal is away: nothing listens at its address."""
    folder = tmp_path_factory.mktemp("alone")
    [port] = free_ports(1)
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, f"127.0.0.1:{port}", folder, with_worker=False) as stack,
    ):
        yield stack


def test_a_submission_is_refused_and_nothing_is_stored(alone: Stack) -> None:
    answer = alone.caller().post("/requests", json=dns_body(), headers={"Idempotency-Key": "k"})
    assert answer.status_code == 503, answer.text
    assert error_of(answer)["code"] == "SERVICE_UNAVAILABLE"
    assert int(answer.headers["Retry-After"]) > 0
    assert alone.rows("select 1 from requests") == []
    assert alone.rows("select 1 from idempotency_keys") == []
    assert alone.rows("select 1 from audit_logs where request_id is not null") == []


def test_what_is_wrong_with_a_submission_is_told_all_the_same(alone: Stack) -> None:
    assert alone.caller().post("/requests", json=dns_body("not a host")).status_code == 422
    assert alone.caller().post("/validate/request", json=dns_body()).status_code == 200


def test_health_and_readiness_name_what_is_away(alone: Stack) -> None:
    health = alone.anybody().get("/health")
    ready = alone.anybody().get("/health/ready")
    assert health.status_code == 200
    assert health.json()["status"] == "down"
    assert health.json()["components"]["temporal"]["status"] == "down"
    assert health.json()["components"]["database"]["status"] == "ok"
    assert ready.status_code == 503
    assert ready.json()["problems"] == ["Temporal does not respond"]


def test_reading_goes_on(alone: Stack) -> None:
    assert alone.caller().get("/requests").status_code == 200
    assert alone.caller().get("/catalog").status_code == 200


def test_a_client_that_hangs_up_changes_nothing(hasty_stack: Stack) -> None:
    host = new_host()
    add_fault(hasty_stack, host, "slow", seconds=0.5)
    client = hasty_stack.caller(DANA)
    with pytest.raises(httpx.ReadTimeout):
        client.post("/requests", json=dns_body(host), timeout=0.3)
    wanted = "select status from requests where fields->>'hostName' = $1"
    wait_until(lambda: hasty_stack.rows(wanted, host) == [{"status": "completed"}])
