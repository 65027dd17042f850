"""What the action terraform does with the real program: apply, plan only, destroy, adopt."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from activities.actions.terraform import ACTION
from pao.core.names import MASK, mark
from tests.support.git import commit_files, git_server
from tests.support.terraform import HALF_WAY, PAIR, PASSWORD, StateServer, TerraformBench, wrapped

CONFIG = {"variables": {"name": "{{fields.title}}", "token": "{{fields.token}}"}}


@pytest.fixture
def ground(tmp_path: Path, terraform_program: Path) -> TerraformBench:
    return TerraformBench.made(tmp_path, terraform_program)


def everything(ground: TerraformBench, result: Any) -> str:
    return f"{result}\n{ground.said.text}"


async def test_a_module_is_applied_and_its_outputs_are_given(ground: TerraformBench) -> None:
    result = await ground.execute(ground.module(PAIR) | CONFIG)

    own = mark(ground.request.id, ground.request.plan[0].id)
    assert result.outputs["values"]["name"] == "orders"
    assert result.outputs["plan"] == {"add": 2, "change": 0, "destroy": 0}
    assert result.outputs["resources"] == ["terraform_data.first", "terraform_data.second"]
    assert (result.external_reference, result.outputs["workspace"]) == (own, own)
    assert "terraform destroy in workspace" in (result.cleanup or "")
    assert ACTION.outputs.model_validate(result.outputs).applied


async def test_the_plan_and_every_resource_are_in_the_log(ground: TerraformBench) -> None:
    await ground.execute(ground.module(PAIR) | CONFIG)

    [plan, *steps] = ground.said.lines
    assert plan.message == "Plan: 2 to add, 0 to change, 0 to destroy"
    assert plan.data == {"add": 2, "change": 0, "destroy": 0}
    created = [step for step in steps if step.data["event"] == "apply_complete"]
    assert {step.data["resource"] for step in created} == {
        "terraform_data.first",
        "terraform_data.second",
    }


async def test_what_is_sensitive_is_masked_wherever_it_turns_up(ground: TerraformBench) -> None:
    text = PAIR + 'output "mine" {\n  value = "prefix-default-value"\n  sensitive = true\n}\n'
    text += 'output "again" { value = "see prefix-default-value" }\n'
    result = await ground.execute(ground.module(text) | CONFIG)

    values = result.outputs["values"]
    assert (values["token"], values["mine"]) == (MASK, MASK)
    assert (values["leak"], values["again"]) == (f"so: {MASK}", f"see {MASK}")
    assert result.outputs["sensitive"] == ["mine", "token"]
    assert PASSWORD not in everything(ground, result)


async def test_exactly_the_saved_plan_is_applied_and_no_value_is_on_a_command_line(
    ground: TerraformBench, terraform_program: Path
) -> None:
    noting = wrapped(ground.folder / "noting", terraform_program)
    await ground.having(binary=noting).execute(ground.module(PAIR) | CONFIG)

    calls = noting.with_name("noting.log").read_text().splitlines()
    [plan] = [call for call in calls if call.startswith("plan ")]
    [apply] = [call for call in calls if call.startswith("apply ")]
    assert apply.split()[-1] in plan
    assert "-var-file" not in apply
    assert not any(PASSWORD in call or "orders" in call for call in calls)


async def test_a_value_that_looks_like_a_template_of_terraform_stays_text(
    ground: TerraformBench,
) -> None:
    config = ground.module(PAIR) | {"variables": {"name": "${file(1)} %{if}"}}
    result = await ground.execute(config)
    assert result.outputs["values"]["name"] == "${file(1)} %{if}"


async def test_the_program_gets_only_the_variables_that_the_operator_listed(
    ground: TerraformBench, terraform_program: Path
) -> None:
    seen = ground.folder / "environment"
    showing = wrapped(ground.folder / "showing", terraform_program, [f"env > {seen}"])
    listed = {"CLOUD_KEY": "listed-key"}
    await ground.having(binary=showing, environment=listed).execute(ground.module(PAIR) | CONFIG)

    shown = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
    assert shown.pop("CLOUD_KEY") == "listed-key"
    assert shown["HOME"].startswith(shown["TF_DATA_DIR"].removesuffix("data"))
    own = {"PATH", "HOME", "TMPDIR", "LANG", "PWD", "_", "SHLVL", "OLDPWD"}
    assert {name for name in shown if not name.startswith(("TF_", "GIT_", "CHECKPOINT"))} <= own


async def test_nothing_private_is_left_behind(
    ground: TerraformBench, terraform_program: Path
) -> None:
    seen = ground.folder / "mode"
    looking = f'stat -c %a "$(dirname "$TF_DATA_DIR")" > {seen}; echo "$TF_DATA_DIR" >> {seen}'
    showing = wrapped(ground.folder / "showing", terraform_program, [looking])
    await ground.having(binary=showing).execute(ground.module(PAIR) | CONFIG)

    mode, data = seen.read_text().split()
    assert mode == "700"
    assert not Path(data).parent.exists()


async def test_planning_only_changes_nothing(ground: TerraformBench) -> None:
    config = ground.module(PAIR) | CONFIG | {"execution": {"planOnly": True}}
    result = await ground.execute(config)

    assert result.outputs["plan"] == {"add": 2, "change": 0, "destroy": 0}
    assert not result.outputs["applied"]
    assert not list(ground.folder.rglob("*.tfstate"))
    assert not list(ground.folder.rglob("workspaces/*")), "no empty workspace stays"
    assert "nothing to clean up" in (result.cleanup or "")
    assert (await ground.look(config)).answer == "absent"


async def test_what_is_in_a_workspace_is_destroyed(ground: TerraformBench) -> None:
    config = ground.module(PAIR) | CONFIG | {"workspace": "shared"}
    await ground.execute(config)
    result = await ground.execute(config | {"execution": {"destroy": True}})

    assert result.outputs["plan"] == {"add": 0, "change": 0, "destroy": 2}
    assert result.outputs["resources"] == []
    assert (await ground.look(config | {"execution": {"destroy": True}})).answer == "found"


async def test_a_workspace_that_does_not_exist_is_not_destroyed(ground: TerraformBench) -> None:
    config = ground.module(PAIR) | CONFIG | {"workspace": "none", "execution": {"destroy": True}}
    failure = await ground.failure(config)
    assert "no workspace none to destroy" in failure.message


async def test_an_effect_is_found_again_with_the_same_outputs(ground: TerraformBench) -> None:
    config = ground.module(PAIR) | CONFIG
    first = await ground.execute(config)
    [state] = ground.folder.rglob("terraform.tfstate")
    before = json.loads(state.read_text())["serial"]

    second = await ground.execute(config, again=True)

    assert second.adopted
    assert second.outputs == first.outputs
    assert json.loads(state.read_text())["serial"] == before


async def test_a_look_finds_nothing_where_nothing_was_made_and_makes_no_workspace(
    ground: TerraformBench,
) -> None:
    config = ground.module(PAIR) | CONFIG
    assert (await ground.look(config)).answer == "absent"
    assert not list(ground.folder.rglob("workspaces/*"))


async def test_workspaces_of_two_modules_never_meet(ground: TerraformBench) -> None:
    named = {"workspace": "production"}
    await ground.execute(ground.module(PAIR, "one") | CONFIG | named)
    other = 'resource "terraform_data" "other" { input = 1 }'
    result = await ground.execute(ground.module(other, "two") | named)
    assert result.outputs["plan"] == {"add": 1, "change": 0, "destroy": 0}


async def test_the_items_backend_is_used_in_place_of_the_modules(ground: TerraformBench) -> None:
    text = 'terraform {\n  backend "s3" {}\n}\n' + PAIR
    with StateServer() as states:
        result = await ground.execute(ground.module(text) | CONFIG | states.backend)
        assert states.addresses == ["terraform_data.first", "terraform_data.second"]
        assert states.locks
        assert states.lock is None
    assert result.outputs["state"].startswith("the state in the backend http (address http://127")


async def test_only_the_outputs_that_are_asked_for_are_taken(ground: TerraformBench) -> None:
    config = ground.module(PAIR) | CONFIG
    result = await ground.execute(config | {"outputs": ["name"]})
    assert list(result.outputs["values"]) == ["name"]


async def test_an_output_that_the_module_lacks_is_noticed_before_anything_is_made(
    ground: TerraformBench,
) -> None:
    failure = await ground.failure(ground.module(PAIR) | CONFIG | {"outputs": ["address"]})
    assert "has no output address" in failure.message
    assert (failure.kind, failure.left) == ("ActionFailed", [])
    assert not list(ground.folder.rglob("terraform.tfstate"))


async def test_in_a_shared_workspace_only_what_this_run_touched_is_left_behind(
    ground: TerraformBench,
) -> None:
    shared = {"workspace": "shared"}
    before = 'resource "terraform_data" "before" { input = 1 }\n'
    await ground.execute(ground.module(before) | shared)
    failure = await ground.failure(ground.module(before + HALF_WAY) | shared)
    assert failure.left == ["terraform_data.bad", "terraform_data.good"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"source": {"git": "https://x.example/y", "path": "/y"}}, "name one of git"),
        ({"source": {"path": "/y", "ref": "main"}}, "ref belongs to git"),
        ({"source": {"git": "https://x.example/y", "ref": "--upload-pack=x"}}, "does not begin"),
        ({"source": {"path": "/y"}, "workspace": "../x"}, "a workspace has"),
        ({"source": {"path": "/y"}, "execution": {"destroy": True}}, "name the workspace"),
        ({"source": {"path": "/y"}, "backend": {"type": 'x" {'}}, "name of a backend"),
        ({"source": {"path": "/y"}, "workspace": "pao-0123456789ab"}, "belong to one request"),
        ({"source": {"path": "/y"}, "workspace": "PAO-x"}, "belong to one request"),
        (
            {
                "source": {"path": "/y"},
                "backend": {
                    "type": "http",
                    "config": {"address": "http://x/1cb251ec-0d56-8de6-a929-b7c4a2c1f392"},
                },
            },
            "the state of another request cannot be used",
        ),
        (
            {
                "source": {"path": "/y"},
                "backend": {"type": "local", "config": {"path": "m/pao-0123456789ab/x.tfstate"}},
            },
            "the state of one request",
        ),
    ],
)
async def test_a_configuration_that_cannot_be_meant_is_refused(
    ground: TerraformBench, more: dict[str, Any], told: str
) -> None:
    failure = await ground.failure(more)
    assert told in failure.message
    assert failure.kind == "ActionFailed"


async def test_a_variable_without_a_value_keeps_the_modules_default(ground: TerraformBench) -> None:
    text = (
        'variable "note" {\n  type = string\n  default = "dflt"\n  nullable = false\n}\n'
        'variable "size" {\n  default = 1\n}\noutput "got" { value = [var.note, var.size] }\n'
    )
    config = ground.module(text) | {"variables": {"note": None, "size": None}}
    result = await ground.execute(config)
    assert result.outputs["values"] == {"got": ["dflt", 1]}


async def by_hand(ground: TerraformBench, cleanup: str | None) -> str:
    """Copy the commands of a cleanup into a shell; gives what they say."""
    [_, commands] = (cleanup or "").split(" Commands: ")
    program = f"{ground.options.binary} "
    command = commands.replace("terraform ", program) + " -auto-approve -var name=x -no-color"
    (ground.folder / "by hand").mkdir()
    person = await asyncio.create_subprocess_shell(
        command,
        cwd=ground.folder / "by hand",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await person.communicate()
    return said.decode()


async def test_the_cleanup_is_commands_that_a_person_can_copy(ground: TerraformBench) -> None:
    result = await ground.execute(ground.module(PAIR) | CONFIG | {"workspace": "shared"})
    assert "2 destroyed" in await by_hand(ground, result.cleanup)
    [state] = ground.folder.rglob("workspaces/shared/terraform.tfstate")
    assert json.loads(state.read_text())["resources"] == []


async def test_the_commands_lead_to_a_module_from_git_and_lock_its_state(
    ground: TerraformBench,
) -> None:
    commit_files(ground.folder / "git" / "it's-$HOME", {"a b/main.tf": PAIR})
    with git_server(ground.folder / "git") as address, StateServer() as states:
        source = {"git": f"{address}/it's-$HOME/.git", "ref": "main", "directory": "a b"}
        listed = ground.having(sources=(address,))
        result = await listed.execute(CONFIG | {"source": source} | states.backend)
        before = states.locks
        said = await by_hand(ground, result.cleanup)
        assert "2 destroyed" in said, said
        assert states.addresses == []
        assert states.locks == before + 1


async def test_a_single_resource_is_destroyed_by_the_commands_of_its_own(
    ground: TerraformBench,
) -> None:
    text = 'resource "terraform_data" "a" { for_each = toset(["x y", "$(touch no)"]) }\n'
    text += 'variable "name" { default = "" }\n'
    with StateServer() as states:
        config = ground.module(text + HALF_WAY) | states.backend
        failure = await ground.failure(config)
        [odd] = [one for one in failure.facts["partial"] if "touch" in one["id"]]
        said = await by_hand(ground, odd["cleanup"])
    assert "1 destroyed" in said, said
    assert not list((ground.folder / "by hand").rglob("no"))
