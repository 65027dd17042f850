"""Drives a workflow without a server: a test says what has happened, task by task.

The SDK's own code runs the workflow, so that the order in which it lets a task's signals, answers
and conditions come is the real one. What a server and a worker would answer, the test does.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio import workflow
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.activity_result import ActivityResolution, Success
from temporalio.bridge.proto.activity_result import Failure as Failed
from temporalio.bridge.proto.child_workflow import StartChildWorkflowExecutionFailedCause
from temporalio.bridge.proto.workflow_activation import (
    CancelWorkflow,
    DoUpdate,
    FireTimer,
    InitializeWorkflow,
    NotifyHasPatch,
    QueryWorkflow,
    RemoveFromCache,
    ResolveActivity,
    ResolveChildWorkflowExecutionStart,
    ResolveChildWorkflowExecutionStartFailure,
    ResolveChildWorkflowExecutionStartSuccess,
    ResolveSignalExternalWorkflow,
    SignalWorkflow,
    WorkflowActivation,
    WorkflowActivationJob,
)
from temporalio.bridge.proto.workflow_commands import StartTimer, WorkflowCommand
from temporalio.common import Priority, TypedSearchAttributes
from temporalio.exceptions import ActivityError, ApplicationError, FailureError
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails

from pao.clients.temporal_connection import CONVERTER
from pao.core import names
from pao.core.payloads.decisions import SenderAnswer
from pao.core.payloads.mirror import MirrorAnswer

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALREADY_EXISTS = StartChildWorkflowExecutionFailedCause.Value(
    "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS"
)
ARGUMENTS = ("arguments", "input", "args")
"""What the inputs of a call are named, by kind."""
Job = WorkflowActivationJob
Answer = Callable[[dict[str, Any]], Any]
"""What an activity answers to its input; an ``ApplicationError`` that it returns is its failure."""
ANSWERS: dict[str, Answer] = {
    names.MIRROR_ACTIVITY: lambda _: MirrorAnswer(applied=True),
    names.CHECK_SENDER_ACTIVITY: lambda _: SenderAnswer(),
    names.PROVE_ACTIVITY: lambda query: query["payload"] | {names.PROOF: "proof"},
}
"""Those of a worker whose Postgres keeps everything."""


class TaskFailedError(Exception):
    """The workflow's code failed in a task."""


@dataclass(frozen=True)
class Call:
    """What a workflow has asked for: an activity, a timer, a child, or a signal to another one."""

    kind: str
    name: str
    seq: int
    given: Any = None

    def answered(self, answer: Any = None) -> Job:
        """Return the job that brings its answer; an ``ApplicationError`` is its failure."""
        if self.kind == "start_timer":
            return Job(fire_timer=FireTimer(seq=self.seq))
        if self.kind == "signal_external_workflow_execution":
            return Job(resolve_signal_external_workflow=_received(self, answer))
        if self.kind == "start_child_workflow_execution":
            return Job(resolve_child_workflow_execution_start=_begun(self, answer))
        return Job(resolve_activity=_resolved(self, answer))


