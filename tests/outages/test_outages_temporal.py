"""Temporal away: at a submission, before and after it is stored, and with requests that wait."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import asyncpg
import httpx
import pytest
from temporalio.service import RPCError, RPCStatusCode

from sandbox.chaos.stack import TEMPORAL, WORKER, ChaosStack
from tests.support.outages import (
    LONG,
    assert_others_continue,
    health,
    readiness,
    retry,
    submit,
    wait_for_status,
)
from tests.support.stack import wait_until
from tests.support.submissions import dns_body, new_host
from tests.support.worker import eventually

pytestmark = pytest.mark.outage

T = TypeVar("T")

WAITING = "SELECT count(*) FROM pg_locks WHERE relation = 'requests'::regclass AND NOT granted"
ROWS = "SELECT count(*) FROM requests WHERE fields->>'hostName' = $1"


async def rows_of(stack: ChaosStack, host: str) -> int:
    connection = await asyncpg.connect(stack.postgres.owner_url)
    try:
        return int(await connection.fetchval(ROWS, host))
    finally:
        await connection.close()


async def lose_temporal_between(stack: ChaosStack, call: Callable[[], T]) -> T:
    """Hold a submission where it writes its row, take Temporal away, and let it go on."""
    connection = await asyncpg.connect(stack.postgres.owner_url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE requests IN EXCLUSIVE MODE")
            answer = asyncio.create_task(asyncio.to_thread(call))
            await eventually(lambda: connection.fetchval(WAITING))
            stack.kill(TEMPORAL)
        return await answer
    finally:
        await connection.close()


def test_temporal_away_before_storing_refuses_and_stores_nothing(
    stack: ChaosStack, dana: httpx.Client
) -> None:
    host = new_host()
    stack.kill(TEMPORAL)
    told = health(stack)
    assert (told["status"], told["components"]["temporal"]["status"]) == ("down", "down")
    assert readiness(stack) == 503
    answer = dana.post("/requests", json=dns_body(host), headers={"Idempotency-Key": host})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert asyncio.run(rows_of(stack, host)) == 0
    stack.bring_up(TEMPORAL)
    wait_until(stack.is_ready, seconds=LONG)
    again = dana.post("/requests", json=dns_body(host), headers={"Idempotency-Key": host})
    assert again.status_code in {201, 202}, again.text
    wait_for_status(dana, again.json(), "completed")
    assert len(stack.tickets(host)) == 1


def test_temporal_lost_after_storing_answers_202_and_the_sweep_starts_the_request(
    stack: ChaosStack, dana: httpx.Client, ada: httpx.Client
) -> None:
    host, key = new_host(), {"Idempotency-Key": new_host()}
    document = asyncio.run(lose_temporal_between(stack, lambda: submit(dana, host, 202, **key)))
    assert document["status"] == "submitted"
    assert submit(dana, host, 200, **key)["id"] == document["id"]
    stack.bring_up(TEMPORAL)
    stack.trigger("sweep")
    wait_for_status(dana, document, "completed")
    assert len(stack.tickets(host)) == 1
    assert_others_continue(ada)


def test_temporal_restarted_with_failed_requests_takes_decisions_about_them(
    stack: ChaosStack, dana: httpx.Client, ada: httpx.Client
) -> None:
    hosts = [new_host() for _ in range(3)]
    failed = []
    for host in hosts:
        stack.add_creation_fault(host, kind="status", status=400)
        failed.append(
            wait_for_status(dana, dana.post("/requests", json=dns_body(host)).json(), "failed")
        )
    stack.clear_faults()
    stack.kill(TEMPORAL)
    away = dana.post(f"/requests/{failed[0]['id']}/retry", json={"reason": "too early"})
    assert away.status_code == 503, away.text
    assert dana.get(f"/requests/{failed[0]['id']}").json()["status"] == "failed"
    stack.bring_up(TEMPORAL)
    wait_until(stack.is_ready, seconds=LONG)
    retry(dana, failed[0])
    for kind, document in zip(("abort", "escalate"), failed[1:], strict=True):
        answer = dana.post(f"/requests/{document['id']}/{kind}", json={"reason": "enough"})
        assert answer.is_success, answer.text
    wait_for_status(dana, failed[1], "aborted")
    wait_for_status(dana, failed[2], "escalated")
    assert [len(stack.tickets(host)) for host in hosts[:2]] == [1, 0]
    assert_others_continue(ada)


def test_a_temporal_that_has_lost_everything_is_told_the_open_requests_again(
    stack: ChaosStack, dana: httpx.Client, ada: httpx.Client
) -> None:
    host = new_host()
    stack.add_creation_fault(host, kind="status", status=400)
    document = wait_for_status(dana, dana.post("/requests", json=dns_body(host)).json(), "failed")
    stack.kill(TEMPORAL)
    stack.lose_history()
    stack.bring_up(TEMPORAL)
    stack.end(WORKER)
    stack.bring_all_up()
    # The worker makes its schedules anew soon after it is ready; a turn is left out while one runs.
    told = wait_until(
        lambda: taken_up(dana, document) if is_triggered(stack, "reconcile") else None, seconds=LONG
    )
    assert told is not None
    assert told["status"] == "failed"
    retry(dana, document)
    assert len(stack.tickets(host)) == 1
    assert_others_continue(ada)


def is_triggered(stack: ChaosStack, schedule: str) -> bool:
    try:
        stack.trigger(schedule)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        # A worker that came before the new Temporal knew its namespace has ended, as it should.
        stack.bring_up(WORKER)
        return False
    return True


def taken_up(client: httpx.Client, document: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] = client.get(f"/requests/{document['id']}").json()
    lines = client.get(f"/requests/{document['id']}/logs").json()["data"]
    known = any("no longer knows" in str(line["message"]) for line in lines)
    return found if known else None
