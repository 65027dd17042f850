"""The calls of a driven workflow, and the jobs that answer them."""

import json
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.activity_result import ActivityResolution, Success
from temporalio.bridge.proto.activity_result import Failure as Failed
from temporalio.bridge.proto.child_workflow import (
    ChildWorkflowResult,
    StartChildWorkflowExecutionFailedCause,
)
from temporalio.bridge.proto.child_workflow import Success as Ended
from temporalio.bridge.proto.workflow_activation import (
    FireTimer,
    ResolveActivity,
    ResolveChildWorkflowExecution,
    ResolveChildWorkflowExecutionStart,
    ResolveChildWorkflowExecutionStartFailure,
    ResolveChildWorkflowExecutionStartSuccess,
    ResolveSignalExternalWorkflow,
)
from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob as Job
from temporalio.bridge.proto.workflow_commands import StartTimer
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from pao.clients.temporal_connection import CONVERTER
from pao.core import names

ALREADY_EXISTS = StartChildWorkflowExecutionFailedCause.Value(
    "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS"
)
ARGUMENTS = ("arguments", "input", "args")
"""The names of the inputs of a call, by kind."""


@dataclass(frozen=True)
class Call:
    """A call of a workflow: an activity, a timer, a child, or a signal to another workflow."""

    kind: str
    name: str
    seq: int
    input: Any = None

    def answer_job(self, answer: Any = None) -> Job:
        """Return the job with its answer; an ``ApplicationError`` is its failure."""
        if self.kind == "start_timer":
            return Job(fire_timer=FireTimer(seq=self.seq))
        if self.kind == "signal_external_workflow_execution":
            return Job(resolve_signal_external_workflow=_signal_answer_job(self, answer))
        if self.kind == "start_child_workflow_execution":
            return Job(resolve_child_workflow_execution_start=_child_start_job(self, answer))
        return Job(resolve_activity=_activity_job(self, answer))

    def end_job(self, result: Any = None) -> Job:
        """Return the job with the end of a child that has started."""
        ended = ChildWorkflowResult(completed=Ended(result=to_payload(result)))
        return Job(
            resolve_child_workflow_execution=ResolveChildWorkflowExecution(
                seq=self.seq, result=ended
            )
        )

    def is_activity(self, seq: int) -> bool:
        """Return whether this is the activity with this number."""
        return self.seq == seq and self.kind.endswith("activity")


def to_payload(value: Any) -> Payload:
    """Return a value as a payload."""
    return CONVERTER.payload_converter.to_payloads([value])[0]


def from_payload(payload: Payload) -> Any:
    """Return the value of a payload; None if it is empty."""
    return json.loads(payload.data) if payload.data else None


def input_of(body: Any) -> Any:
    """Return the first input of a command; the seconds of a timer."""
    if isinstance(body, StartTimer):
        return body.start_to_fire_timeout.ToTimedelta().total_seconds()
    passed = [one for part in ARGUMENTS for one in getattr(body, part, ())]
    return from_payload(passed[0]) if passed else None


def _activity_job(call: Call, answer: Any) -> ResolveActivity:
    if isinstance(answer, ApplicationError):
        failed = ActivityError(
            "Activity task failed",
            scheduled_event_id=1,
            started_event_id=2,
            identity="worker",
            activity_type=call.name,
            activity_id="1",
            retry_state=None,
        )
        failed.__cause__ = answer
        resolution = ActivityResolution(failed=Failed(failure=_failure(failed)))
    else:
        resolution = ActivityResolution(completed=Success(result=to_payload(answer)))
    is_local = call.kind == "schedule_local_activity"
    return ResolveActivity(seq=call.seq, result=resolution, is_local=is_local)


def _child_start_job(call: Call, answer: Any) -> ResolveChildWorkflowExecutionStart:
    if isinstance(answer, ApplicationError):
        failed = ResolveChildWorkflowExecutionStartFailure(
            workflow_id=call.name, workflow_type=names.REQUEST_WORKFLOW, cause=ALREADY_EXISTS
        )
        return ResolveChildWorkflowExecutionStart(seq=call.seq, failed=failed)
    begun = ResolveChildWorkflowExecutionStartSuccess(run_id="child")
    return ResolveChildWorkflowExecutionStart(seq=call.seq, succeeded=begun)


def _signal_answer_job(call: Call, answer: Any) -> ResolveSignalExternalWorkflow:
    failure = _failure(answer) if isinstance(answer, ApplicationError) else None
    return ResolveSignalExternalWorkflow(seq=call.seq, failure=failure)


def _failure(error: FailureError) -> Failure:
    failure = Failure()
    CONVERTER.failure_converter.to_failure(error, CONVERTER.payload_converter, failure)
    return failure
