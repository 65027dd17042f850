"""What goes wrong with Terraform, with the real program: the kind of end, what it says to do."""

import asyncio
import fcntl
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from activities.registry import load_all
from pao.core.payloads.actions import FormerCall
from tests.support.terraform import (
    HALF_WAY,
    PAIR,
    PASSWORD,
    StateServer,
    TerraformBench,
    script,
    waiting_module,
    wrapped,
)

CONFIG = {"variables": {"name": "orders", "token": PASSWORD}}


@pytest.fixture
def ground(tmp_path: Path, terraform_program: Path) -> TerraformBench:
    return TerraformBench.made(tmp_path, terraform_program)


def is_there(file: Path) -> bool:
    return file.exists()


async def until_exists(file: Path, task: "asyncio.Task[Any]") -> None:
    while not is_there(file):
        assert not task.done(), task
        await asyncio.sleep(0.02)


async def test_an_init_that_fails_says_why_and_that_nothing_was_changed(
    ground: TerraformBench,
) -> None:
    failure = await ground.failure(ground.module('module "gone" { source = "./gone" }'))
    assert failure.message.startswith("terraform init failed; nothing was changed.")
    assert "gone" in failure.message
    assert failure.kind == "ActionFailed"
    assert failure.facts["retryable"]


async def test_a_plan_that_fails_names_file_line_and_reason(ground: TerraformBench) -> None:
    text = 'variable "size" {\n  type = number\n}\noutput "size" {\n  value = var.size\n}\n'
    failure = await ground.failure(ground.module(text) | {"variables": {"size": "many"}})
    assert failure.message.startswith("terraform plan failed; nothing was changed.")
    assert "number" in failure.message
    assert "variables: Invalid value" in failure.message
    assert str(Path(tempfile.gettempdir()) / "pao-terraform") not in str(failure)
    assert (failure.kind, failure.facts["retryable"]) == ("ActionFailed", False)


async def test_an_apply_that_fails_half_way_lists_what_is_in_the_state(
    ground: TerraformBench,
) -> None:
    failure = await ground.failure(ground.module(HALF_WAY))

    assert failure.kind == "ActionFailed"
    assert "The disk is full." in failure.message
    assert "A retry plans again and applies what is missing" in failure.message
    assert failure.left == ["terraform_data.bad", "terraform_data.good"]
    assert all(
        "terraform destroy in workspace" in one["cleanup"] for one in failure.facts["partial"]
    )


async def test_an_attempt_that_cannot_read_the_state_takes_nothing_from_the_list(
    ground: TerraformBench,
) -> None:
    config = ground.module(HALF_WAY)
    told = await ground.failure(config)
    gone = ground.module(HALF_WAY + 'module "gone" { source = "./gone" }\n', "gone")
    blind = [await ground.failure(one, again=True) for one in (config, gone)]
    assert told.left == ["terraform_data.bad", "terraform_data.good"]
    assert (told.facts["whole"], told.facts["answered"]) == (True, True)
    for failure in blind:
        assert "nothing was changed" in failure.message
        assert (failure.left, failure.facts["whole"], failure.facts["answered"]) == (
            [],
            False,
            False,
        )


async def test_after_a_failure_half_way_the_retry_makes_the_rest_and_nothing_twice(
    ground: TerraformBench,
) -> None:
    stuck = 'resource "terraform_data" "good" { input = "good" }\n'
    stuck += (
        'resource "terraform_data" "bad" {\n  input = terraform_data.good.output\n'
        f'  provisioner "local-exec" {{ command = "test -e {ground.folder}/fixed" }}\n}}\n'
    )
    allowed = ground.having(allow_provisioners=True)
    config = allowed.module(stuck) | {"outputs": []}
    failure = await allowed.failure(config)
    assert failure.left == ["terraform_data.bad", "terraform_data.good"]
    good = ids(ground)["good"]
    look = await allowed.look(config)
    assert look.answer == "absent"
    assert "2 resources (terraform_data.bad, terraform_data.good)" in str(look.reason)

    (ground.folder / "fixed").touch()
    result = await allowed.execute(config, again=True)

    assert not result.adopted
    assert result.outputs["plan"] == {"add": 1, "change": 0, "destroy": 1}, "the tainted one"
    assert "2 resources are in the state already" in allowed.said.text
    assert ids(ground)["good"] == good


async def test_a_state_that_is_locked_elsewhere_is_not_touched(ground: TerraformBench) -> None:
    holder = {"ID": "lock-1", "Who": "eve@laptop", "Operation": "OperationTypeApply"}
    config = ground.module(PAIR) | CONFIG
    with StateServer() as states:
        states.lock = json.dumps({**holder, "Created": "2026-11-24T10:00:00Z"}).encode()
        failure = await ground.failure(config | states.backend)
        look = await ground.look(config | states.backend)
        assert not states.states

    assert "The Terraform state is locked" in failure.message
    assert "terraform force-unlock lock-1" in failure.message
    assert (failure.kind, failure.facts["retryable"]) == ("ActionFailed", True)
    assert look.answer == "unknown"
    assert "lock-1" in str(look.reason)


