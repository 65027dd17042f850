"""Every stored history replays: a request under way survives a deploy of this code."""

import json
import re
from base64 import b64decode, b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from pao.clients.temporal_connection import CONVERTER
from pao.core.payloads.requests import RequestInput, RequestOutcome
from workflows.bundle import BundleWorkflow
from workflows.request import RequestWorkflow

FILES = sorted(Path(__file__).parent.glob("*.json"))
PATHS = {
    "bundle",
    "bundle-component-retried",
    "bundle-aborted",
    "bundle-escalated",
    "bundle-resumed",
    "bundle-resumed-broken",
    "component",
    "cancelled-before-it-starts",
    "cancelled-waits",
    "component-cancelled",
    "bundle-told-in-vain",
    "component-ended-after-its-retry",
    "component-reset",
    "component-row-lost",
    "bundle-component-lost",
    "component-ended-by-its-bundle",
    "success",
    "fail-then-retry",
    "outcome-unknown-then-adopt",
    "condition-broken",
    "corrected-in-doubt",
    "corrected-with-evidence",
    "revised",
    "evidence",
    "abort",
    "cancel",
    "cancel-signal",
    "unattended-wait-cancelled",
    "reset-after-corrections",
    "row-lost",
    "escalate",
    "bad-signals",
    "mirror-away",
    "branch-retried",
    "fallback",
    "follow",
    "wait-lost",
    "ticket-waited-for",
    "approval-waited-for",
    "resumed",
    "clock-behind",
    "votes-after-reset",
    "deadline-passed",
    "corrected-after-use",
    "decided-after-reset",
    "escalated-after-reset",
    "escalated-when-resumed",
    "told-in-vain",
}
STORED = [pytest.param(file, id=file.stem) for file in FILES]


def history(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"request-{file.stem}", file.read_text())


def test_every_path_has_a_history() -> None:
    assert {file.name.split(".")[0] for file in FILES} == PATHS


@pytest.mark.parametrize("file", STORED)
def test_a_history_names_no_machine(file: Path) -> None:
    text = file.read_text()
    assert "stackTrace" not in text
    assert not re.search(r'"\d+@', text)


@pytest.mark.parametrize("file", STORED)
async def test_a_stored_history_replays(file: Path) -> None:
    replayer = Replayer(
        workflows=[RequestWorkflow, BundleWorkflow],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(history(file))


async def test_evidence_that_an_earlier_version_accepted_replays_however_deep_it_is() -> None:
    [file] = [one for one in FILES if one.stem == "evidence.1"]
    document = json.loads(file.read_text())
    outputs: dict[str, Any] = {}
    for _ in range(100):
        outputs = {"a": outputs}
    deepened = 0
    for event in document["events"]:
        signal = event.get("workflowExecutionSignaledEventAttributes")
        for payload in signal["input"]["payloads"] if signal else ():
            given = json.loads(b64decode(payload["data"]))
            if given.get("evidence", {}).get("present"):
                given["evidence"]["outputs"]["deep"] = outputs
                payload["data"] = b64encode(json.dumps(given).encode()).decode()
                deepened += 1
    assert deepened
    replayer = Replayer(
        workflows=[RequestWorkflow],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(WorkflowHistory.from_json("request", json.dumps(document)))


@workflow.defn(name="RequestWorkflow")
class Changed(RequestWorkflow):
    """The workflow after a change that requests under way would not survive."""

    @workflow.init
    def __init__(self, given: RequestInput) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: RequestInput) -> RequestOutcome:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(given)


@workflow.defn(name="BundleWorkflow")
class ChangedBundle(BundleWorkflow):
    """The same of bundles."""

    @workflow.init
    def __init__(self, given: RequestInput) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: RequestInput) -> RequestOutcome:
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(given)


@pytest.mark.parametrize("file", STORED)
async def test_a_change_that_is_not_compatible_is_noticed(file: Path) -> None:
    replayer = Replayer(
        workflows=[Changed, ChangedBundle],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(history(file))
