"""An API that is told to end: it says so at once, and answers what it has in hand."""

import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sandbox.chaos.stack import API, KILL_SECONDS, ChaosStack
from tests.support.outages import readiness
from tests.support.stack import wait_until
from tests.support.submissions import dns_body, new_host

pytestmark = pytest.mark.outage


def test_an_api_that_is_told_to_end_is_unready_at_once_and_answers_what_it_has_in_hand(
    stack: ChaosStack, dana: httpx.Client
) -> None:
    host, patience = new_host(), {"Prefer": "wait=20"}
    stack.add_creation_fault(host, kind="slow", seconds=3, when="before")
    process = stack.parts[API].process
    assert process is not None
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(dana.post, "/requests", json=dns_body(host), headers=patience)
        wait_until(lambda: not stack.faults())
        process.send(signal.SIGTERM)
        wait_until(lambda: readiness(stack) == 503)
        assert not call.done()
        answer = call.result()
    assert (answer.status_code, answer.json()["status"]) == (201, "completed")
    assert process.wait(KILL_SECONDS)
    assert process.exit_code() == 0
    assert not [line for line in process.drain() if "Traceback" in line or "ERROR" in line]
    assert len(stack.tickets(host)) == 1


def test_an_api_serves_on_through_its_drain_time_and_then_sends_its_streams_elsewhere(
    stack: ChaosStack, dana: httpx.Client
) -> None:
    url = stack.add_api("draining", PAO_DRAIN="1h")
    process = stack.parts["draining"].process
    assert process is not None
    host = new_host()
    stack.add_creation_fault(host, kind="status", status=400)
    failed = dana.post("/requests", json=dns_body(host)).json()
    path = f"/requests/{failed['id']}/events"
    with (
        ThreadPoolExecutor(1) as pool,
        stack.client("dana", url=url) as client,
        client.stream("GET", path) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines)
        process.send(signal.SIGTERM)
        wait_until(lambda: client.get("/health/ready").status_code == 503)
        answer = client.post("/requests", json=dns_body())
        assert (answer.status_code, answer.headers["Connection"]) == (201, "close")
        reading = pool.submit(list, lines)
        assert not reading.done()
        process.send(signal.SIGTERM)
        rest = reading.result()
    assert [line for line in rest if line.startswith("retry: ")]
    assert process.wait(KILL_SECONDS)
    assert process.exit_code() == 0
    assert not [line for line in process.drain() if "Traceback" in line or "ERROR" in line]
    dana.post(f"/requests/{failed['id']}/abort", json={"reason": "a test"})
