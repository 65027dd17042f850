"""A short workflow that does not come to its end is a missing answer, and no error of PAO."""

from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from pao.clients.temporal import RequestWorkflows
from pao.clients.temporal_connection import CONVERTER
from pao.core import names
from pao.core.payloads.actions import ActionInput
from tests.support.requests import new_request


@workflow.defn(name=names.FILES_WORKFLOW)
class Ended:
    """Ends as one does that an operator terminates."""

    @workflow.run
    async def run(self, _given: ActionInput) -> None:
        raise ApplicationError("ended by an operator")


async def test_a_short_workflow_that_fails_is_a_missing_answer(temporal_address: str) -> None:
    client = await Client.connect(temporal_address, data_converter=CONVERTER)
    request = new_request()
    given = ActionInput(context=request.context, action=request.plan[0])
    async with Worker(
        client,
        task_queue=request.id,
        workflows=[Ended],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        workflows = RequestWorkflows(client, task_queue=request.id)
        answer = await workflows.read_files(given, budget=30)
    assert answer.problem == "no worker has answered yet; try again"
