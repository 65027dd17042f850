"""Decisions about requests whose workflow is gone: what is offered works, or is refused with why.

No reconciler runs here: it would repair the same requests within a minute.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from pao.app.local.temporal import prepare_namespace
from pao.core.names import workflow_id
from tests.support.callers import PRIYA
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import (
    add_fault,
    dns_body,
    error_of,
    new_host,
    submit_failed,
    tickets_of,
)

TERMINATED = "was terminated in Temporal: by mistake"
FORGOTTEN = "Temporal no longer knows the request's workflow"

Lose = Callable[[str], Stack]
"""Loses the workflow of a request; returns the stack that goes on without it."""


def terminate(stack: Stack, request_id: str) -> Stack:
    handle = stack.temporal.get_workflow_handle(workflow_id(request_id))
    stack.run(handle.terminate(reason="by mistake"))
    return stack


async def prepare(address: str, name: str) -> None:
    client = await Client.connect(address, namespace=name)
    retention = Duration()
    retention.FromTimedelta(timedelta(days=3))
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=retention)
    )
    while True:
        with contextlib.suppress(RPCError):
            return await prepare_namespace(client)


@pytest.fixture(scope="module")
def wiped(
    shared_stack: Stack, temporal_address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The same installation after its Temporal was wiped: an empty namespace, the same database."""
    name = f"wiped-{secrets.token_hex(4)}"
    asyncio.run(prepare(temporal_address, name))
    environ = {
        "TEMPORAL_NAMESPACE": name,
        "PAO_ENCRYPTION_KEYS": shared_stack.environ["PAO_ENCRYPTION_KEYS"],
    }
    folder = tmp_path_factory.mktemp("wiped")
    with running_stack(shared_stack.database, temporal_address, folder, environ=environ) as stack:
        wait_until(lambda: stack.anybody().get("/health/ready").json()["ready"])
        yield stack


@pytest.fixture(params=[TERMINATED, FORGOTTEN])
def lost(request: pytest.FixtureRequest, stack: Stack) -> tuple[Lose, str]:
    """A way to lose a workflow, and what is said of it."""
    if request.param == TERMINATED:
        return (lambda request_id: terminate(stack, request_id)), TERMINATED
    after: Stack = request.getfixturevalue("wiped")
    return (lambda _request_id: after), FORGOTTEN


def decide(client: httpx.Client, request_id: str, kind: str, **body: Any) -> httpx.Response:
    return client.post(f"/requests/{request_id}/{kind}", json={"reason": "a test", **body})


def get(client: httpx.Client, request_id: str) -> dict[str, Any]:
    document: dict[str, Any] = client.get(f"/requests/{request_id}").json()
    return document


@pytest.mark.parametrize(
    ("decision", "status"),
    [("retry", "completed"), ("abort", "aborted"), ("escalate", "escalated")],
)
def test_every_decision_that_a_failed_request_offers_is_carried_out(
    stack: Stack, dana: httpx.Client, lost: tuple[Lose, str], decision: str, status: str
) -> None:
    document = submit_failed(stack, dana)
    after = lost[0](document["id"])
    dana = after.caller()
    # It still says why it failed.
    assert get(dana, document["id"])["error"] == document["error"]

    answer = decide(dana, document["id"], decision)

    assert answer.status_code in {200, 202}, answer.text
    wait_until(lambda: get(dana, document["id"])["status"] == status)
    tickets = tickets_of(after, document)
    assert len(tickets) == (0 if decision == "abort" else 1)
    assert [one["outcome"] for one in get(dana, document["id"])["decisions"]] == ["done"]


def test_a_retry_with_corrected_fields_is_carried_out_as_well(stack: Stack, wiped: Stack) -> None:
    document, host = submit_failed(stack, stack.caller()), new_host()
    dana = wiped.caller()

    answer = decide(dana, document["id"], "retry", fields={"hostName": host})

    assert answer.status_code in {200, 202}, answer.text
    wait_until(lambda: get(dana, document["id"])["status"] == "completed")
    [ticket] = tickets_of(wiped, document)
    assert host in ticket["summary"]