class Driven:
    """A run of a workflow; ``calls`` are all it has made, ``open`` those without an answer yet.

    Calls whose name is among ``answers`` are answered in a task of their own. ``cancelled`` names
    the activities that were asked to end, ``statuses`` are those it has shown in Temporal.
    """

    def __init__(self, of: type, given: Any, *, jobs: tuple[Job, ...], first: str) -> None:
        definition = workflow._Definition.must_from_class(of)
        self.answers = dict(ANSWERS)
        self.calls: list[Call] = []
        self.open: list[Call] = []
        self.cancelled: list[str] = []
        self.statuses: list[str] = []
        self.patches: list[str] = []
        self.updated: dict[str, Any] = {}
        self.result: dict[str, Any] | None = None
        self._queried: Any = None
        self._now = START
        with closing(asyncio.new_event_loop()) as loop:
            self._run = loop.run_until_complete(_created(_details(definition, first)))
        begun = InitializeWorkflow(
            workflow_type=definition.name or "", workflow_id="driven", arguments=[_payload(given)]
        )
        self.task(Job(initialize_workflow=begun), *jobs)

    def task(self, *jobs: Job, replays: bool = False, patches: tuple[str, ...] = ()) -> None:
        """Have the workflow work on what has happened, and answer what it asks then.

        One that ``replays`` knows of its own changes only the ``patches``.
        """
        told = [Job(notify_has_patch=NotifyHasPatch(patch_id=one)) for one in patches]
        if told or jobs:
            self._activate([*told, *jobs], replays=replays)
        while due := [call for call in self.open if call.name in self.answers]:
            call = due[0]
            self.open.remove(call)
            self._activate([call.answered(self.answers[call.name](call.given))], replays=replays)

    def hold(self, name: str) -> None:
        """Leave the calls of this name open from now on."""
        self.answers.pop(name)

    def release(self, name: str) -> None:
        """Answer the calls of this name again, those that are open first."""
        self.answers[name] = ANSWERS[name]
        self.task()

    def answer(self, name: str, answer: Any = None) -> None:
        """Answer the first open call of this name."""
        self.task(self.taken(name, answer))

    def taken(self, name: str, answer: Any = None) -> Job:
        """Return the job that answers the first open call of this name."""
        call = next(one for one in self.open if one.name == name)
        self.open.remove(call)
        return call.answered(answer)

    def signal(self, name: str, *args: Any) -> None:
        """Send a signal, alone in its task."""
        self.task(signalled(name, *args))

    def update(self, name: str, *args: Any) -> None:
        """Send an update; ``updated`` has its answer under its name when it comes."""
        told = [_payload(one) for one in args]
        update = DoUpdate(id=name, protocol_instance_id=name, name=name, input=told)
        self.task(Job(do_update=update))

    def query(self, name: str) -> Any:
        """Return the answer to a query."""
        self._activate([Job(query_workflow=QueryWorkflow(query_id="q", query_type=name))])
        return self._queried

    @property
    def details(self) -> str:
        """What Temporal shows of it."""
        return str(self.query("__temporal_workflow_metadata")["currentDetails"])

    def passed(self, name: str) -> list[Any]:
        """Return what was passed to each call of this name, in order."""
        return [call.given for call in self.calls if call.name == name]

    def written(self, key: str) -> list[Any]:
        """Return what each write to Postgres has said of one part of the state."""
        return [one[key] for one in self.passed(names.MIRROR_ACTIVITY)]

    def close(self) -> None:
        """Let go of the run, as a worker does that needs the memory."""
        self._activate([Job(remove_from_cache=RemoveFromCache())])

    def _activate(self, jobs: list[Job], *, replays: bool = False) -> None:
        self._now += timedelta(seconds=1)
        at = Timestamp()
        at.FromDatetime(self._now)
        done = self._run.activate(
            WorkflowActivation(run_id="driven", timestamp=at, jobs=jobs, is_replaying=replays)
        )
        if done.HasField("failed"):
            failure = done.failed.failure
            raise TaskFailedError(failure.message)
        for command in done.successful.commands:
            self._note(command)

    def _note(self, command: WorkflowCommand) -> None:
        kind = str(command.WhichOneof("variant"))
        body = getattr(command, kind)
        if kind in NAMED:
            call = Call(kind, NAMED[kind](body), body.seq, _given(body))
            self.calls.append(call)
            self.open.append(call)
        elif kind in {"request_cancel_activity", "request_cancel_local_activity"}:
            self.cancelled += [one.name for one in self.calls if _is_activity(one, body.seq)]
        elif kind == "set_patch_marker":
            self.patches.append(body.patch_id)
        elif kind == "upsert_workflow_search_attributes":
            self.statuses += [_read(one) for one in body.search_attributes.indexed_fields.values()]
        elif kind == "complete_workflow_execution":
            self.result = _read(body.result)
        elif kind == "update_response" and not body.HasField("accepted"):
            self.updated[body.protocol_instance_id] = (
                _read(body.completed) if body.HasField("completed") else body.rejected.message
            )
        elif kind == "respond_to_query":
            self._queried = _read(body.succeeded.response)


NAMED: dict[str, Callable[[Any], str]] = {
    "schedule_activity": lambda body: str(body.activity_type),
    "schedule_local_activity": lambda body: str(body.activity_type),
    "start_timer": lambda _: "timer",
    "start_child_workflow_execution": lambda body: str(body.workflow_id),
    "signal_external_workflow_execution": lambda body: str(body.signal_name),
}
"""How a call is named, by the kind of its command."""


