"""Reads of components that overlap: no answer is lost, whatever the bundle does meanwhile."""

import asyncio
from typing import Any

import pytest
from temporalio import workflow
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from pao.clients.temporal_connection import CONVERTER
from pao.core import names
from pao.core.components import ComponentQuery, ComponentReport
from pao.core.payloads.requests import RequestInput
from pao.core.states import RequestStatus
from tests.support.bundles import new_bundle
from tests.support.workflow_runs import run_workflow
from workflows.bundle_ledger import BundleLedger
from workflows.components import BundleComponents
from workflows.mirror import Mirror
from workflows.open_decisions import OpenDecisions
from workflows.stopping import Stop

FOREIGN = {"component": "of another bundle"}
PARTS = ("a", "b", "c")
# What is asked, noted and answered, in this order.
OVERLAPPING = [
    "ask a, note, ask b, answer a, answer b",
    "ask a, note, ask b, answer b, answer a",
    "ask a, ask b, ask c, answer a, note, answer b, answer c",
    "ask a, ask b, answer a, note, ask c, answer c, answer b",
    "ask a, ask b, answer a, note, ask c, note, answer b, answer c",
]


class HeldReads(BundleComponents):
    """BundleComponents whose reads are answered when the workflow says so."""

    def __init__(self, given: RequestInput, ledger: BundleLedger) -> None:
        open_decisions = OpenDecisions(ledger)
        super().__init__(
            given.plan,
            ledger,
            mirror=Mirror(ledger, open_decisions, given),
            stop=Stop(ledger, open_decisions),
            waits=given.waits,
        )
        self.reads: dict[str, asyncio.Future[Any]] = {}

    async def _execute(
        self, activity: str, query: ComponentQuery, kind: type[Any], summary: str
    ) -> Any:
        del activity, kind, summary
        self.reads[query.component] = asyncio.get_running_loop().create_future()
        return await self.reads[query.component]


class FormerReads(HeldReads):
    """The same in a version that put back the inbox with which a read had begun."""

    async def _read(self, query: ComponentQuery, summary: str) -> None:
        self._inbox += await self._execute(
            names.COMPONENTS_ACTIVITY, query, list[ComponentReport], summary
        )


async def read(of: type[HeldReads], given: RequestInput, steps: str) -> list[str]:
    """Return the components that are known in the end; the history has a command for each."""
    ledger = BundleLedger(given)
    ledger.move(RequestStatus.IN_PROGRESS)
    parts = of(given, ledger)
    told: dict[str, asyncio.Task[bool]] = {}
    for step in steps.split(", "):
        what, _, name = step.partition(" ")
        if what == "note":
            parts.record_reports()
            continue
        request_id = ledger.planned[name].config["requestId"]
        if what == "ask":
            signal = {"component": name, "request_id": request_id, "status": "completed"}
            told[name] = asyncio.create_task(parts.receive_report((signal,)))
            await workflow.wait_condition(lambda: len(parts.reads) == len(told))
        else:
            report = ComponentReport(name, request_id, RequestStatus.COMPLETED, at="2026-03-01")
            parts.reads[name].set_result([report])
            await told[name]
    parts.record_reports()
    for name in ledger.reports:
        workflow.upsert_memo({name: "known"})
    return sorted(ledger.reports)


@workflow.defn(name="Reads")
class Reads:
    """Reads components by the code of today."""

    @workflow.run
    async def run(self, given: RequestInput, steps: str) -> list[str]:
        """Return the components that are known in the end."""
        return await read(HeldReads, given, steps)


@workflow.defn(name="Reads")
class ReadsOfEarlierVersion:
    """Reads components by former code."""

    @workflow.run
    async def run(self, given: RequestInput, steps: str) -> list[str]:
        """Return the components that are known in the end."""
        return await read(FormerReads, given, steps)


@workflow.defn
class NoReports:
    """Hears what is no report of a component."""

    @workflow.run
    async def run(self, given: RequestInput) -> list[bool]:
        """Return which signals are taken for reports, by what a fresh bundle makes of each."""
        report = {"component": "a", "request_id": "x", "status": "completed"}
        signals: list[tuple[Any, ...]] = [(), ("no",), (report, report), (report | FOREIGN,)]
        return [
            await HeldReads(given, BundleLedger(given)).receive_report(args) for args in signals
        ]


def bundle() -> RequestInput:
    return new_bundle(after={part: [] for part in PARTS}).whole.given


@pytest.mark.parametrize("steps", OVERLAPPING)
async def test_the_answers_of_overlapping_reads_are_all_noted(
    temporal_address: str, steps: str
) -> None:
    known, _ = await run_workflow(temporal_address, Reads, "Reads", bundle(), steps)
    assert known == [name for name in PARTS if f"ask {name}" in steps]


@pytest.mark.parametrize("steps", OVERLAPPING)
async def test_histories_in_which_some_were_lost_replay(temporal_address: str, steps: str) -> None:
    _, history = await run_workflow(
        temporal_address, ReadsOfEarlierVersion, "Reads", bundle(), steps
    )
    replayer = Replayer(
        workflows=[Reads],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(history)


async def test_what_is_no_report_of_a_component_is_not_taken(temporal_address: str) -> None:
    taken, _ = await run_workflow(temporal_address, NoReports, "NoReports", bundle())
    assert taken == [False] * 4