def test_what_runs_becomes_failed_with_the_reason_and_then_offers_what_works(
    stack: Stack, dana: httpx.Client, lost: tuple[Lose, str]
) -> None:
    host = new_host()
    add_fault(stack, host, "slow", seconds=60.0)
    soon = {"Prefer": "wait=1"}
    request_id = dana.post("/requests", json=dns_body(host), headers=soon).json()["id"]
    wait_until(lambda: get(dana, request_id)["status"] == "in_progress")
    after, why = lost[0](request_id), lost[1]
    dana = after.caller()

    cancelled = decide(dana, request_id, "cancel")

    assert cancelled.status_code in {200, 202}, cancelled.text
    document = get(dana, request_id)
    assert document["status"] == "failed"
    assert why in document["error"]["message"]
    answer = decide(dana, request_id, "retry")
    assert answer.status_code in {200, 202}, answer.text
    wait_until(lambda: get(dana, request_id)["status"] == "completed")
    assert len(tickets_of(after, document)) == 1


@pytest.mark.parametrize("kind", ["approve", "reject"])
def test_an_approval_that_nothing_waits_for_any_more_is_refused_with_the_reason_and_asked_again(
    dana: httpx.Client, lost: tuple[Lose, str], kind: str
) -> None:
    body = {"catalogItemId": "access-production-account", "fields": {"purpose": "to look at it"}}
    request_id = dana.post("/requests", json=body).json()["id"]
    wait_until(lambda: get(dana, request_id)["actions"][0]["status"] == "waiting")
    after, why = lost[0](request_id), lost[1]
    dana, priya = after.caller(), after.caller(PRIYA)

    refused = error_of(decide(priya, request_id, kind, actionId="approval"))
    assert refused["code"] == "INVALID_STATE_TRANSITION"
    assert why in refused["message"]
    assert get(dana, request_id)["status"] == "failed"

    assert decide(dana, request_id, "retry").status_code in {200, 202}
    wait_until(lambda: get(dana, request_id)["actions"][0]["status"] == "waiting")
    answer = decide(priya, request_id, "approve", actionId="approval")
    assert answer.status_code in {200, 202}, answer.text
    wait_until(lambda: get(dana, request_id)["status"] == "completed")


def bundle_with_a_failed_component(stack: Stack, dana: httpx.Client) -> tuple[str, str]:
    """Submit a bundle whose second component fails; the ids of both."""
    name = new_host().split(".", maxsplit=1)[0]
    add_fault(stack, f"Namespace {name} on", "status", status=503)
    body = {"catalogItemId": "bundle-webapp-standard", "fields": {"appName": name}}
    answer = dana.post("/requests", json=body)
    assert answer.status_code in {201, 202}, answer.text
    bundle = str(answer.json()["id"])

    def broken() -> str:
        found = get(dana, bundle)
        failed_ones = [one for one in found["components"] if one["status"] == "failed"]
        return str(failed_ones[0]["requestId"]) if found["status"] == "failed" else ""

    return bundle, wait_until(broken)


def test_a_component_whose_workflow_is_gone_is_retried_and_its_bundle_goes_on(
    stack: Stack, dana: httpx.Client
) -> None:
    bundle, component = bundle_with_a_failed_component(stack, dana)
    terminate(stack, component)

    answer = decide(dana, component, "retry")

    assert answer.status_code in {200, 202}, answer.text
    wait_until(lambda: get(dana, bundle)["status"] == "completed")


@pytest.mark.parametrize(("decision", "status"), [("abort", "aborted"), ("escalate", "escalated")])
def test_a_bundle_whose_workflow_is_gone_can_be_ended(
    stack: Stack, dana: httpx.Client, decision: str, status: str
) -> None:
    bundle, component = bundle_with_a_failed_component(stack, dana)
    terminate(stack, bundle)

    answer = decide(dana, bundle, decision)

    assert answer.status_code in {200, 202}, answer.text
    wait_until(lambda: get(dana, bundle)["status"] == status)
    wait_until(lambda: get(dana, component)["status"] == status)
