"""Runs workflow code without a server; the test supplies the answers of its activities.

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

NAME, RUN = "EmptyWorkflow", "this-run"
T = TypeVar("T")
Code = Callable[[], Awaitable[T]]
Answer = Callable[[Any], Any]
"""Takes an activity's input; returns its result, or raises."""


@workflow.defn(name=NAME)
class EmptyWorkflow:
    """A workflow whose code an interceptor replaces."""

    @workflow.run
    async def run(self) -> None:
        """Do nothing: the interceptor runs the test's code."""


async def run_workflow_code(
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
    interceptor = _CodeInterceptor(code, answers or {})
    replayer = Replayer(
        workflows=[EmptyWorkflow],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[interceptor],
    )
    events = _started_events(first_run) + ([] if markers is None else _completed_events(markers))
    numbered = [{"eventId": number, **event} for number, event in enumerate(events, 1)]
    history = WorkflowHistory.from_json("workflow-code", json.dumps({"events": numbered}))
    await replayer.replay_workflow(history)
    [result] = interceptor.results
    return cast("T", result)


class _CodeInterceptor(Interceptor):
    """Runs the test's code instead of the workflow's, and answers instead of a worker."""

    def __init__(self, code: Code[Any], answers: Mapping[str, Answer]) -> None:
        self.code = code
        self.answers = answers
        self.results: list[Any] = []

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 -- named by Temporal
    ) -> type[WorkflowInboundInterceptor]:
        """Return the class that Temporal instantiates for the run."""
        interceptor = self

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(_Outbound(outbound, interceptor.answers))

            async def execute_workflow(
                self,
                input: ExecuteWorkflowInput,  # noqa: A002, ARG002 -- named by Temporal
            ) -> None:
                interceptor.results.append(await interceptor.code())

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
        return self._start(input)

    def start_local_activity(
        self,
        input: StartLocalActivityInput,  # noqa: A002 -- named by Temporal
    ) -> workflow.ActivityHandle[Any]:
        return self._start(input)

    def _start(
        self, call: StartActivityInput | StartLocalActivityInput
    ) -> workflow.ActivityHandle[Any]:
        return cast("workflow.ActivityHandle[Any]", asyncio.create_task(self._answer(call)))

    async def _answer(self, call: StartActivityInput | StartLocalActivityInput) -> Any:
        [given] = call.args
        answer = self._answers[call.activity](_convert(given, type(given)))
        return _convert(answer, call.ret_type)


def _convert(value: Any, kind: type | None) -> Any:
    converter = CONVERTER.payload_converter
    [read] = converter.from_payloads(converter.to_payloads([value]), [kind] if kind else None)
    return read


def _started_events(first_run: str) -> list[dict[str, Any]]:
    """Return the events up to the first open task."""
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


def _completed_events(markers: Sequence[str]) -> list[dict[str, Any]]:
    """Return the events of a completed task and run, with these markers."""
    answered = {"scheduledEventId": 2, "startedEventId": 3}
    return [
        _event("WORKFLOW_TASK_COMPLETED", "workflowTaskCompleted", answered),
        *(_event("MARKER_RECORDED", "markerRecorded", _patch_marker(one)) for one in markers),
        _event("WORKFLOW_EXECUTION_COMPLETED", "workflowExecutionCompleted", {}),
    ]


def _patch_marker(name: str) -> dict[str, Any]:
    payload = CONVERTER.payload_converter.to_payload({"id": name, "deprecated": False})
    details = {"patch-data": {"payloads": [MessageToDict(payload)]}}
    return {"markerName": "core_patch", "details": details}


def _event(kind: str, name: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventType": f"EVENT_TYPE_{kind}",
        "eventTime": "2026-03-01T12:00:00Z",
        f"{name}EventAttributes": attributes,
    }
