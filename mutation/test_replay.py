"""The stored histories without Temporal's sandbox, which forbids the tool's switch (a variable)."""

from pathlib import Path

import pytest
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from pao.clients.temporal_connection import CONVERTER
from tests.histories.test_replay import STORED, history
from workflows.bundle import BundleWorkflow
from workflows.request import RequestWorkflow


@pytest.mark.parametrize("file", STORED)
async def test_a_stored_history_replays(file: Path) -> None:
    """Replay a history; a mutant that commands something else fails."""
    replayer = Replayer(
        workflows=[RequestWorkflow, BundleWorkflow],
        data_converter=CONVERTER,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(history(file))
