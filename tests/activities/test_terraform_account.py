"""Terraform as another user than a worker that is root: what it may do, and what it cannot read."""

import json
import os
import stat
from pathlib import Path

import pytest

from activities.options import OsAccount
from activities.terraform.os_account import SharedPaths, can_reach, hand_over
from tests.support.terraform import PAIR, StateServer, TerraformBench

NOBODY = OsAccount(65534, 65534)
CONFIG = {"variables": {"name": "orders"}}
SHOWING = 'output "environ" {{ value = try(file("{}"), "closed") }}\n'

as_root = pytest.mark.xfail(
    os.geteuid() != 0, reason="only root may run something as another user", strict=True
)


@pytest.fixture
def ground(tmp_path: Path, terraform_program: Path) -> TerraformBench:
    return TerraformBench.made(tmp_path, terraform_program).having(account=NOBODY)


def owners(folder: Path) -> set[int]:
    return {file.lstat().st_uid for file in folder.rglob("*")}


@as_root
async def test_a_module_runs_as_that_user_although_the_folders_above_are_closed(
    ground: TerraformBench,
) -> None:
    ground.folder.chmod(0o700)
    config = ground.module(PAIR) | CONFIG
    result = await ground.execute(config)
    [state] = ground.folder.rglob("workspaces/*/terraform.tfstate")
    assert state.stat().st_uid == NOBODY.uid
    assert (ground.folder / "states").stat().st_uid == 0
    assert f"path {ground.folder}/states/" in result.outputs["state"]
    assert "/proc/" not in str(result)
    assert (await ground.execute(config, again=True)).adopted


@as_root
async def test_states_of_earlier_versions_are_handed_over(ground: TerraformBench) -> None:
    config = ground.module(PAIR) | CONFIG
    first = await ground.having(account=None).execute(config)
    again = await ground.execute(config, again=True)
    assert again.outputs == first.outputs
    back = await ground.having(account=None).execute(config, again=True)
    assert back.outputs == first.outputs


@as_root
async def test_a_module_cannot_read_what_is_the_workers(ground: TerraformBench) -> None:
    secret = ground.folder / "secret"
    secret.write_text("only the worker")
    secret.chmod(0o600)
    text = "".join(
        SHOWING.format(path).replace("environ", name)
        for name, path in {
            "worker": f"/proc/{os.getpid()}/environ",
            "parent": f"/proc/{os.getppid()}/environ",
            "file": secret,
        }.items()
    )
    result = await ground.execute(ground.module(text))
    assert result.outputs["values"] == dict.fromkeys(("worker", "parent", "file"), "closed")


@as_root
async def test_a_state_that_was_kept_is_written_by_that_user(ground: TerraformBench) -> None:
    config = ground.module(PAIR) | CONFIG
    with StateServer() as states:
        states.refuse_writing = True
        await ground.failure(config | states.backend)
        [kept] = (ground.folder / "states" / "pao-terraform-unwritten-states").iterdir()
        assert (kept.stat().st_uid, stat.S_IMODE(kept.stat().st_mode)) == (0, 0o600)
        states.refuse_writing = False
        assert (await ground.execute(config | states.backend, again=True)).adopted
        assert json.loads(states.states[-1])["resources"]


@as_root
async def test_the_backend_local_of_an_item_works_as_well(ground: TerraformBench) -> None:
    backend = {"backend": {"type": "local", "config": {"path": "net/main.tfstate"}}}
    config = ground.module(PAIR) | CONFIG | backend | {"workspace": "shared"}
    await ground.execute(config)
    assert (await ground.execute(config, again=True)).adopted
    assert list((ground.folder / "states").rglob("shared/terraform.tfstate"))


@as_root
def test_only_what_is_the_workers_own_is_handed_over(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.write_text("x")
    (folder / "inner" / "link").symlink_to(outside)
    (folder / "hard").hardlink_to(outside)
    hand_over(folder, NOBODY)
    assert outside.stat().st_uid == 0
    assert (folder / "inner").stat().st_uid == NOBODY.uid
    hand_over(folder, None)


def test_whether_a_user_gets_to_a_path_is_said_by_all_folders_above(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir(mode=0o755)
    tmp_path.chmod(0o700)
    stranger = OsAccount(os.geteuid() + 1, os.getegid() + 1)
    assert not can_reach(inner, stranger)
    assert can_reach(Path("/usr/bin"), stranger)


def test_a_door_is_named_by_its_path(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    shared_paths = SharedPaths(OsAccount(os.geteuid() + 1, os.getegid() + 1))
    way = shared_paths.to(tmp_path)
    assert way.startswith("/proc/self/fd/")
    assert shared_paths.to(tmp_path) == way
    assert shared_paths.named(f"see {way}/x and {way}1") == f"see {tmp_path}/x and {way}1"
    assert len(shared_paths.descriptors) == 1
    shared_paths.close()
    assert SharedPaths(None).to(tmp_path) == str(tmp_path)
