"""Postgres stands still for twenty seconds, its connections open: the worst way to be away."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from pao.clients.inspection import WorkflowInspector, WorkflowUnansweredError
from pao.clients.temporal_connection import TemporalTarget, connect
from pao.core.names import workflow_id
from pao.core.payloads.mirror import Snapshot
from sandbox.chaos.stack import POSTGRES, QUEUE, ChaosStack
from tests.support.outages import assert_others_continue, health, readiness, submit, wait_for_status
from tests.support.stack import wait_until
from tests.support.submissions import dns_body, new_host

pytestmark = pytest.mark.outage

AWAY_SECONDS = 20.0


async def signal_retry(stack: ChaosStack, request_id: str) -> None:
    client = await connect(TemporalTarget(address=stack.temporal_address))
    handle = client.get_workflow_handle(workflow_id(request_id))
    await handle.signal("retry", {"by": "an operator", "reason": "JIRA is back"})


async def told_by_workflow(stack: ChaosStack, request_id: str) -> Snapshot | None:
    client = await connect(TemporalTarget(address=stack.temporal_address))
    try:
        return await WorkflowInspector(client, task_queue=QUEUE).snapshot(request_id, "")
    except WorkflowUnansweredError:
        return None


def retries(stack: ChaosStack, document: dict[str, Any]) -> object:
    told = asyncio.run(told_by_workflow(stack, document["id"]))
    return told is not None and (told.retrying or told.status != "failed")


def test_postgres_standing_still_for_twenty_seconds_holds_up_no_signal_and_loses_nothing(
    stack: ChaosStack, dana: httpx.Client, ada: httpx.Client
) -> None:
    waiting, running, refused = new_host(), new_host(), new_host()
    stack.add_creation_fault(waiting, kind="status", status=400)
    failed = wait_for_status(dana, dana.post("/requests", json=dns_body(waiting)).json(), "failed")
    stack.add_creation_fault(running, kind="slow", seconds=2, when="before")
    document = submit(dana, running, 202)
    wait_until(lambda: not any(running in str(fault) for fault in stack.faults()))
    stack.clear_faults()
    back = time.monotonic() + AWAY_SECONDS
    stack.pause(POSTGRES)
    asyncio.run(signal_retry(stack, failed["id"]))
    wait_until(lambda: retries(stack, failed))
    told = health(stack)
    assert (told["status"], told["components"]["database"]["status"]) == ("down", "down")
    assert readiness(stack) == 503
    key = {"Idempotency-Key": refused}
    answer = ada.post("/requests", json=dns_body(refused), headers=key)
    assert answer.status_code == 503, answer.text
    wait_until(lambda: stack.tickets(running))
    wait_until(lambda: time.monotonic() > back, seconds=AWAY_SECONDS + 1)
    stack.resume(POSTGRES)
    for one in (document, failed):
        wait_for_status(dana, one, "completed")
    again = ada.post("/requests", json=dns_body(refused), headers=key)
    wait_for_status(ada, again.json(), "completed")
    assert [len(stack.tickets(host)) for host in (waiting, running, refused)] == [1, 1, 1]
    assert_others_continue(ada)
