"""Runs workflow code without a server: as a run of its own, with answers of the test's own.

What activities are given and answer is converted, as between a workflow and its worker; what the
code returns is not.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from google.protobuf.json_format import MessageToDict
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    Replayer,
    StartActivityInput,
    StartLocalActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from pao.clients.temporal_connection import CONVERTER

NAME, RUN = "Alone", "this-run"
T = TypeVar("T")
Code = Callable[[], Awaitable[T]]
Answer = Callable[[Any], Any]
"""What an activity makes of its input: it returns a result, or raises."""


@workflow.defn(name=NAME)
class Alone:
    """A workflow that is what a test makes of it."""

    @workflow.run
    async def run(self) -> None:
        """Do nothing: the test's code runs instead."""


async def alone(
    code: Code[T],
    answers: Mapping[str, Answer] | None = None,
    *,
    first_run: str = RUN,
    markers: Sequence[str] | None = None,
) -> T:
    """Return what the code returns when it runs as a workflow.

    ``answers`` are those of its activities, by their names. With another ``first_run`` it is a
    reset. With ``markers`` it is replayed: its history has these of ``workflow.patched``.
    """
    stand_in = _StandIn(code, answers or {})
    replayer = Replayer(
        workflows=[Alone],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[stand_in],
    )
    events = _begun(first_run) + ([] if markers is None else _ended(markers))
    numbered = [{"eventId": number, **event} for number, event in enumerate(events, 1)]
    history = WorkflowHistory.from_json("alone", json.dumps({"events": numbered}))
    await replayer.replay_workflow(history)
    [result] = stand_in.results
    return cast("T", result)


class _StandIn(Interceptor):
    """Runs the test's code in place of the workflow's, and answers in place of a worker."""

    def __init__(self, code: Code[Any], answers: Mapping[str, Answer]) -> None:
        self.code = code
        self.answers = answers
        self.results: list[Any] = []

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 -- named by Temporal
    ) -> type[WorkflowInboundInterceptor]:
        """Return the class that Temporal makes one of for the run."""
        stand_in = self

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(_Outbound(outbound, stand_in.answers))

            async def execute_workflow(
                self,
                input: ExecuteWorkflowInput,  # noqa: A002, ARG002 -- named by Temporal
            ) -> None:
                stand_in.results.append(await stand_in.code())

        return Inbound


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(
        self, following: WorkflowOutboundInterceptor, answers: Mapping[str, Answer]
    ) -> None:
        super().__init__(following)
        self._answers = answers

    def start_activity(
        self,
        input: StartActivityInput,  # noqa: A002 -- named by Temporal
    ) -> workflow.ActivityHandle[Any]:
        return self._started(input)

    def start_local_activity(
        self,
        input: StartLocalActivityInput,  # noqa: A002 -- named by Temporal
    ) -> workflow.ActivityHandle[Any]:
        return self._started(input)

    def _started(
        self, call: StartActivityInput | StartLocalActivityInput
    ) -> workflow.ActivityHandle[Any]:
        return cast("workflow.ActivityHandle[Any]", asyncio.create_task(self._answer(call)))

    async def _answer(self, call: StartActivityInput | StartLocalActivityInput) -> Any:
        [given] = call.args
        answer = self._answers[call.activity](_converted(given, type(given)))
        return _converted(answer, call.ret_type)


def _converted(value: Any, kind: type | None) -> Any:
    converter = CONVERTER.payload_converter
    [read] = converter.from_payloads(converter.to_payloads([value]), [kind] if kind else None)
    return read


def _begun(first_run: str) -> list[dict[str, Any]]:
    """Return the events up to a task that is not answered yet."""
    started = {
        "workflowType": {"name": NAME},
        "taskQueue": {"name": "queue"},
        "workflowTaskTimeout": "10s",
        "originalExecutionRunId": RUN,
        "firstExecutionRunId": first_run,
        "attempt": 1,
    }
    return [
        _event("WORKFLOW_EXECUTION_STARTED", "workflowExecutionStarted", started),
        _event("WORKFLOW_TASK_SCHEDULED", "workflowTaskScheduled", {}),
        _event("WORKFLOW_TASK_STARTED", "workflowTaskStarted", {"scheduledEventId": 2}),
    ]


def _ended(markers: Sequence[str]) -> list[dict[str, Any]]:
    """Return the events of a run that a task has ended, with these markers."""
    answered = {"scheduledEventId": 2, "startedEventId": 3}
    return [
        _event("WORKFLOW_TASK_COMPLETED", "workflowTaskCompleted", answered),
        *(_event("MARKER_RECORDED", "markerRecorded", _patched(one)) for one in markers),
        _event("WORKFLOW_EXECUTION_COMPLETED", "workflowExecutionCompleted", {}),
    ]


def _patched(name: str) -> dict[str, Any]:
    told = CONVERTER.payload_converter.to_payload({"id": name, "deprecated": False})
    details = {"patch-data": {"payloads": [MessageToDict(told)]}}
    return {"markerName": "core_patch", "details": details}


def _event(kind: str, name: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventType": f"EVENT_TYPE_{kind}",
        "eventTime": "2026-03-01T12:00:00Z",
        f"{name}EventAttributes": attributes,
    }