async def test_two_at_once_cannot_work_on_one_state(ground: TerraformBench) -> None:
    allowed = ground.having(allow_provisioners=True)
    config = allowed.module(waiting_module(ground.folder)) | {"workspace": "shared"}
    running = asyncio.create_task(allowed.execute(config))
    await until_exists(ground.folder / "begun", running)

    failure = await allowed.failure(config)
    (ground.folder / "go").touch()
    first = await running

    assert "The Terraform state is locked by " in failure.message
    assert "OperationTypeApply" in failure.message
    assert "Wait until that run has ended, then retry" in failure.message
    assert first.outputs["plan"]["add"] == 2


async def test_a_state_that_cannot_be_written_is_kept_and_written_before_anything_else(
    ground: TerraformBench,
) -> None:
    config = ground.module(PAIR) | CONFIG
    with StateServer() as states:
        states.refuse_writing = True
        failure = await ground.failure(config | states.backend)
        assert failure.kind == "OutcomeUnknown"
        assert "could not be written" in failure.message
        again = await ground.failure(config | states.backend, again=True)
        assert "could not be written" in again.message, "no second apply without the first's state"

        states.refuse_writing = False
        result = await ground.execute(config | states.backend, again=True)
        assert len(states.states) == 1

    assert result.adopted
    assert result.outputs["values"]["name"] == "orders"
    assert not list(ground.folder.rglob("errored.tfstate"))


async def test_without_a_program_the_worker_says_what_to_install(ground: TerraformBench) -> None:
    config = ground.module(PAIR) | CONFIG
    named = await ground.having(binary=ground.folder / "absent").failure(config)
    assert "TERRAFORM_BINARY names" in named.message
    found = await ground.having(binary=None, search_path=str(ground.folder)).failure(config)
    assert "neither terraform nor tofu" in found.message
    assert {named.kind, found.kind} == {"ActionFailed"}


async def test_a_program_that_hangs_is_ended_at_the_deadline(ground: TerraformBench) -> None:
    hanging = script(ground.folder / "hanging", "trap '' INT; while :; do sleep 1; done")
    short = ground.having(binary=hanging, grace_seconds=0.2)
    failure = await short.failure(ground.module(PAIR) | CONFIG, seconds=1)
    assert "did not finish in time and was stopped. Nothing was changed" in failure.message
    assert (failure.kind, failure.facts["retryable"]) == ("ActionFailed", True)


