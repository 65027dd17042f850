"""What was approved is applied: another module, value, place or change is refused."""

from pathlib import Path
from typing import Any

import pytest

from activities.action_errors import ActionFailedError
from activities.terraform.plan_pins import Changes, changes_in, check, digest_of
from tests.support.git import commit_files, git, git_server
from tests.support.terraform import PAIR, PASSWORD, TerraformBench

CONFIG = {"variables": {"name": "orders", "token": PASSWORD}}
PLAN = {"execution": {"planOnly": True}}
RESOURCE = 'resource "terraform_data" "{}" {{ input = "x" }}\n'


@pytest.fixture
def ground(tmp_path: Path, terraform_program: Path) -> TerraformBench:
    return TerraformBench.made(tmp_path, terraform_program)


async def planned(ground: TerraformBench, config: dict[str, Any]) -> dict[str, Any]:
    """Plan only; returns the pin as a later action gets it."""
    result = await ground.execute(config | PLAN)
    return {"execution": {"approvedPlan": result.outputs["pin"]}}


async def test_the_plan_that_was_approved_is_applied(ground: TerraformBench) -> None:
    config = ground.module(PAIR) | CONFIG
    pin = await planned(ground, config)
    result = await ground.execute(config | pin)
    assert result.outputs["plan"]["add"] == 2
    assert result.outputs["pin"] is None
    assert pin["execution"]["approvedPlan"]["changes"] == {
        "terraform_data.first": "create",
        "terraform_data.second": "create",
    }
    assert PASSWORD not in str(pin)


@pytest.mark.parametrize(
    ("text", "more", "told"),
    [
        (PAIR + RESOURCE.format("third"), {}, "module, summary, changes"),
        (PAIR + "# a comment\n", {}, "module"),
        (PAIR, {"variables": {"name": "other", "token": PASSWORD}}, "variables"),
        (PAIR, {"workspace": "production"}, "place"),
    ],
)
async def test_another_plan_is_refused_and_both_are_shown(
    ground: TerraformBench, text: str, more: dict[str, Any], told: str
) -> None:
    pin = await planned(ground, ground.module(PAIR) | CONFIG)

    failure = await ground.failure(ground.module(text) | CONFIG | pin | more)

    assert f"It differs in {told}. Approved was: " in failure.message
    assert "2 to add, 0 to change, 0 to destroy (create terraform_data.first" in failure.message
    assert "Now it is: " in failure.message
    assert (failure.kind, failure.left) == ("ActionFailed", [])
    assert not list(ground.folder.rglob("terraform.tfstate"))


async def test_a_module_of_a_branch_that_moved_is_refused_with_both_commits(
    ground: TerraformBench,
) -> None:
    first = commit_files(ground.folder / "git" / "modules", {"main.tf": PAIR})
    with git_server(ground.folder / "git") as address:
        listed = ground.having(sources=(address,))
        config = CONFIG | {"source": {"git": f"{address}/modules/.git", "ref": "main"}}
        pin = await planned(listed, config)
        second = commit_files(ground.folder / "git" / "modules", {})
        failure = await listed.failure(config | pin)
        git(ground.folder / "git" / "modules", "reset", "-q", "--hard", first)
        result = await listed.execute(config | pin, again=True)

    assert "It differs in commit. Approved was: " in failure.message
    assert f"commit {first}" in failure.message
    assert f"commit {second}" in failure.message
    assert failure.facts["cause"] == "conflict"
    assert result.outputs["plan"]["add"] == 2, "where it was moved back, it is the approved one"


async def test_a_module_that_a_module_calls_from_a_branch_is_pinned_with_it(
    ground: TerraformBench,
) -> None:
    inner = ground.folder / "git" / "inner"
    commit_files(inner, {"main.tf": RESOURCE.format("inner")})
    with git_server(ground.folder / "git") as address:
        calling = f'module "inner" {{ source = "git::{address}/inner/.git?ref=main" }}\n'
        config = ground.module(PAIR + calling) | CONFIG
        pin = await planned(ground, config)
        commit_files(inner, {"main.tf": RESOURCE.format("inner") + "# moved\n"})
        failure = await ground.failure(config | pin)
    assert "It differs in module. Approved was: " in failure.message


