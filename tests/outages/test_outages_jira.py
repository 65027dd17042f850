"""A JIRA that is slow, answers too much, or is away for so long that it is left alone."""

import httpx
import pytest

from sandbox.chaos.stack import JIRA, WORKER, ChaosStack
from tests.support.outages import LONG, assert_others_continue, health, retry, wait_for_status
from tests.support.stack import wait_until
from tests.support.submissions import dns_body, new_host

pytestmark = pytest.mark.outage


def jira_answers(stack: ChaosStack) -> bool:
    status: str = health(stack)["components"]["jira"]["default"]["status"]
    return status == "ok"


def breakers(stack: ChaosStack) -> list[str]:
    """Return the states of the breakers that health knows: none also while it cannot tell."""
    return [one["state"] for one in health(stack)["components"]["breakers"].values()]


@pytest.mark.parametrize("kind", ["drip", "huge"])
def test_a_jira_that_answers_too_slowly_or_too_much_holds_up_nobody_else(
    stack: ChaosStack, dana: httpx.Client, ada: httpx.Client, kind: str
) -> None:
    host = new_host()
    stack.add_creation_fault(host, kind=kind, times=None)
    document = dana.post("/requests", json=dns_body(host)).json()
    assert_others_continue(ada)
    wait_until(lambda: jira_answers(stack))
    failed = wait_for_status(dana, document, "failed")
    assert failed["error"]["outcomeUnknown"]
    stack.clear_faults()
    assert retry(dana, failed)["actions"][0]["adopted"]
    assert len(stack.tickets(host)) == 1


def test_a_jira_that_is_away_for_long_is_left_alone_and_tried_again(
    stack: ChaosStack, dana: httpx.Client
) -> None:
    host = new_host()
    stack.end(WORKER)
    stack.kill(JIRA)
    stack.add_worker("worker-strict", PAO_BREAKER_FAILURES="2", PAO_BREAKER_OPEN="2s")
    failed = [
        wait_for_status(dana, dana.post("/requests", json=dns_body(one)).json(), "failed")
        for one in (host, new_host(), new_host())
    ]
    assert [one["error"]["outcomeUnknown"] for one in failed] == [False] * 3
    [shown] = wait_until(lambda: breakers(stack), seconds=LONG)
    assert shown in {"open", "half-open"}
    stack.bring_up(JIRA)
    wait_until(lambda: jira_answers(stack) and breakers(stack) == ["half-open"], seconds=LONG)
    for one in failed:
        retry(dana, one)
    wait_until(lambda: not breakers(stack), seconds=LONG)
    assert len(stack.tickets(host)) == 1
    stack.bring_up(WORKER)
    stack.remove("worker-strict")
