"""States that no backend took: kept whole, found by whoever retries, never written when damaged."""

import json
import pickle
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.terraform import state_rescue
from activities.terraform.execution_spec import ExecutionSpec, ModuleSource
from activities.terraform.state_location import place_digest
from tests.support.terraform import PAIR, StateServer, TerraformBench, wrapped

CONFIG = {"variables": {"name": "orders"}}
FOLDER = "pao-terraform-unwritten-states"
WORKER = "tests.support.terraform_worker"
STATE = {"version": 4, "serial": 3, "lineage": "a-b-c", "resources": []}


@pytest.fixture
def ground(tmp_path: Path, terraform_program: Path) -> TerraformBench:
    return TerraformBench.made(tmp_path, terraform_program)


@pytest.fixture
def states() -> Iterator[StateServer]:
    with StateServer() as server:
        yield server


def kept(ground: TerraformBench) -> Path:
    [file] = (ground.folder / "states" / FOLDER).iterdir()
    return file


def in_message(message: str) -> Path:
    return Path(message.partition("on this worker in ")[2].partition(". ")[0])


async def test_what_was_made_is_listed_from_the_kept_state(
    ground: TerraformBench, states: StateServer
) -> None:
    states.refuse_writing = True
    failure = await ground.failure(ground.module(PAIR) | CONFIG | states.backend)
    assert failure.kind == "OutcomeUnknown"
    assert failure.left == ["terraform_data.first", "terraform_data.second"]
    assert json.loads(kept(ground).read_text())["lineage"]
    assert kept(ground).stat().st_mode & 0o777 == 0o600


async def test_a_state_that_cannot_be_kept_stays_where_it_is_and_is_found_by_the_retry(
    ground: TerraformBench, states: StateServer
) -> None:
    config = ground.module(PAIR) | CONFIG | states.backend
    (ground.folder / "states").mkdir()
    (ground.folder / "states" / FOLDER).write_text("no folder can be made here")
    states.refuse_writing = True

    first = await ground.failure(config)
    file = in_message(first.message)
    assert state_rescue.read_state(file.read_bytes())["serial"]
    assert {one.name for one in file.parent.iterdir()} == {
        state_rescue.UNWRITTEN_STATE,
        state_rescue.LOCK,
    }
    again = await ground.failure(config, again=True)
    assert str(file) in again.message

    states.refuse_writing = False
    result = await ground.execute(config, again=True)
    assert result.adopted
    assert len(states.states) == 1
    assert not file.parent.exists()


async def test_a_truncated_state_is_never_written_and_nothing_else_is_done(
    ground: TerraformBench, states: StateServer
) -> None:
    config = ground.module(PAIR) | CONFIG | states.backend
    states.refuse_writing = True
    await ground.failure(config)
    file = kept(ground)
    file.write_bytes(file.read_bytes()[:-40])
    states.refuse_writing = False

    failure = await ground.failure(config, again=True)

    assert failure.kind == "OutcomeUnknown"
    assert f"{file}, is damaged: it is not JSON to its end" in failure.message
    assert "move that file away" in failure.message
    assert states.states == []
    assert file.exists()


async def test_a_state_that_is_older_than_the_backends_is_never_written(
    ground: TerraformBench, states: StateServer
) -> None:
    config = ground.module(PAIR) | CONFIG | states.backend
    states.refuse_writing = True
    await ground.failure(config)
    states.refuse_writing = False
    newer = json.loads(kept(ground).read_text())
    newer |= {"serial": newer["serial"] + 1, "resources": []}
    states.states.append(json.dumps(newer).encode())

    failure = await ground.failure(config, again=True)

    assert f"kept on this worker in {kept(ground)}" in failure.message
    assert f"serial {newer['serial']} is not older" in failure.message
    assert failure.left == ["terraform_data.first", "terraform_data.second"]
    assert len(states.states) == 1


async def test_a_state_that_is_in_the_backend_already_is_done_with(
    ground: TerraformBench, states: StateServer
) -> None:
    config = ground.module(PAIR) | CONFIG | states.backend
    states.refuse_writing = True
    await ground.failure(config)
    states.refuse_writing = False
    states.states.append(kept(ground).read_bytes())
    other = state_rescue.keep(b"{}", ground.folder / "states" / FOLDER, "pao-1-2")

    result = await ground.execute(config, again=True)

    assert result.adopted
    assert len(states.states) == 1
    assert kept(ground) == other, "what is not ours stays"


async def test_a_state_of_an_attempt_in_another_workspace_stops_the_corrected_one(
    ground: TerraformBench, states: StateServer
) -> None:
    config = ground.module(PAIR) | CONFIG
    states.refuse_writing = True
    await ground.failure(config | states.backend)

    failure = await ground.failure(config | {"workspace": "other"}, again=True)

    assert failure.kind == "OutcomeUnknown"
    assert str(kept(ground)) in failure.message
    assert "in another module, backend or workspace" in failure.message
    assert not list(ground.folder.rglob("workspaces/*"))


async def test_a_state_file_of_the_modules_repository_is_not_taken_for_ours(
    ground: TerraformBench, states: StateServer
) -> None:
    config = ground.module(PAIR) | CONFIG | states.backend
    folder = ground.folder / "modules" / "module"
    (folder / "inner").mkdir()
    for file in (
        folder / state_rescue.UNWRITTEN_STATE,
        folder / "inner" / state_rescue.UNWRITTEN_STATE,
    ):
        file.write_text(json.dumps(STATE))
    result = await ground.execute(config)
    assert len(result.outputs["resources"]) == 2
    assert json.loads(states.states[-1])["lineage"] != "a-b-c"


