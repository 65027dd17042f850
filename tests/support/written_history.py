"""Runs workflow code in Temporal's own runtime on a history that a test writes, without a server.

History holds the activities that were answered. What the code does after the last answer is new, as
on a worker that goes on: nothing of it is compared with history.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import pytest
from google.protobuf.json_format import MessageToDict
from temporalio import workflow
from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowHistory
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleSignalInput,
    Interceptor,
    Replayer,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from pao.clients.temporal_connection import CONVERTER
from tests.histories.replayed import Call, Calls

ResultT = TypeVar("ResultT")
Document = dict[str, Any]
QUEUE = {"name": "written", "kind": "TASK_QUEUE_KIND_NORMAL"}
MOMENT = "2026-03-01T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Answer:
    """How an activity has ended: with a result, or with an error that is one.

    ``signalled``: a signal came just before. ``patches`` are those that the code had when it called
    the activity; what it calls anew has all.
    """

    activity: str
    result: Any = None
    signalled: bool = False
    patches: tuple[str, ...] = ()


@dataclass(slots=True)
class Played(Generic[ResultT]):
    """What the code has called, and what it has returned, if it came to its end."""

    calls: list[Call]
    results: list[ResultT] = field(default_factory=list)

    def inputs(self, activity: str) -> list[Any]:
        """Return what an activity was given, each time."""
        return [given["input"] for name, given in self.calls if name == activity]


async def play(
    code: Callable[[], Awaitable[ResultT]],
    *answers: Answer,
    on_signal: Callable[[], None] = lambda: None,
) -> Played[ResultT]:
    """Run the code as a workflow whose activities are answered one after the other."""
    calls = Calls()
    played: Played[ResultT] = Played(calls.remote)
    errors: list[BaseException] = []

    async def run() -> None:
        try:
            played.results.append(await code())
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 -- raised to the test.
            errors.append(error)

    replayer = Replayer(
        workflows=[_Written],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[_Instead(run, on_signal), calls],
    )
    await replayer.replay_workflow(await _history(answers))
    if errors:
        raise errors[0]
    return played


@workflow.defn(name="Written")
class _Written:
    @workflow.run
    async def run(self) -> None:
        """Do nothing: the interceptor runs the code of the test instead."""

    @workflow.signal
    async def told(self) -> None:
        """Do nothing: the interceptor does what the test says."""


class _Instead(Interceptor):
    def __init__(self, run: Callable[[], Awaitable[None]], on_signal: Callable[[], None]) -> None:
        self._run = run
        self._on_signal = on_signal

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 -- named by Temporal
    ) -> type[WorkflowInboundInterceptor]:
        run, on_signal = self._run, self._on_signal

        class Inbound(WorkflowInboundInterceptor):
            async def execute_workflow(
                self,
                input: ExecuteWorkflowInput,  # noqa: A002, ARG002 -- named by Temporal
            ) -> Any:
                await run()

            async def handle_signal(
                self,
                input: HandleSignalInput,  # noqa: A002, ARG002 -- named by Temporal
            ) -> None:
                on_signal()

        return Inbound


async def _history(answers: tuple[Answer, ...]) -> WorkflowHistory:
    events: list[Document] = []

    def add(kind: str, **told: Any) -> str:
        words = kind.split("_")
        key = words[0].lower() + "".join(word.capitalize() for word in words[1:])
        number = str(len(events) + 1)
        about = {"eventId": number, "eventTime": MOMENT, "eventType": f"EVENT_TYPE_{kind}"}
        events.append({**about, f"{key}EventAttributes": told})
        return number

    def begin_task() -> dict[str, str]:
        scheduled = add("WORKFLOW_TASK_SCHEDULED", taskQueue=QUEUE)
        started = add("WORKFLOW_TASK_STARTED", scheduledEventId=scheduled)
        return {"scheduledEventId": scheduled, "startedEventId": started}

    add(
        "WORKFLOW_EXECUTION_STARTED",
        workflowType={"name": "Written"},
        taskQueue=QUEUE,
        originalExecutionRunId="run",
        attempt=1,
    )
    task = begin_task()
    for number, answer in enumerate(answers, 1):
        completed = add("WORKFLOW_TASK_COMPLETED", **task)
        for patch in answer.patches:
            told = await _payloads({"id": patch, "deprecated": False})
            add("MARKER_RECORDED", markerName="core_patch", details={"patch-data": told})
        kind = {"activityId": str(number), "activityType": {"name": answer.activity}}
        scheduled = add("ACTIVITY_TASK_SCHEDULED", **kind, workflowTaskCompletedEventId=completed)
        started = add("ACTIVITY_TASK_STARTED", scheduledEventId=scheduled)
        ended: Document = {"scheduledEventId": scheduled, "startedEventId": started}
        if answer.signalled:
            add("WORKFLOW_EXECUTION_SIGNALED", signalName="told", input={})
        if isinstance(answer.result, BaseException):
            add("ACTIVITY_TASK_FAILED", **ended, failure=await _failure(answer.result))
        else:
            add("ACTIVITY_TASK_COMPLETED", **ended, result=await _payloads(answer.result))
        task = begin_task()
    return WorkflowHistory.from_json("written", json.dumps({"events": events}))


async def _payloads(value: Any) -> Document:
    return {"payloads": [MessageToDict(one) for one in await CONVERTER.encode([value])]}


async def _failure(error: BaseException) -> Document:
    failure = Failure()
    await CONVERTER.encode_failure(error, failure)
    return dict(MessageToDict(failure))
