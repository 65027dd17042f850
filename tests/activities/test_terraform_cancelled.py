"""Somebody cancels: Terraform ends with all it started, the state is whole and unlocked."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from tests.support.terraform import (
    PAIR,
    StateServer,
    TerraformBench,
    TerraformFailure,
    waiting_module,
    wrapped,
)

CONFIG = {"variables": {"name": "orders"}}
STUBBORN = "kill -STOP $PPID; setsid sleep 1000 & echo $! > FOLDER/child; BEGUN; sleep 1000"
"""Terraform, which runs this, is stopped by it and so cannot end in order."""

WAITS = "BEGUN; trap 'exit 1' INT; while :; do sleep 0.1; done"


@pytest.fixture
def ground(tmp_path: Path, terraform_program: Path) -> TerraformBench:
    return TerraformBench.made(tmp_path, terraform_program).having(allow_provisioners=True)


def present(file: Path) -> bool:
    return file.exists() and bool(file.read_text())


def runs(pid: str) -> bool:
    return Path(f"/proc/{pid.strip()}").exists()


def touching(folder: Path, command: str) -> str:
    """Return a module whose second resource runs this; BEGUN says that it has begun."""
    text = waiting_module(folder)
    command = command.replace("BEGUN", "echo yes > FOLDER/begun").replace("FOLDER", str(folder))
    start = text.index("command = ") + len("command = ")
    return text[:start] + json.dumps(command) + text[text.index(" }\n}", start) :]


async def cancelled(
    ground: TerraformBench, config: dict[str, Any], *, just_before: Callable[[], None] | None = None
) -> TerraformFailure:
    """Cancel the action as soon as it has begun; gives what Temporal is told."""
    running = asyncio.create_task(ground.execute(config))
    while not present(ground.folder / "begun"):
        assert not running.done(), running
        await asyncio.sleep(0.02)
    if just_before is not None:
        just_before()
    running.cancel()
    with pytest.raises(ApplicationError) as caught:
        await running
    return TerraformFailure(str(caught.value.type), caught.value.message, caught.value.details[0])


def ids(content: bytes) -> dict[str, str]:
    return {
        one["name"]: one["instances"][0]["attributes"]["id"]
        for one in json.loads(content)["resources"]
    }


async def test_a_cancelled_apply_ends_in_order_and_tells_what_it_made(
    ground: TerraformBench,
) -> None:
    with StateServer() as states:
        config = ground.module(touching(ground.folder, WAITS)) | states.backend
        failure = await cancelled(ground, config)
        assert states.lock is None
        first = ids(states.states[-1])["first"]

        again = config | ground.module(touching(ground.folder, "true"))
        result = await ground.execute(again, again=True)

        assert ids(states.states[-1])["first"] == first, "what was made is not made again"
    assert failure.kind == "ActionFailed"
    assert "terraform apply was cancelled and stopped in order" in failure.message
    assert failure.facts["cause"] == "ours", "who cancels says nothing about a target"
    assert failure.left == ["terraform_data.first", "terraform_data.second"]
    assert result.outputs["plan"] == {"add": 1, "change": 0, "destroy": 1}, "the tainted one"


async def test_an_apply_that_does_not_end_is_killed_with_all_that_it_started_and_unlocked(
    ground: TerraformBench,
) -> None:
    with StateServer() as states:
        config = ground.module(touching(ground.folder, STUBBORN)) | states.backend
        failure = await cancelled(ground.having(grace_seconds=1), config)
        assert states.lock is None

    child = (ground.folder / "child").read_text()
    assert not runs(child)
    assert failure.kind == "OutcomeUnknown"
    assert "gave no reason" not in failure.message
    assert "did not stop in order and was killed. Its lock on the state was removed" in (
        failure.message
    )
    assert failure.left == ["terraform_data.first", "terraform_data.second"]
    [first, _] = failure.facts["partial"]
    assert "may exist although the state does not have it" in first["cleanup"]
    assert first["type"] == "terraform_data"


async def test_a_plan_that_is_killed_leaves_no_lock(
    ground: TerraformBench, terraform_program: Path
) -> None:
    begun = ground.folder / "begun"
    hanging = wrapped(
        ground.folder / "hanging",
        terraform_program,
        [f'[ "$1" != plan ] || {{ echo yes > {begun}; trap "" INT; sleep 1000; }}'],
    )
    with StateServer() as states:
        config = ground.module(PAIR) | CONFIG | states.backend
        failure = await cancelled(ground.having(binary=hanging, grace_seconds=0.2), config)
        assert states.lock is None
        assert states.states == []
    assert failure.kind == "ActionFailed"
    assert "before it had applied anything: this attempt has changed nothing" in failure.message


async def test_a_lock_that_may_be_somebody_elses_stays_and_is_told(
    ground: TerraformBench, terraform_program: Path
) -> None:
    hanging = wrapped(
        ground.folder / "hanging",
        terraform_program,
        [f'[ "$1" != apply ] || {{ echo yes > {ground.folder}/begun; trap "" INT; sleep 1000; }}'],
    )
    with StateServer() as states:
        config = ground.module(PAIR) | CONFIG | states.backend
        asked = ground.having(binary=hanging, grace_seconds=0.2)
        running = asyncio.create_task(cancelled(asked, config))
        while not present(ground.folder / "begun"):  # noqa: ASYNC110 -- another process says it
            await asyncio.sleep(0.02)
        states.lock = json.dumps({"ID": "lock-of-eve"}).encode()
        failure = await running
        assert states.lock
    assert failure.kind == "OutcomeUnknown"
    assert "terraform force-unlock lock-of-eve" in failure.message


async def test_a_state_that_is_refused_while_the_action_is_cancelled_is_kept(
    ground: TerraformBench,
) -> None:
    with StateServer() as states:
        config = ground.module(touching(ground.folder, WAITS)) | states.backend
        states.refuse_writing = True
        failure = await cancelled(ground, config)
    assert failure.kind == "OutcomeUnknown"
    assert failure.message.startswith("The action was cancelled. Terraform has made changes")
    assert failure.left == ["terraform_data.first", "terraform_data.second"]
    assert list((ground.folder / "states" / "pao-terraform-unwritten-states").iterdir())


async def test_what_a_cancelled_apply_made_is_told_when_its_backend_does_not_answer_any_more(
    ground: TerraformBench,
) -> None:
    with StateServer() as states:

        def fall_silent() -> None:
            states.hold = "GET"

        config = ground.module(touching(ground.folder, WAITS)) | states.backend
        impatient = ground.having(grace_seconds=0.2, reading_seconds=0.5)
        failure = await cancelled(impatient, config, just_before=fall_silent)
    assert failure.kind == "OutcomeUnknown"
    assert failure.left == ["terraform_data.first", "terraform_data.second"]
    first = failure.facts["partial"][0]
    assert "may exist although the state does not have it" in first["cleanup"]