IN_THE_WAY = "mkdir -p errored.tfstate/x"
"""Terraform finds no place for the file, and prints the state."""

TORN = f"{IN_THE_WAY}; echo '{{' > \"$TF_DATA_DIR/errored.tfstate\""
NOWHERE = f'{IN_THE_WAY}; mkdir -p "$(dirname "$TF_DATA_DIR")/errored.tfstate/x"'


def before_apply(ground: TerraformBench, command: str) -> TerraformBench:
    """Have this run in the folder of the module before an apply."""
    binary = ground.options.binary
    assert binary is not None
    script = f'[ "$1" != apply ] || {{ {command}; }}'
    return ground.having(binary=wrapped(ground.folder / "before", binary, [script]))


@pytest.mark.parametrize("command", [IN_THE_WAY, TORN])
async def test_a_state_that_terraform_could_only_print_is_kept(
    ground: TerraformBench, states: StateServer, command: str
) -> None:
    config = ground.module(PAIR) | CONFIG | states.backend
    states.refuse_writing = True

    failure = await before_apply(ground, command).failure(config)

    assert str(kept(ground)) in failure.message
    assert state_rescue.read_state(kept(ground).read_bytes())["serial"], "no torn file is beside it"
    states.refuse_writing = False
    assert (await ground.execute(config, again=True)).adopted


async def test_a_state_that_can_be_kept_nowhere_is_told_with_all_that_it_has(
    ground: TerraformBench, states: StateServer
) -> None:
    config = ground.module(PAIR) | CONFIG | states.backend
    (ground.folder / "states").mkdir()
    (ground.folder / "states" / FOLDER).write_text("no folder can be made here")
    states.refuse_writing = True

    failure = await before_apply(ground, NOWHERE).failure(config)

    assert failure.kind == "OutcomeUnknown"
    assert "neither to its backend nor to a file on this worker" in failure.message
    assert failure.left == ["terraform_data.first", "terraform_data.second"]
    assert "(id " in failure.facts["partial"][0]["cleanup"]


def test_nothing_is_applied_on_a_disk_that_has_no_room_for_the_state(
    ground: TerraformBench,
) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    (ground.folder / "ground").write_bytes(pickle.dumps(ground))
    config = json.dumps(ground.module(PAIR) | CONFIG)
    worker = subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, "-B", "-m", WORKER, str(ground.folder / "ground"), config],
        check=False,
        cwd=Path(__file__).parents[2],
        preexec_fn=full,
        capture_output=True,
        text=True,
    )
    assert "has no room for a state of" in worker.stderr
    assert "nothing was changed" in worker.stderr
    assert not list(ground.folder.rglob("terraform.tfstate"))


async def test_a_damaged_file_of_the_state_folder_gives_way_to_the_whole_state(
    ground: TerraformBench,
) -> None:
    config = ground.module(PAIR) | CONFIG
    first = await ground.execute(config)
    [state] = ground.folder.rglob("workspaces/*/terraform.tfstate")
    content = state.read_bytes()
    mark = first.outputs["workspace"]
    source = ModuleSource(path=config["source"]["path"])
    place = place_digest(ExecutionSpec(source=source, workspace=mark, own=True))
    state_rescue.keep(
        content, ground.folder / "states" / FOLDER, state_rescue.state_name(mark, place)
    )
    state.write_bytes(content[:100])

    second = await ground.execute(config, again=True)

    assert second.outputs == first.outputs
    assert state.with_name("terraform.tfstate.damaged-1").read_bytes() == content[:100]


WRITING = """
import sys
from pathlib import Path
from activities.terraform.state_rescue import UNWRITTEN_STATE, clear
clear(Path(sys.argv[1]), Path(sys.argv[2]), "pao-1-2")
"""


def test_on_a_full_disk_the_original_stays_and_no_part_is_left(tmp_path: Path) -> None:
    root, folder = tmp_path / "directory", tmp_path / "kept"
    (root / "source").mkdir(parents=True)
    content = json.dumps({**STATE, "padding": "x" * 10_000}).encode()
    (root / "source" / state_rescue.UNWRITTEN_STATE).write_bytes(content)

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))

    subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, "-B", "-c", WRITING, str(root), str(folder)],
        check=True,
        cwd=Path(__file__).parents[2],
        preexec_fn=full,
    )

    assert (root / state_rescue.UNWRITTEN_STATE).read_bytes() == content
    assert list(folder.iterdir()) == []
    assert not (root / "source").exists()


def test_what_a_process_has_left_is_found_when_it_uses_it_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = tmp_path / "kept"
    root = state_rescue.make_private_directory("pao-1-2")
    (root / "source").mkdir()
    (root / "source" / state_rescue.UNWRITTEN_STATE).write_text(json.dumps(STATE))

    with state_rescue.in_use(root):
        assert state_rescue.gather(folder, mark="pao-1", place="2") == []
    [found] = state_rescue.gather(folder, mark="pao-1", place="9")

    assert found.parent == folder
    assert json.loads(found.read_text()) == STATE
    assert not root.exists()
    assert state_rescue.gather(folder, mark="pao-8", place="2") == [found]
    assert state_rescue.gather(folder, mark="pao-8", place="9") == []
    assert state_rescue.is_elsewhere(found, mark="pao-1", place="9")
    assert not state_rescue.is_elsewhere(found, mark="pao-8", place="2")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"serial": 1}',
        b'{"lineage": "a"}',
        b'{"serial": 1, "lineage": ""}',
    ],
)
def test_what_is_no_whole_state_is_damaged(content: bytes) -> None:
    with pytest.raises(state_rescue.DamagedStateError):
        state_rescue.read_state(content)
