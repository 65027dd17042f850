"""Bad days: parts are killed, stopped and away while people submit and decide.

After each: no request is lost, no ticket is there twice, the mirror equals the workflow, and what
others asked for went on.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from sandbox.chaos.stack import API, JIRA, POSTGRES, WORKER, ChaosStack
from tests.support.outages import (
    assert_others_continue,
    health,
    readiness,
    retry,
    submit,
    wait_for_status,
)
from tests.support.stack import wait_until
from tests.support.submissions import dns_body, new_host

pytestmark = pytest.mark.outage


def test_without_any_worker_a_request_waits_and_goes_on_when_one_comes(
    stack: ChaosStack, dana: httpx.Client
) -> None:
    host = new_host()
    stack.kill(WORKER)
    document = submit(dana, host, 202)
    assert document["status"] == "submitted"
    assert stack.tickets(host) == []
    stack.bring_up(WORKER)
    wait_for_status(dana, document, "completed")
    assert len(stack.tickets(host)) == 1


@pytest.mark.parametrize(
    "when", ["before", "after"], ids=["before the ticket is made", "after it is made"]
)
def test_a_worker_killed_while_jira_holds_its_call_leaves_one_ticket(
    stack: ChaosStack, dana: httpx.Client, ada: httpx.Client, when: str
) -> None:
    host = new_host()
    stack.add_creation_fault(host, kind="slow", seconds=3, when=when)
    document = submit(dana, host, 202)
    wait_until(lambda: not stack.faults())
    if when == "after":
        wait_until(lambda: stack.tickets(host))
    stack.kill(WORKER)
    stack.bring_up(WORKER)
    assert_others_continue(ada)
    failed = wait_for_status(dana, document, "failed")
    assert failed["error"]["outcomeUnknown"]
    wait_until(lambda: stack.tickets(host))
    assert retry(dana, document)["actions"][0]["adopted"]
    assert len(stack.tickets(host)) == 1


def test_an_api_killed_after_the_start_loses_nothing_and_repeats_its_answer(
    stack: ChaosStack, dana: httpx.Client, ada: httpx.Client
) -> None:
    host, key = new_host(), {"Idempotency-Key": new_host()}
    stack.add_creation_fault(host, kind="slow", seconds=1, when="before")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(dana.post, "/requests", json=dns_body(host), headers=key)
        wait_until(lambda: not stack.faults())
        stack.kill(API)
        assert isinstance(call.exception(), httpx.TransportError)
    stack.bring_all_up()
    again = submit(dana, host, 200, **key)
    wait_for_status(dana, again, "completed")
    assert len(stack.tickets(host)) == 1
    assert_others_continue(ada)


def test_postgres_away_in_the_middle_and_at_submission(
    stack: ChaosStack, dana: httpx.Client, ada: httpx.Client
) -> None:
    host, other = new_host(), new_host()
    stack.add_creation_fault(host, kind="slow", seconds=2, when="before")
    document = submit(dana, host, 202)
    wait_until(lambda: not stack.faults())
    stack.kill(POSTGRES)
    refused = ada.post("/requests", json=dns_body(other), headers={"Idempotency-Key": other})
    assert refused.status_code == 503, refused.text
    assert readiness(stack) == 503
    told = health(stack)
    assert (told["status"], told["components"]["database"]["status"]) == ("down", "down")
    wait_until(lambda: stack.tickets(host))
    stack.bring_up(POSTGRES)
    wait_for_status(dana, document, "completed")
    assert len(stack.tickets(host)) == 1
    again = ada.post("/requests", json=dns_body(other), headers={"Idempotency-Key": other})
    wait_for_status(ada, again.json(), "completed")
    assert len(stack.tickets(other)) == 1


def test_a_deploy_ends_the_old_worker_while_requests_run_and_none_of_them_fails(
    stack: ChaosStack, dana: httpx.Client
) -> None:
    hosts = [new_host() for _ in range(4)]
    for host in hosts:
        stack.add_creation_fault(host, kind="slow", seconds=1.5, when="before")
    documents = [submit(dana, host, 202) for host in hosts[:2]]
    stack.add_worker("worker-new")
    documents += [submit(dana, host, 202) for host in hosts[2:]]
    stack.end(WORKER)
    for document in documents:
        wait_for_status(dana, document, "completed")
    assert [len(stack.tickets(host)) for host in hosts] == [1, 1, 1, 1]
    assert_others_continue(dana)
    stack.bring_up(WORKER)
    stack.remove("worker-new")


@pytest.mark.parametrize(
    ("fault", "unknown"),
    [
        ({"kind": "status", "status": 400}, False),
        ({"kind": "html-login"}, True),
        ({"kind": "html-login", "status": 302}, True),
        ({"kind": "not-json-201"}, True),
    ],
    ids=["a refusal", "a login page", "a redirect to one", "garbage"],
)
def test_a_jira_that_answers_nonsense_fails_the_request_and_a_retry_leaves_one_ticket(
    stack: ChaosStack, dana: httpx.Client, fault: dict[str, Any], unknown: object
) -> None:
    host = new_host()
    stack.add_creation_fault(host, **fault)
    answer = dana.post("/requests", json=dns_body(host))
    failed = wait_for_status(dana, answer.json(), "failed")
    assert failed["error"]["outcomeUnknown"] is unknown
    stack.clear_faults()
    retry(dana, failed)
    assert len(stack.tickets(host)) == 1


def test_a_jira_that_is_away_fails_requests_which_wait_and_health_says_so(
    stack: ChaosStack, dana: httpx.Client
) -> None:
    host = new_host()
    stack.kill(JIRA)
    failed = wait_for_status(dana, dana.post("/requests", json=dns_body(host)).json(), "failed")
    assert failed["error"]["outcomeUnknown"] is False
    # What JIRA said last is told for ten seconds.
    wait_until(lambda: health(stack)["components"]["jira"]["default"]["status"] == "down")
    assert health(stack)["status"] == "degraded"
    stack.bring_all_up()
    retry(dana, failed)
    assert len(stack.tickets(host)) == 1
