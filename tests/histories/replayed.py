"""What the replay of a stored history calls, and with what input.

    python -m tests.histories.replayed          writes local_calls/ anew; read the diff

Temporal compares only which calls a replay makes, and in which order. A history holds the inputs
of activities, children and signals as well. It does not hold those of local activities, which
write the state to Postgres among other things, nor what callers were answered: those are in
``local_calls/``.
"""

import asyncio
import json
import sys
from base64 import b64decode
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.common import TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    Replayer,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from pao.clients.temporal_connection import CONVERTER
from pao.core import names
from pao.core.search_attributes import STATUS
from workflows.bundle import BundleWorkflow
from workflows.request import RequestWorkflow

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.json"))
LOCAL_CALLS = HERE / "local_calls"
TIMEOUTS = ("schedule_to_start", "start_to_close", "schedule_to_close", "heartbeat")
Document = dict[str, Any]
Call = tuple[str, Document]
"""A name, and what is passed, as JSON."""


class Calls(Interceptor):
    """Notes the calls of a replay, in order: what history holds with its input, and the rest."""

    def __init__(self) -> None:
        self.remote: list[Call] = []
        self.local: list[Call] = []

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 -- named by Temporal
    ) -> type[WorkflowInboundInterceptor]:
        """Return the class that Temporal makes one of for the run."""
        calls = self

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(_Outbound(outbound, calls))

            async def execute_workflow(
                self,
                input: ExecuteWorkflowInput,  # noqa: A002 -- named by Temporal
            ) -> Any:
                outcome = await super().execute_workflow(input)
                calls.local += await _answers(outcome)
                return outcome

        return Inbound


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(self, following: WorkflowOutboundInterceptor, calls: Calls) -> None:
        super().__init__(following)
        self._calls = calls

    def start_activity(
        self,
        input: StartActivityInput,  # noqa: A002 -- named by Temporal
    ) -> workflow.ActivityHandle[Any]:
        told: Document = {name: _seconds(getattr(input, f"{name}_timeout")) for name in TIMEOUTS}
        if input.retry_policy is not None:
            told["attempts"] = input.retry_policy.maximum_attempts
        self._calls.remote.append((input.activity, {"input": _json(input.args), **told}))
        return super().start_activity(input)

    def start_local_activity(
        self,
        input: StartLocalActivityInput,  # noqa: A002 -- named by Temporal
    ) -> workflow.ActivityHandle[Any]:
        self._calls.local.append((input.activity, _json(input.args)))
        return super().start_local_activity(input)

    async def start_child_workflow(
        self,
        input: StartChildWorkflowInput,  # noqa: A002 -- named by Temporal
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        attributes = input.search_attributes
        assert isinstance(attributes, TypedSearchAttributes)
        told = {
            "input": _json(input.args),
            "memo": dict(input.memo or {}),
            "attributes": {pair.key.name: pair.value for pair in attributes},
            "task_timeout": _seconds(input.task_timeout),
            "at_close": f"PARENT_CLOSE_POLICY_{input.parent_close_policy.name}",
            "reuse": f"WORKFLOW_ID_REUSE_POLICY_{input.id_reuse_policy.name}",
        }
        self._calls.remote.append((input.id, told))
        return await super().start_child_workflow(input)

    async def signal_external_workflow(
        self,
        input: SignalExternalWorkflowInput,  # noqa: A002 -- named by Temporal
    ) -> None:
        name = f"{input.signal} to {input.workflow_id}"
        self._calls.remote.append((name, {"input": _json(input.args)}))
        await super().signal_external_workflow(input)


async def _answers(outcome: Any) -> list[Call]:
    """Return what a caller is told of a run that has ended: its result, and how it had settled."""
    run = workflow.instance()
    assert isinstance(run, RequestWorkflow | BundleWorkflow)
    shown = workflow.info().typed_search_attributes.get(STATUS)
    try:
        settled = _json([await cast("Any", run).settled()])
    except ApplicationError as error:
        settled = {"refused": error.message}
    return [
        ("answer: result", _json([outcome])),
        ("answer: settled", settled),
        ("answer: snapshot", _json([run.snapshot()])),
        ("answer: search", {STATUS.name: shown}),
    ]


async def replayed(file: Path) -> Calls:
    """Replay a history and return its calls."""
    calls = Calls()
    replayer = Replayer(
        workflows=[RequestWorkflow, BundleWorkflow],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[calls],
    )
    await replayer.replay_workflow(_history(file))
    return calls


def recorded(file: Path) -> list[Call]:
    """Return the calls that a history holds; nothing of what the run before a reset passed."""
    calls: list[Call] = []
    for event in json.loads(file.read_text())["events"]:
        if "newRunId" in event.get("workflowTaskFailedEventAttributes", {}):
            calls = [(name, {}) for name, _ in calls]
        if given := event.get("activityTaskScheduledEventAttributes"):
            told: Document = {name: _read_seconds(given, name) for name in TIMEOUTS}
            # The server fills this one in where it is not given.
            if told["schedule_to_start"] == _read_seconds(given, "schedule_to_close"):
                told["schedule_to_start"] = 0.0
            told["attempts"] = given["retryPolicy"].get("maximumAttempts", 0)
            calls.append((given["activityType"]["name"], {"input": _input(given), **told}))
        if given := event.get("startChildWorkflowExecutionInitiatedEventAttributes"):
            told = {
                "input": _input(given),
                "memo": _decoded(given["memo"]["fields"]),
                "attributes": _decoded(given["searchAttributes"]["indexedFields"]),
                "task_timeout": _read_seconds(given, "workflow_task"),
                "at_close": given["parentClosePolicy"],
                "reuse": given["workflowIdReusePolicy"],
            }
            calls.append((given["workflowId"], told))
        if given := event.get("signalExternalWorkflowExecutionInitiatedEventAttributes"):
            name = f"{given['signalName']} to {given['workflowExecution']['workflowId']}"
            calls.append((name, {"input": _input(given)}))
    return calls


def local_lines(calls: Calls) -> list[str]:
    """Return the local calls as they are stored, one a line; of a write, what it changes.

    The texts of the execution log are left out, and whatever is empty.
    """
    lines: list[str] = []
    before: Document = {}
    for name, given in calls.local:
        told = _filled(given)
        if name == names.MIRROR_ACTIVITY:
            entries = [_without_wording(one) for one in told.pop("stream", ())]
            changed = {key: one for key, one in told.items() if before.get(key) != one}
            gone = {key: None for key in before if key not in told}
            before, told = told, {**changed, **gone, **({"stream": entries} if entries else {})}
        lines.append(json.dumps({name: told}, sort_keys=True))
    return lines


def _without_wording(entry: Document) -> Document:
    """Return an entry of a request's stream; one of the execution log without its text."""
    if entry["kind"] != "log":
        return entry
    return {**entry, "data": {key: entry["data"][key] for key in entry["data"] if key != "message"}}


def local_file(file: Path) -> Path:
    """Return where the local calls of a history are stored."""
    return LOCAL_CALLS / f"{file.stem}.jsonl"


def _history(file: Path) -> WorkflowHistory:
    """Return a stored history; the replay of a reset has the id of its own run, as on a worker."""
    document = json.loads(file.read_text())
    for event in document["events"]:
        if run := event.get("workflowTaskFailedEventAttributes", {}).get("newRunId"):
            started = document["events"][0]["workflowExecutionStartedEventAttributes"]
            started["originalExecutionRunId"] = run
    return WorkflowHistory.from_json(f"request-{file.stem}", json.dumps(document))


def _json(args: Sequence[Any]) -> Any:
    payloads = CONVERTER.payload_converter.to_payloads(args)
    return json.loads(payloads[0].data) if payloads else None


def _input(attributes: Document) -> Any:
    payloads = attributes["input"]["payloads"]
    return json.loads(b64decode(payloads[0]["data"])) if payloads else None


def _decoded(payloads: Document) -> Document:
    return {name: json.loads(b64decode(one["data"])) for name, one in payloads.items()}


def _seconds(timeout: timedelta | None) -> float:
    return timeout.total_seconds() if timeout else 0.0


def _read_seconds(attributes: Document, name: str) -> float:
    words = name.split("_")
    key = words[0] + "".join(word.capitalize() for word in words[1:]) + "Timeout"
    return float(attributes.get(key, "0s").removesuffix("s"))


def _filled(value: Any) -> Any:
    """Return a document without what is empty: a new field with a default changes nothing."""
    if isinstance(value, dict):
        members = {key: _filled(member) for key, member in value.items()}
        return {key: one for key, one in members.items() if one not in (None, "", False, [], {})}
    return [_filled(member) for member in value] if isinstance(value, list) else value


def main() -> None:
    """Write the local calls of every history."""
    LOCAL_CALLS.mkdir(exist_ok=True)
    for file in FILES:
        lines = local_lines(asyncio.run(replayed(file)))
        local_file(file).write_text("".join(f"{line}\n" for line in lines))
        sys.stdout.write(f"{local_file(file).name}\n")


if __name__ == "__main__":
    main()
