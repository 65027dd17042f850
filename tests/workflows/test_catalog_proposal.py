"""The workflow of a proposal's check: tried again until authors are told; stored ones replay."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from activities.catalog_sync import CatalogSyncer
from catalog.sources.source import SourceLimitedError, SourceRefusedError
from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.temporal_connection import CONVERTER, TemporalTarget, connect
from pao.core import names
from pao.core.payloads.catalog import CatalogProposal
from workflows.catalog_proposal import CatalogProposalWorkflow

COMMIT = "c0ffee" * 6 + "c0ff"
HISTORIES = sorted((Path(__file__).parents[1] / "histories" / "catalog_proposal").glob("*.json"))


@dataclass
class Forge:
    """Takes the place of the activity: fails as often as it is told to."""

    failures: list[Exception] = field(default_factory=list)
    asked: list[CatalogProposal] = field(default_factory=list)

    @activity.defn(name=names.CHECK_PROPOSAL_ACTIVITY)
    async def judge(self, proposal: CatalogProposal) -> str:
        self.asked.append(proposal)
        if self.failures:
            raise self.failures.pop(0)
        return "valid"

    @activity.defn(name=names.FORGET_RUNS_ACTIVITY)
    async def forget(self, _workflow: str) -> int:
        return 0


async def test_a_check_is_tried_again_and_one_that_is_asked_for_again_is_another_run(
    temporal_address: str,
) -> None:
    client = await connect(TemporalTarget(address=temporal_address))
    queue, forge = f"proposals-{uuid4().hex[:8]}", Forge([ConnectionError("GitHub is away")])
    syncs = CatalogSyncs(client, task_queue=queue)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[CatalogProposalWorkflow],
        activities=[forge.judge, forge.forget],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    handle = client.get_workflow_handle(names.catalog_proposal_id(queue, COMMIT))
    async with worker:
        await syncs.propose(CatalogProposal(12, COMMIT))
        # The same delivery twice: it is being judged already.
        await syncs.propose(CatalogProposal(12, COMMIT))
        assert await asyncio.wait_for(handle.result(), 60) == "valid"
        await syncs.propose(CatalogProposal(12, COMMIT, again=True))
        assert await asyncio.wait_for(handle.result(), 60) == "valid"
    assert [one.again for one in forge.asked] == [False, False, True]


@dataclass
class Failing:
    """Stands for what checks proposals."""

    error: Exception

    async def check(self, _proposal: CatalogProposal, *, attempt: int) -> str:
        assert attempt == 1
        raise self.error


@contextmanager
def raised(error: Exception) -> Iterator[dict[str, Any]]:
    told: dict[str, Any] = {"syncer": CatalogSyncer(None, None, None, Failing(error))}  # type: ignore[arg-type]  # only the proposals are asked
    with pytest.raises(ApplicationError) as found:
        yield told
    told["error"] = found.value


async def test_a_source_that_rests_is_asked_when_it_answers_again_others_as_the_policy_says() -> (
    None
):
    until = datetime.now(UTC) + timedelta(minutes=30)
    with raised(SourceLimitedError("60 calls an hour", until=until)) as told:
        await ActivityEnvironment().run(told["syncer"].check_proposal, CatalogProposal(1, COMMIT))
    wait = told["error"].next_retry_delay
    assert timedelta(minutes=29) < wait <= timedelta(minutes=30)
    with raised(SourceRefusedError("the token has no right")) as told:
        await ActivityEnvironment().run(told["syncer"].check_proposal, CatalogProposal(1, COMMIT))
    refused = told["error"]
    assert (refused.type, refused.next_retry_delay, refused.non_retryable) == (
        "refused",
        None,
        False,
    )


def stored(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json("pao-catalog-proposal", file.read_text())


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.stem)
async def test_a_stored_history_replays(file: Path) -> None:
    replayer = Replayer(
        workflows=[CatalogProposalWorkflow],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(stored(file))


def test_both_ways_to_an_end_have_a_history() -> None:
    assert {file.name.split(".")[0] for file in HISTORIES} == {"failed", "judged-at-the-second-try"}
