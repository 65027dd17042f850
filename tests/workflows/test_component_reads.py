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


class HeldReads(Components):
    """Components whose reads are answered when the workflow says so."""

    reads: dict[str, "asyncio.Future[Any]"]

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
        open_decisions = OpenDecisions(ledger)
        stop = Stop(ledger, open_decisions)
        mirror = Mirror(ledger, open_decisions, given)
        parts = HeldReads(given.plan, ledger, mirror=mirror, stop=stop, waits=given.waits)
        parts.reads = {}
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


@pytest.mark.parametrize("answered", [["left", "right"], ["right", "left"]])
async def test_the_answers_of_overlapping_reads_are_all_noted(
    idle_bench: Workbench, answered: list[str]
) -> None:
    bundle = new_bundle(after={"left": [], "right": []})
    queue = f"reads-{secrets.token_hex(4)}"
    async with Worker(
        idle_bench.client,
        task_queue=queue,
        workflows=[OverlappingReads],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        known = await idle_bench.client.execute_workflow(
            OverlappingReads.run, args=[bundle.whole.given, answered], id=queue, task_queue=queue
        )
    assert known == ["left", "right"]
