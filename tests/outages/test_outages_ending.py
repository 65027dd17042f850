"""An API that is told to end: it says so at once, and answers what it has in hand."""

import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from chaos.world import API, KILL_SECONDS, World
from tests.support.outages import readiness
from tests.support.stack import wait_until
from tests.support.submitting import dns, new_host

pytestmark = pytest.mark.outage


def test_an_api_that_is_told_to_end_is_unready_at_once_and_answers_what_it_has_in_hand(
    world: World, dana: httpx.Client
) -> None:
    host, patience = new_host(), {"Prefer": "wait=20"}
    world.strike(host, kind="slow", seconds=3, when="before")
    process = world.parts[API].process
    assert process is not None
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(dana.post, "/requests", json=dns(host), headers=patience)
        wait_until(lambda: not world.faults())
        process.send(signal.SIGTERM)
        wait_until(lambda: readiness(world) == 503)
        assert not call.done()
        answer = call.result()
    assert (answer.status_code, answer.json()["status"]) == (201, "completed")
    assert process.wait(KILL_SECONDS)
    assert process.exit_code() == 0
    assert not [line for line in process.drain() if "Traceback" in line or "ERROR" in line]
    assert len(world.tickets(host)) == 1
