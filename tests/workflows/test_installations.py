"""What a worker refuses that belongs to another installation, and what it does not refuse."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from pao.clients.installation import WorkerGuard, installation_of, worker_identity
from pao.clients.temporal_connection import TemporalTarget, connect
from pao.core.names import LOOK_ACTIVITY, LOOK_WORKFLOW
from pao.core.payloads.actions import ActionInput, LookResult
from tests.support.postgres import Database
from tests.support.requests import new_request
from tests.support.worker import Workbench, workbench
from workflows.look import LookWorkflow

STARTED: list[str] = []


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    async with workbench(database, temporal_address, tmp_path, with_worker=False) as made:
        yield made


async def test_a_workflow_of_an_earlier_version_that_carries_no_id_goes_on(
    bench: Workbench,
) -> None:
    bench.installation = "ours"
    await bench.start_worker()
    request = await bench.submit()
    await bench.reached(request, "completed")


@activity.defn(name=LOOK_ACTIVITY)
async def look(_asked: ActionInput) -> LookResult:
    STARTED.append(activity.info().activity_id)
    return LookResult(answer="absent")


@pytest.mark.parametrize(("owner", "answer"), [("ours", "unknown"), ("theirs", "absent")])
async def test_an_activity_of_another_installation_does_not_start_and_says_so(
    bench: Workbench, owner: str, answer: str
) -> None:
    STARTED.clear()

    async def installation() -> str:
        return owner

    client: Client = await connect(
        TemporalTarget(address=bench.settings.temporal.address), installation=installation
    )
    question = new_request(box=bench.box)
    asked = ActionInput(context=question.context, action=question.given.plan[0], attempt=1)
    workflows = Worker(
        client,
        task_queue=bench.task_queue,
        workflows=[LookWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[WorkerGuard(owner)],
    )
    activities = Worker(
        client,
        task_queue=bench.task_queue,
        activities=[look],
        interceptors=[WorkerGuard("theirs")],
    )
    async with workflows, activities:
        found = await client.execute_workflow(
            LOOK_WORKFLOW,
            asked,
            id=f"look-{bench.task_queue}",
            task_queue=bench.task_queue,
            result_type=LookResult,
        )
    assert found.answer == answer
    assert bool(STARTED) == (answer == "absent")
    if answer == "unknown":
        assert "belongs to installation ours; this process belongs to installation theirs" in (
            found.reason or ""
        )
        assert "It did not start." in (found.reason or "")


def test_a_worker_shows_its_installation_and_an_old_one_shows_none() -> None:
    assert installation_of(worker_identity("an-id")) == "an-id"
    assert installation_of("4711@host") is None
