"""Drives a workflow without a server: the test supplies the events, task by task.

The SDK's own code runs the workflow, so a task's signals, answers and conditions are processed in
the real order. The test answers in place of a server and a worker.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio import workflow
from temporalio.api.common.v1 import Payloads
from temporalio.bridge.proto.workflow_activation import (
    CancelWorkflow,
    DoUpdate,
    InitializeWorkflow,
    NotifyHasPatch,
    QueryWorkflow,
    RemoveFromCache,
    SignalWorkflow,
    WorkflowActivation,
    WorkflowActivationJob,
)
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.common import Priority, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails

from pao.clients.temporal_connection import CONVERTER
from pao.core import names
from pao.core.payloads.decisions import SenderAnswer
from pao.core.payloads.mirror import MirrorAnswer
from tests.support.workflow_calls import Call, from_payload, input_of, to_payload

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
Job = WorkflowActivationJob
Answer = Callable[[dict[str, Any]], Any]
"""Returns an activity's answer to its input; a returned ``ApplicationError`` is its failure."""
ANSWERS: dict[str, Answer] = {
    names.MIRROR_ACTIVITY: lambda _: MirrorAnswer(applied=True),
    names.CHECK_SENDER_ACTIVITY: lambda _: SenderAnswer(),
    names.PROVE_ACTIVITY: lambda query: query["payload"] | {names.PROOF: "proof"},
}
"""The answers of a worker whose Postgres stores everything."""


class TaskFailedError(Exception):
    """The workflow's code failed in a task."""


class WorkflowDriver:
    """A run of a workflow; ``calls`` are all its calls, ``open`` those without an answer yet.

    Calls whose name is in ``answers`` are each answered in a task. ``cancelled`` names the
    activities whose cancellation was requested, ``statuses`` are those it has set in Temporal.
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
            self._run = loop.run_until_complete(_create(_details(definition, first)))
        begun = InitializeWorkflow(
            workflow_type=definition.name or "", workflow_id="driven", arguments=[to_payload(given)]
        )
        self.task(Job(initialize_workflow=begun), *jobs)

    def task(self, *jobs: Job, replays: bool = False, patches: tuple[str, ...] = ()) -> None:
        """Process these jobs, then answer the calls that the workflow makes.

        If it ``replays``, it has only these ``patches``.
        """
        patched = [Job(notify_has_patch=NotifyHasPatch(patch_id=one)) for one in patches]
        if patched or jobs:
            self._activate([*patched, *jobs], replays=replays)
        while due := [call for call in self.open if call.name in self.answers]:
            call = due[0]
            self.open.remove(call)
            self._activate([call.answer_job(self.answers[call.name](call.input))], replays=replays)

    def hold(self, name: str) -> None:
        """Leave the calls of this name open from now on."""
        self.answers.pop(name)

    def release(self, name: str) -> None:
        """Answer the calls of this name again, those that are open first."""
        self.answers[name] = ANSWERS[name]
        self.task()

    def answer(self, name: str, answer: Any = None) -> None:
        """Answer the first open call of this name."""
        self.task(self.take(name, answer))

    def take(self, name: str, answer: Any = None) -> Job:
        """Return the job that answers the first open call of this name."""
        call = next(one for one in self.open if one.name == name)
        self.open.remove(call)
        return call.answer_job(answer)

    def signal(self, name: str, *args: Any) -> None:
        """Send a signal, alone in its task."""
        self.task(signal_job(name, *args))

    def update(self, name: str, *args: Any) -> None:
        """Send an update; its answer appears in ``updated`` under its name."""
        payloads = [to_payload(one) for one in args]
        update = DoUpdate(id=name, protocol_instance_id=name, name=name, input=payloads)
        self.task(Job(do_update=update))

    def query(self, name: str) -> Any:
        """Return the answer to a query."""
        self._activate([Job(query_workflow=QueryWorkflow(query_id="q", query_type=name))])
        return self._queried

    @property
    def details(self) -> str:
        """The current details that Temporal shows."""
        return str(self.query("__temporal_workflow_metadata")["currentDetails"])

    def inputs(self, name: str) -> list[Any]:
        """Return the input of each call of this name, in order."""
        return [call.input for call in self.calls if call.name == name]

    def mirrored(self, key: str) -> list[Any]:
        """Return one part of the state in each write to Postgres."""
        return [one[key] for one in self.inputs(names.MIRROR_ACTIVITY)]

    def close(self) -> None:
        """Remove the run from the cache, as a worker does to free memory."""
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
            self._record(command)

    def _record(self, command: WorkflowCommand) -> None:
        kind = str(command.WhichOneof("variant"))
        body = getattr(command, kind)
        if kind in CALL_NAMES:
            call = Call(kind, CALL_NAMES[kind](body), body.seq, input_of(body))
            self.calls.append(call)
            self.open.append(call)
        elif kind in {"request_cancel_activity", "request_cancel_local_activity"}:
            self.cancelled += [one.name for one in self.calls if one.is_activity(body.seq)]
        elif kind == "set_patch_marker":
            self.patches.append(body.patch_id)
        elif kind == "upsert_workflow_search_attributes":
            self.statuses += [
                from_payload(one) for one in body.search_attributes.indexed_fields.values()
            ]
        elif kind == "complete_workflow_execution":
            self.result = from_payload(body.result)
        elif kind == "update_response" and not body.HasField("accepted"):
            self.updated[body.protocol_instance_id] = (
                from_payload(body.completed)
                if body.HasField("completed")
                else body.rejected.message
            )
        elif kind == "respond_to_query":
            self._queried = from_payload(body.succeeded.response)


CALL_NAMES: dict[str, Callable[[Any], str]] = {
    "schedule_activity": lambda body: str(body.activity_type),
    "schedule_local_activity": lambda body: str(body.activity_type),
    "start_timer": lambda _: "timer",
    "start_child_workflow_execution": lambda body: str(body.workflow_id),
    "signal_external_workflow_execution": lambda body: str(body.signal_name),
}
"""Returns the name of a call, by the kind of its command."""


@contextmanager
def drive_workflow(
    of: type, given: Any, *jobs: Job, first: str = "driven"
) -> Iterator[WorkflowDriver]:
    """Start a run with the jobs of its first task; with another ``first`` it is a reset."""
    run = WorkflowDriver(of, given, jobs=jobs, first=first)
    try:
        yield run
    finally:
        run.close()


def signal_job(name: str, *args: Any) -> Job:
    """Return the job of a signal."""
    payloads = [to_payload(one) for one in args]
    return Job(
        signal_workflow=SignalWorkflow(signal_name=name, input=payloads, originating_event_id=1)
    )


def cancel_job(reason: str = "") -> Job:
    """Return the job of Temporal's cancellation."""
    return Job(cancel_workflow=CancelWorkflow(reason=reason))


async def _create(details: WorkflowInstanceDetails) -> WorkflowInstance:
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
