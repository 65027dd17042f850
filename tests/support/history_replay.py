"""Runs workflow code in Temporal's runtime on a history from the test, without a server.

The history contains the answered activities. What the code does after the last answer is new, as on
a worker that continues: it is not compared with the history.
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
QUEUE = {"name": "replayed", "kind": "TASK_QUEUE_KIND_NORMAL"}
EVENT_TIME = "2026-03-01T12:00:00Z"


@dataclass(frozen=True, slots=True)
class ActivityAnswer:
    """How an activity ended: with a result, or with an error as ``result``.

    ``signalled``: a signal came just before. ``patches`` are those that the code had when it called
    the activity; new calls have all.
    """

    activity: str
    result: Any = None
    signalled: bool = False
    patches: tuple[str, ...] = ()


@dataclass(slots=True)
class ReplayResult(Generic[ResultT]):
    """The calls of the code, and its result if it completed."""

    calls: list[Call]
    results: list[ResultT] = field(default_factory=list)

    def inputs(self, activity: str) -> list[Any]:
        """Return the inputs of an activity, in order."""
        return [given["input"] for name, given in self.calls if name == activity]


async def replay_code(
    code: Callable[[], Awaitable[ResultT]],
    *answers: ActivityAnswer,
    on_signal: Callable[[], None] = lambda: None,
) -> ReplayResult[ResultT]:
    """Run the code as a workflow whose activities are answered one after the other."""
    calls = Calls()
    replay: ReplayResult[ResultT] = ReplayResult(calls.remote)
    errors: list[BaseException] = []

    async def run() -> None:
        try:
            replay.results.append(await code())
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 -- raised to the test.
            errors.append(error)

    replayer = Replayer(
        workflows=[_EmptyWorkflow],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[_CodeInterceptor(run, on_signal), calls],
    )
    await replayer.replay_workflow(await _history(answers))
    if errors:
        raise errors[0]
    return replay


@workflow.defn(name="EmptyWorkflow")
class _EmptyWorkflow:
    @workflow.run
    async def run(self) -> None:
        """Do nothing: the interceptor runs the test's code."""

    @workflow.signal
    async def nudge(self) -> None:
        """Do nothing: the interceptor calls ``on_signal``."""


class _CodeInterceptor(Interceptor):
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


async def _history(answers: tuple[ActivityAnswer, ...]) -> WorkflowHistory:
    events: list[Document] = []

    def add(kind: str, **attributes: Any) -> str:
        words = kind.split("_")
        key = words[0].lower() + "".join(word.capitalize() for word in words[1:])
        number = str(len(events) + 1)
        about = {"eventId": number, "eventTime": EVENT_TIME, "eventType": f"EVENT_TYPE_{kind}"}
        events.append({**about, f"{key}EventAttributes": attributes})
        return number

    def begin_task() -> dict[str, str]:
        scheduled = add("WORKFLOW_TASK_SCHEDULED", taskQueue=QUEUE)
        started = add("WORKFLOW_TASK_STARTED", scheduledEventId=scheduled)
        return {"scheduledEventId": scheduled, "startedEventId": started}

    add(
        "WORKFLOW_EXECUTION_STARTED",
        workflowType={"name": "EmptyWorkflow"},
        taskQueue=QUEUE,
        originalExecutionRunId="run",
        attempt=1,
    )
    task = begin_task()
    for number, answer in enumerate(answers, 1):
        completed = add("WORKFLOW_TASK_COMPLETED", **task)
        for patch in answer.patches:
            payload = await _payloads({"id": patch, "deprecated": False})
            add("MARKER_RECORDED", markerName="core_patch", details={"patch-data": payload})
        kind = {"activityId": str(number), "activityType": {"name": answer.activity}}
        scheduled = add("ACTIVITY_TASK_SCHEDULED", **kind, workflowTaskCompletedEventId=completed)
        started = add("ACTIVITY_TASK_STARTED", scheduledEventId=scheduled)
        ended: Document = {"scheduledEventId": scheduled, "startedEventId": started}
        if answer.signalled:
            add("WORKFLOW_EXECUTION_SIGNALED", signalName="nudge", input={})
        if isinstance(answer.result, BaseException):
            add("ACTIVITY_TASK_FAILED", **ended, failure=await _failure(answer.result))
        else:
            add("ACTIVITY_TASK_COMPLETED", **ended, result=await _payloads(answer.result))
        task = begin_task()
    return WorkflowHistory.from_json("replayed", json.dumps({"events": events}))


async def _payloads(value: Any) -> Document:
    return {"payloads": [MessageToDict(one) for one in await CONVERTER.encode([value])]}


async def _failure(error: BaseException) -> Document:
    failure = Failure()
    await CONVERTER.encode_failure(error, failure)
    return dict(MessageToDict(failure))