@contextmanager
def driven(of: type, given: Any, *jobs: Job, first: str = "driven") -> Iterator[Driven]:
    """Start a run, with what happens in its first task; one with another ``first`` is a reset."""
    run = Driven(of, given, jobs=jobs, first=first)
    try:
        yield run
    finally:
        run.close()


def signalled(name: str, *args: Any) -> Job:
    """Return the job that brings a signal."""
    told = [_payload(one) for one in args]
    return Job(signal_workflow=SignalWorkflow(signal_name=name, input=told, originating_event_id=1))


def cancelled(reason: str = "") -> Job:
    """Return the job that brings Temporal's own cancellation."""
    return Job(cancel_workflow=CancelWorkflow(reason=reason))


async def _created(details: WorkflowInstanceDetails) -> WorkflowInstance:
    return UnsandboxedWorkflowRunner().create_instance(details)


def _details(definition: Any, first: str) -> WorkflowInstanceDetails:
    return WorkflowInstanceDetails(
        payload_converter_factory=CONVERTER.payload_converter_class,
        failure_converter_class=CONVERTER.failure_converter_class,
        interceptor_classes=[],
        defn=definition,
        info=workflow.Info(
            attempt=1,
            continued_run_id=None,
            cron_schedule=None,
            execution_timeout=None,
            first_execution_run_id=first,
            headers={},
            namespace="default",
            original_execution_run_id="driven",
            parent=None,
            root=None,
            priority=Priority.default,
            raw_memo={},
            retry_policy=None,
            run_id="driven",
            run_timeout=None,
            search_attributes={},
            start_time=START,
            workflow_start_time=START,
            task_queue="driven",
            task_timeout=timedelta(seconds=10),
            typed_search_attributes=TypedSearchAttributes.empty,
            workflow_id="driven",
            workflow_type=definition.name,
        ),
        randomness_seed=7,
        extern_functions={"__temporal_assert_local_activity_valid": lambda _: None},
        disable_eager_activity_execution=True,
        worker_level_failure_exception_types=[],
        patch_activation_callback=None,
        last_completion_result=Payloads(),
        last_failure=None,
    )


def _payload(value: Any) -> Payload:
    return CONVERTER.payload_converter.to_payloads([value])[0]


def _read(payload: Payload) -> Any:
    return json.loads(payload.data) if payload.data else None


def _given(body: Any) -> Any:
    if isinstance(body, StartTimer):
        return body.start_to_fire_timeout.ToTimedelta().total_seconds()
    passed = [one for part in ARGUMENTS for one in getattr(body, part, ())]
    return _read(passed[0]) if passed else None


def _is_activity(call: Call, seq: int) -> bool:
    return call.seq == seq and call.kind.endswith("activity")


def _resolved(call: Call, answer: Any) -> ResolveActivity:
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
        told = ActivityResolution(failed=Failed(failure=_failure(failed)))
    else:
        told = ActivityResolution(completed=Success(result=_payload(answer)))
    is_local = call.kind == "schedule_local_activity"
    return ResolveActivity(seq=call.seq, result=told, is_local=is_local)


def _begun(call: Call, answer: Any) -> ResolveChildWorkflowExecutionStart:
    if isinstance(answer, ApplicationError):
        failed = ResolveChildWorkflowExecutionStartFailure(
            workflow_id=call.name, workflow_type=names.REQUEST_WORKFLOW, cause=ALREADY_EXISTS
        )
        return ResolveChildWorkflowExecutionStart(seq=call.seq, failed=failed)
    begun = ResolveChildWorkflowExecutionStartSuccess(run_id="child")
    return ResolveChildWorkflowExecutionStart(seq=call.seq, succeeded=begun)


def _received(call: Call, answer: Any) -> ResolveSignalExternalWorkflow:
    failure = _failure(answer) if isinstance(answer, ApplicationError) else None
    return ResolveSignalExternalWorkflow(seq=call.seq, failure=failure)


def _failure(error: FailureError) -> Failure:
    told = Failure()
    CONVERTER.failure_converter.to_failure(error, CONVERTER.payload_converter, told)
    return told