async def test_what_others_have_changed_in_the_workspace_meanwhile_is_noticed(
    ground: TerraformBench,
) -> None:
    config = ground.module(PAIR) | CONFIG | {"workspace": "shared"}
    pin = await planned(ground, config)
    await ground.execute(config)
    failure = await ground.failure(config | pin)
    assert "It differs in summary, changes" in failure.message


async def test_a_retry_applies_the_rest_of_the_approved_plan(ground: TerraformBench) -> None:
    go = ground.folder / "go"
    text = RESOURCE.format("good") + (
        'resource "terraform_data" "bad" {\n  input = terraform_data.good.id\n'
        f'  provisioner "local-exec" {{ command = "test -e {go}" }}\n}}\n'
    )
    allowed = ground.having(allow_provisioners=True)
    config = allowed.module(text)
    pin = await planned(allowed, config)
    failure = await allowed.failure(config | pin)
    assert failure.left == ["terraform_data.bad", "terraform_data.good"]

    go.touch()
    result = await allowed.execute(config | pin, again=True)

    assert result.outputs["plan"] == {"add": 1, "change": 0, "destroy": 1}


APPROVED = {
    "source": "/m",
    "commit": "c1",
    "module": "d1",
    "variables": "v1",
    "place": "p1",
    "summary": "1 to add",
    "changes": {"a.b": "create"},
}


@pytest.mark.parametrize(
    ("now", "changes", "first", "refused"),
    [
        ({}, Changes(by_address={"a.b": "create"}, tainted=frozenset()), True, False),
        ({"commit": "c2"}, Changes(by_address={"a.b": "create"}, tainted=frozenset()), True, True),
        ({"commit": "c2"}, Changes(by_address={}, tainted=frozenset()), False, True),
        ({"changes": {}}, Changes(by_address={}, tainted=frozenset()), True, True),
        ({"changes": {}}, Changes(by_address={}, tainted=frozenset()), False, False),
        (
            {"changes": {"a.b": "delete/create"}},
            Changes(by_address={"a.b": "delete/create"}, tainted=frozenset({"a.b"})),
            False,
            False,
        ),
        (
            {"changes": {"a.b": "delete/create"}},
            Changes(by_address={"a.b": "delete/create"}, tainted=frozenset()),
            False,
            True,
        ),
        (
            {"changes": {"a.b": "delete"}},
            Changes(by_address={"a.b": "delete"}, tainted=frozenset({"a.b"})),
            False,
            True,
        ),
    ],
)
def test_only_the_rest_of_an_approved_plan_may_differ_and_only_after_the_first_attempt(
    now: dict[str, Any], changes: Changes, *, first: bool, refused: bool
) -> None:
    plan = {**APPROVED, **now}
    if refused:
        with pytest.raises(ActionFailedError, match="not the one that was approved"):
            check(APPROVED, plan, changes, first=first)
    else:
        check(APPROVED, plan, changes, first=first)


def test_a_pin_that_is_none_is_refused() -> None:
    with pytest.raises(ActionFailedError, match="not the one"):
        check({}, APPROVED, Changes(by_address={}, tainted=frozenset()), first=True)


def test_reading_and_doing_nothing_are_no_changes() -> None:
    plan = {
        "resource_changes": [
            {"address": "a.b", "change": {"actions": ["no-op"]}},
            {"address": "data.a.b", "change": {"actions": ["read"]}},
            {
                "address": "a.c",
                "change": {"actions": ["delete", "create"]},
                "action_reason": "replace_because_tainted",
            },
        ]
    }
    assert changes_in(plan) == Changes(
        by_address={"a.c": "delete/create"}, tainted=frozenset({"a.c"})
    )


def test_a_digest_knows_contents_names_links_and_what_may_be_run(tmp_path: Path) -> None:
    module = tmp_path / "module"
    (module / ".git").mkdir(parents=True)
    (module / "main.tf").write_text("a")
    seen = [digest_of(module)]
    (module / ".git" / "index").write_text("changes with every clone")
    assert digest_of(module) == seen[0]
    (module / "main.tf").chmod(0o755)
    seen.append(digest_of(module))
    (module / "main.tf").write_text("b")
    seen.append(digest_of(module))
    (module / "link").symlink_to("main.tf")
    seen.append(digest_of(module))
    (module / "main.tf").rename(module / "other.tf")
    seen.append(digest_of(module))
    assert len(set(seen)) == len(seen)