async def test_a_plugin_cache_that_another_action_keeps_is_waited_for_until_the_deadline(
    ground: TerraformBench,
) -> None:
    cache = ground.folder / "plugins"
    cache.mkdir()
    cached = ground.having(plugin_cache=cache)
    config = ground.module(PAIR) | CONFIG
    with (cache / ".pao.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failure = await cached.failure(config, seconds=1)
    assert "still downloading providers" in failure.message
    assert "Nothing was changed" in failure.message
    assert (failure.kind, failure.facts["retryable"]) == ("ActionFailed", True)
    assert failure.facts["cause"] == "ours"
    assert (await cached.execute(config)).outputs["plan"]["add"] == 2


async def test_an_apply_that_hangs_is_stopped_in_order_and_lists_what_it_made(
    ground: TerraformBench,
) -> None:
    allowed = ground.having(allow_provisioners=True)
    config = allowed.module(waiting_module(ground.folder))
    failure = await allowed.failure(config, seconds=8)
    assert failure.kind == "ActionFailed"
    assert "stopped in order" in failure.message
    assert failure.left == ["terraform_data.first", "terraform_data.second"]


async def test_an_apply_that_will_not_stop_is_killed_and_its_outcome_is_unknown(
    ground: TerraformBench, terraform_program: Path
) -> None:
    stubborn = wrapped(
        ground.folder / "stubborn",
        terraform_program,
        ['[ "$1" != apply ] || { trap "" INT; while :; do sleep 1; done; }'],
    )
    short = ground.having(binary=stubborn, grace_seconds=0.2)
    failure = await short.failure(ground.module(PAIR) | CONFIG, seconds=8)
    assert failure.kind == "OutcomeUnknown"
    assert "was killed" in failure.message


async def test_ten_megabytes_of_output_are_neither_kept_nor_in_the_way(
    ground: TerraformBench, terraform_program: Path
) -> None:
    flood = "{ head -c 10000000 /dev/zero | tr '\\000' x; echo; yes flood | head -c 2000000; }"
    loud = ['case "$1" in init|apply)', f"{flood}; {flood} >&2;;", "esac"]
    program = wrapped(ground.folder / "loud", terraform_program, loud)
    text = (
        'output "small" { value = "small" }\n'
        'output "large" { value = join("", [for i in range(1024) : format("%01024d", i)]) }\n'
    )
    result = await ground.having(binary=program).execute(ground.module(text))
    assert result.outputs["values"] == {"small": "small"}
    assert result.outputs["leftOut"] == ["large"]
    assert "Outputs too large to keep: large" in ground.said.text
    assert len(ground.said.text) < 5_000


async def test_lines_that_are_no_json_do_not_disturb(
    ground: TerraformBench, terraform_program: Path
) -> None:
    noise = 'case "$1" in plan|apply) echo "not json"; echo "[1]"; echo \'{"type": 3}\';; esac'
    noisy = wrapped(ground.folder / "noisy", terraform_program, [noise, "echo oops >&2"])
    result = await ground.having(binary=noisy).execute(ground.module(PAIR) | CONFIG)
    assert result.outputs["plan"]["add"] == 2


async def test_a_plan_that_is_no_json_is_not_applied(
    ground: TerraformBench, terraform_program: Path
) -> None:
    broken = ['[ "$1" != show ] || { echo "{"; exit 0; }']
    mute = wrapped(ground.folder / "mute", terraform_program, broken)
    failure = await ground.having(binary=mute).failure(ground.module(PAIR) | CONFIG)
    assert "cannot be checked" in failure.message
    assert "apply" not in mute.with_name("mute.log").read_text()


async def test_outputs_that_cannot_be_read_leave_the_outcome_unknown_and_are_read_again(
    ground: TerraformBench, terraform_program: Path
) -> None:
    broken = ['[ "$1" != output ] || { echo "the backend is away" >&2; exit 1; }']
    mute = wrapped(ground.folder / "mute", terraform_program, broken)
    config = ground.module(PAIR) | CONFIG
    failure = await ground.having(binary=mute).failure(config)
    assert failure.kind == "OutcomeUnknown"
    assert "the backend is away" in failure.message

    result = await ground.execute(config, again=True)
    assert result.adopted
    assert result.outputs["plan"]["add"] == 2


async def test_a_sensitive_value_in_an_error_is_masked(
    ground: TerraformBench, terraform_program: Path
) -> None:
    telling = ['[ "$1" != plan ] || { echo "cannot log in with prefix-$TOLD" >&2; exit 1; }']
    bad = wrapped(ground.folder / "telling", terraform_program, telling)
    asked = ground.having(binary=bad, environment={"TOLD": "only-the-item-knows"})
    config = asked.module(PAIR) | {"variables": {"name": "x", "token": "only-the-item-knows"}}
    failure = await asked.failure(config)
    assert "cannot log in with prefix-********" in failure.message
    assert "only-the-item-knows" not in f"{failure}{ground.said.text}"


async def test_a_state_that_would_be_lost_is_refused(ground: TerraformBench) -> None:
    failure = await ground.having(state_folder=None).failure(ground.module(PAIR) | CONFIG)
    assert "would be lost" in failure.message
    assert "TERRAFORM_STATE_PATH" in failure.message


def ids(ground: TerraformBench) -> dict[str, str]:
    """Return the ids of what is in the one state of the ground."""
    [state] = ground.folder.rglob("workspaces/*/terraform.tfstate")
    return {
        resource["name"]: resource["instances"][0]["attributes"]["id"]
        for resource in json.loads(state.read_text())["resources"]
    }


async def test_a_corrected_value_mends_what_its_former_one_left_half_made(
    ground: TerraformBench,
) -> None:
    text = (
        'variable "size" { type = number }\n'
        'resource "terraform_data" "good" { input = "good" }\n'
        'resource "terraform_data" "bad" {\n  input = var.size\n'
        "  depends_on = [terraform_data.good]\n"
        "  lifecycle {\n    postcondition {\n      condition     = self.output < 10\n"
        '      error_message = "Too large."\n    }\n  }\n}\n'
    )
    config = ground.module(text) | {"variables": {"size": "{{fields.size}}"}}
    ground.request.context.fields["size"] = 99
    failure = await ground.failure(config)
    sent = [FormerCall(1, sealed=failure.facts["sent"])]
    assert failure.left == ["terraform_data.bad", "terraform_data.good"]

    ground.request.context.fields["size"] = 7
    given = replace(ground.given(config, again=True, seconds=300), former=sent)
    looked = await ground.executor().look(given)
    assert (looked.changed, looked.exists) == (False, False)
    result = await ground.executor().execute(load_all()["terraform"], given)
    assert len(result.outputs["resources"]) == 2
