"""Errors of Temporal after a decision or a start was sent: nobody is told what is untrue."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from api.auth.principal import Principal
from api.catalog.service import ServedItem
from api.requests.decision_idempotency import DecisionCall
from api.requests.decisions import DecisionService, DecisionSettings
from api.requests.item_preparation import ItemPreparer
from api.requests.preparation import Preparer
from api.requests.prepared import PreparedSubmission, SubmissionCall, SubmissionSettings
from api.requests.schemas import RetryBody, Submission
from api.requests.submission import SubmissionService
from catalog.configuration_checks import ActionModels
from catalog.forms import FormContext
from catalog.scopes import ScopeContext
from db.notifications import RequestNotifications
from db.session import Database
from pao.app import assembly
from pao.clients.temporal import RequestWorkflows
from pao.core.payloads.requests import RequestInput, SettledRequest
from pao.core.states import Decision, RequestStatus
from tests.support.callers import DANA
from tests.support.requests import new_request
from tests.support.stack import Stack, wait_until
from tests.support.submissions import dns_body, submit_failed

LOST = [
    RPCStatusCode.RESOURCE_EXHAUSTED,
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.INTERNAL,
    RPCStatusCode.NOT_FOUND,
]
SECONDS = 10.0


class Cut(OutboundInterceptor):
    """Sends everything, and gives one error instead of the answers when the request is done.

    ``where`` is the call whose answer is lost: ``signal`` or ``update``.
    """

    def __init__(
        self, following: OutboundInterceptor, where: str, error: RPCError, done: Callable[[], bool]
    ) -> None:
        super().__init__(following)
        self._where, self._error, self._done = where, error, done

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:  # noqa: A002 -- the SDK's
        await super().signal_workflow(input)
        if self._where == "signal":
            await self._lose()

    async def start_workflow_update(
        self,
        input: StartWorkflowUpdateInput,  # noqa: A002, ARG002 -- the SDK's
    ) -> Any:
        await self._lose()

    async def _lose(self) -> None:
        await asyncio.to_thread(wait_until, self._done)
        raise self._error


class Cutting(Interceptor):
    """Puts a ``Cut`` into a client of Temporal."""

    def __init__(self, make: Callable[[OutboundInterceptor], Cut]) -> None:
        self._make = make

    def intercept_client(
        self,
        next: OutboundInterceptor,  # noqa: A002 -- the SDK's
    ) -> OutboundInterceptor:
        return self._make(next)


@pytest.fixture
def database(stack: Stack) -> Iterator[Database]:
    parts = assembly.database(stack.settings, application_name="tests")
    yield parts
    stack.run(parts.close())


def workflows(stack: Stack, **changes: Any) -> RequestWorkflows:
    """Return PAO's client of the stack's Temporal, with the changes made."""
    settings: Any = {**stack.temporal.config(), **changes}
    return RequestWorkflows(Client(**settings), task_queue=stack.task_queue)


def caller() -> Principal:
    return Principal(
        id=DANA.name,
        arn="",
        account="",
        email=DANA.email,
        session=None,
        teams=DANA.teams,
        source="keys",
        access_key_id=None,
    )


def retry(document: dict[str, Any]) -> DecisionCall:
    return DecisionCall(
        caller=caller(),
        request_id=document["id"],
        decision=Decision.RETRY,
        body=RetryBody(reason="a test"),
    )


@pytest.mark.parametrize("status", LOST)
@pytest.mark.parametrize("where", ["signal", "update"])
def test_a_decision_that_was_carried_out_is_told_so_whatever_became_of_the_answer(
    stack: Stack, dana: httpx.Client, database: Database, where: str, status: RPCStatusCode
) -> None:
    document, reading = submit_failed(stack, dana), stack.services.reading
    error = RPCError("as the test wants it", status, b"")

    def done() -> bool:
        stored = stack.run(reading.stored_status(document["id"]))
        return stored == RequestStatus.COMPLETED

    cutting = Cutting(lambda following: Cut(following, where, error, done))
    decisions = DecisionService(
        box=assembly.secret_box(stack.settings),
        database=database,
        options=stack.services.options,
        reading=reading,
        settings=DecisionSettings(
            budget=SECONDS, models=ActionModels(ScopeContext(), {}, {}), readers={}
        ),
        workflows=workflows(stack, interceptors=[cutting]),
        lost=stack.services.decisions.lost,
    )
    decided = stack.run(decisions.decide(retry(document)))
    assert decided.open is False
    assert dana.get(f"/requests/{document['id']}").json()["status"] == "completed"


def test_a_start_that_the_server_refuses_is_logged_with_the_request(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    request = new_request()
    elsewhere = workflows(stack, namespace="there-is-no-such-namespace")
    with caplog.at_level(logging.WARNING, logger="pao.clients.temporal"):
        settled = stack.run(elsewhere.start_and_wait(request.given, summary="x", budget=2.0))
    assert settled is None
    [record] = [one for one in caplog.records if one.name == "pao.clients.temporal"]
    assert record.__dict__["requestId"] == request.id
    assert record.__dict__["rpcStatus"] == "NOT_FOUND"


class Recording(RequestWorkflows):
    """Starts as ever, and keeps how long each start was given, in seconds."""

    def __init__(self, client: Client, *, task_queue: str) -> None:
        super().__init__(client, task_queue=task_queue)
        self.budgets: list[float] = []

    async def start_and_wait(
        self, given: RequestInput, *, summary: str, budget: float
    ) -> SettledRequest | None:
        self.budgets.append(budget)
        return await super().start_and_wait(given, summary=summary, budget=budget)


@dataclass(frozen=True, kw_only=True)
class Threaded(ItemPreparer):
    """Prepares as ever, and keeps in which threads."""

    threads: list[threading.Thread] = field(default_factory=list)

    def prepare(
        self, entry: ServedItem, body: Submission, call: SubmissionCall, about: FormContext
    ) -> PreparedSubmission:
        self.threads.append(threading.current_thread())
        return super().prepare(entry, body, call, about)


def test_a_start_has_a_second_even_when_the_budget_is_used_up(
    stack: Stack, database: Database
) -> None:
    recording = Recording(stack.temporal, task_queue=stack.task_queue)
    settings = SubmissionSettings(budget=3.0, scope_context=ScopeContext(), targets={})
    box = assembly.secret_box(stack.settings)
    items = Threaded(access=stack.services.access, box=box, settings=settings)
    submission = SubmissionService(
        box=box,
        database=database,
        notifications=RequestNotifications(stack.database.service_url),
        preparer=Preparer(items, stack.services.catalog, stack.services.options),
        settings=settings,
        workflows=recording,
    )
    late = SubmissionCall(
        caller=caller(),
        correlation_id=str(uuid4()),
        raw_body=b"",
        started=time.perf_counter() - 60,
    )
    stack.run(submission.submit(Submission.model_validate(dns_body()), late))
    assert recording.budgets == [1.0]
    # Templates may take a second; in the thread of the event loop everybody would wait for them.
    [thread] = items.threads
    assert thread.name != "stack"
