"""Reads of components that overlap: no answer is lost, whatever the bundle does meanwhile."""

import asyncio
import secrets
from typing import Any

import pytest
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from pao.core.components import ComponentQuery, ComponentReport
from pao.core.payloads.requests import RequestInput
from pao.core.states import RequestStatus
from tests.support.bundles import new_bundle
from tests.support.worker import Workbench
from workflows.bundle_ledger import BundleLedger
from workflows.components import Components
from workflows.mirror import Mirror
from workflows.open_decisions import OpenDecisions
from workflows.stopping import Stop

FOREIGN = {"component": "of another bundle"}


class HeldReads(Components):
    """Components whose reads are answered when the workflow says so."""

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

    async def _ask(
        self, activity: str, query: ComponentQuery, kind: type[Any], summary: str
    ) -> Any:
        del activity, kind, summary
        self.reads[query.component] = asyncio.get_running_loop().create_future()
        return await self.reads[query.component]


@workflow.defn
class OverlappingReads:
    """Reads two components; notes what is known between the begin of the first and the second."""

    @workflow.run
    async def run(self, given: RequestInput, answered: list[str]) -> list[str]:
        """Return the components that are known to be completed."""
        ledger = BundleLedger(given)
        parts = HeldReads(given, ledger)
        ledger.move(RequestStatus.IN_PROGRESS)
        reports = {
            name: ComponentReport(name, action.config["requestId"], RequestStatus.COMPLETED)
            for name, action in ledger.planned.items()
        }
        told: list[asyncio.Task[bool]] = []
        for name in ("left", "right"):
            signal = {"component": name, "request_id": reports[name].request_id}
            told.append(asyncio.create_task(parts.hear(({**signal, "status": "completed"},))))
            await workflow.wait_condition(lambda: len(parts.reads) == len(told))
            parts.note()
        for name in answered:
            parts.reads[name].set_result([reports[name]])
        await asyncio.gather(*told)
        parts.note()
        return sorted(ledger.reports)


@workflow.defn
class NoReports:
    """Hears what is no report of a component."""

    @workflow.run
    async def run(self, given: RequestInput) -> list[bool]:
        """Return which signals are taken for reports, by what a fresh bundle makes of each."""
        report = {"component": "left", "request_id": "x", "status": "completed"}
        signals: list[tuple[Any, ...]] = [(), ("no",), (report, report), (report | FOREIGN,)]
        return [await HeldReads(given, BundleLedger(given)).hear(args) for args in signals]


async def played(bench: Workbench, of: type, *given: Any) -> Any:
    """Return the result of a workflow of this file."""
    queue = f"reads-{secrets.token_hex(4)}"
    async with Worker(
        bench.client,
        task_queue=queue,
        workflows=[OverlappingReads, NoReports],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        return await bench.client.execute_workflow(
            of.__name__, args=list(given), id=queue, task_queue=queue
        )


@pytest.mark.parametrize("answered", [["left", "right"], ["right", "left"]])
async def test_the_answers_of_overlapping_reads_are_all_noted(
    idle_bench: Workbench, answered: list[str]
) -> None:
    bundle = new_bundle(after={"left": [], "right": []})
    known = await played(idle_bench, OverlappingReads, bundle.whole.given, answered)
    assert known == ["left", "right"]


async def test_what_is_no_report_of_a_component_is_not_taken(idle_bench: Workbench) -> None:
    bundle = new_bundle(after={"left": [], "right": []})
    assert await played(idle_bench, NoReports, bundle.whole.given) == [False] * 4
