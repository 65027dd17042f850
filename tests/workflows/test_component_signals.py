"""What a component tells its bundle: what Postgres holds, and nothing that it does not hold yet."""

from temporalio import workflow

from pao.clients.temporal_connection import CONVERTER
from pao.core.payloads.requests import BundleLink, RequestInput
from pao.core.states import RequestStatus
from tests.support.requests import new_request
from tests.support.workflow_runs import run_workflow
from workflows.component_reports import ComponentReporter
from workflows.ledger import Ledger
from workflows.snapshots import Snapshots


@workflow.defn
class Reports:
    """A component that fails, and is aborted while its failure is still being written."""

    @workflow.run
    async def run(self, given: RequestInput) -> None:
        """Tell what is written, each time when it is; a memo says what was written before."""
        ledger = Ledger(given)
        reporter = ComponentReporter(ledger, Snapshots(ledger), BundleLink("nobody", "left"))
        ledger.move(RequestStatus.IN_PROGRESS)
        ledger.move(RequestStatus.FAILED)
        ledger.move(RequestStatus.ABORTED)
        for written in (RequestStatus.FAILED, RequestStatus.FAILED, RequestStatus.ABORTED):
            workflow.upsert_memo({"written": written})
            await reporter.report((written, False))


async def test_an_end_is_reported_when_it_is_written(temporal_address: str) -> None:
    _, history = await run_workflow(temporal_address, Reports, "Reports", new_request().given)
    told = []
    for event in history.events:
        memo = event.workflow_properties_modified_event_attributes.upserted_memo.fields
        if "written" in memo:
            told.append(f"{memo['written'].data.decode().strip(chr(34))} is written")
        signal = event.signal_external_workflow_execution_initiated_event_attributes.input.payloads
        if signal:
            [report] = await CONVERTER.decode(signal, [dict])
            told.append(f"{report['status']} is told")
    assert told == [
        "failed is written",
        "failed is told",
        "failed is written",
        "aborted is written",
        "aborted is told",
    ]
