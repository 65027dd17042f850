"""A JIRA that is slow, answers too much, or is away for so long that it is left alone."""

import httpx
import pytest

from sandbox.chaos.world import JIRA, WORKER, World
from tests.support.outages import LONG, health, others_go_on, reached, retry
from tests.support.stack import wait_until
from tests.support.submitting import dns, new_host

pytestmark = pytest.mark.outage


def jira_answers(world: World) -> bool:
    status: str = health(world)["components"]["jira"]["default"]["status"]
    return status == "ok"


def breakers(world: World) -> list[str]:
    """Return the states of the breakers that health knows: none also while it cannot tell."""
    return [one["state"] for one in health(world)["components"]["breakers"].values()]


@pytest.mark.parametrize("kind", ["drip", "huge"])
def test_a_jira_that_answers_too_slowly_or_too_much_holds_up_nobody_else(
    world: World, dana: httpx.Client, ada: httpx.Client, kind: str
) -> None:
    host = new_host()
    world.strike(host, kind=kind, times=None)
    document = dana.post("/requests", json=dns(host)).json()
    others_go_on(ada)
    wait_until(lambda: jira_answers(world))
    failed = reached(dana, document, "failed")
    assert failed["error"]["outcomeUnknown"]
    world.lift_faults()
    assert retry(dana, failed)["actions"][0]["adopted"]
    assert len(world.tickets(host)) == 1


def test_a_jira_that_is_away_for_long_is_left_alone_and_tried_again(
    world: World, dana: httpx.Client
) -> None:
    host = new_host()
    world.end(WORKER)
    world.kill(JIRA)
    world.add_worker("worker-strict", PAO_BREAKER_FAILURES="2", PAO_BREAKER_OPEN="2s")
    failed = [
        reached(dana, dana.post("/requests", json=dns(one)).json(), "failed")
        for one in (host, new_host(), new_host())
    ]
    assert [one["error"]["outcomeUnknown"] for one in failed] == [False] * 3
    [shown] = wait_until(lambda: breakers(world), seconds=LONG)
    assert shown in {"open", "half-open"}
    world.bring_up(JIRA)
    wait_until(lambda: jira_answers(world) and breakers(world) == ["half-open"], seconds=LONG)
    for one in failed:
        retry(dana, one)
    wait_until(lambda: not breakers(world), seconds=LONG)
    assert len(world.tickets(host)) == 1
    world.bring_up(WORKER)
    world.remove("worker-strict")
