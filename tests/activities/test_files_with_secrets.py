"""Secrets of a folder that cannot be used: whether the operator must act, or time may help."""

import dataclasses
from pathlib import Path

import pytest

from activities.actions.rest_api import RestApiAction
from activities.execution import Executor
from pao.clients.secret_store import FolderSecrets, SecretStore
from pao.core.failure_classes import Cause
from tests.support.actions import ActionRunner
from tests.support.raw_servers import answering, raw_server
from tests.support.rest_calls import config, refused


def asking(folder: Path) -> ActionRunner:
    """Return who executes with the secrets of a folder."""
    stage = ActionRunner(RestApiAction())
    tools = dataclasses.replace(stage.tools, secrets=SecretStore([FolderSecrets(folder)]))
    stage.executor = Executor({stage.action.type: stage.action}, tools)
    return stage


@pytest.mark.parametrize("content", [b"x" * (64 * 1024 + 1), b"\xff\xfe"], ids=["large", "binary"])
async def test_content_that_is_no_secret_must_be_corrected(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    assert await failed(tmp_path) == (Cause.OURS, False)


async def test_a_file_that_the_system_does_not_hand_out_may_be_there_later(tmp_path: Path) -> None:
    # A link to itself in place of a forbidden file: whoever runs this may be root.
    (tmp_path / "token").symlink_to("token")
    assert await failed(tmp_path) == (Cause.OURS, True)


async def failed(folder: Path) -> tuple[str, bool]:
    """Return the cause of the failure, and whether the same may succeed later."""
    stage = asking(folder)
    with raw_server(answering()) as server:
        error = await refused(stage, config(server, headers={"A": "{{secrets.token}}"}))
    await stage.close()
    assert "'token' cannot be read" in error.message
    assert not server.requests
    return error.details[0]["cause"], error.details[0].get("retryable", False)
