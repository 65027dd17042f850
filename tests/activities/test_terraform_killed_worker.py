"""A worker that is killed while Terraform runs: Terraform ends, the state is unlocked, no rest."""

import asyncio
import json
import pickle
import sys
from pathlib import Path

from tests.support.terraform import StateServer, TerraformBench, waiting_module, wrapped

ROOT = Path(__file__).parents[2]


def present(file: Path) -> bool:
    return file.exists()


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/cmdline").exists() and bool(Path(f"/proc/{pid}/cmdline").read_bytes())


async def killed_in_the_middle(
    ground: TerraformBench, config: dict[str, object]
) -> tuple[int, Path]:
    """Run the action in a process, kill it in the apply; gives Terraform's pid and folder."""
    pickled = ground.folder / "ground"
    pickled.write_bytes(pickle.dumps(ground))
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.terraform_worker",
        str(pickled),
        json.dumps(config),
        cwd=ROOT,
    )
    while not present(ground.folder / "begun"):
        assert worker.returncode is None
        await asyncio.sleep(0.02)
    worker.kill()
    await worker.wait()
    pid, folder = (ground.folder / "apply").read_text().split()
    return int(pid), Path(folder)


async def test_terraform_ends_with_its_worker_and_the_retry_makes_the_rest(
    tmp_path: Path, terraform_program: Path
) -> None:
    noting = f'[ "$1" != apply ] || echo "$$ $(dirname "$TF_DATA_DIR")" > {tmp_path}/apply'
    program = wrapped(tmp_path / "noting", terraform_program, [noting])
    ground = TerraformBench.made(tmp_path, program).having(allow_provisioners=True)
    config = ground.module(waiting_module(tmp_path))

    pid, folder = await killed_in_the_middle(ground, config)
    while is_alive(pid) or present(folder):  # noqa: ASYNC110 -- another process cannot set an event
        await asyncio.sleep(0.02)
    (tmp_path / "go").touch()
    result = await ground.execute(config, again=True)

    assert not result.adopted
    assert result.outputs["resources"] == ["terraform_data.first", "terraform_data.second"]
    assert result.outputs["plan"] == {"add": 1, "change": 0, "destroy": 1}, "the tainted one only"


async def test_a_state_that_was_kept_for_a_killed_worker_is_written_by_the_retry(
    tmp_path: Path, terraform_program: Path
) -> None:
    noting = f'[ "$1" != apply ] || echo "$$ $(dirname "$TF_DATA_DIR")" > {tmp_path}/apply'
    program = wrapped(tmp_path / "noting", terraform_program, [noting])
    ground = TerraformBench.made(tmp_path, program).having(allow_provisioners=True)
    with StateServer() as states:
        states.refuse_writing = True
        config = ground.module(waiting_module(tmp_path)) | states.backend
        pid, folder = await killed_in_the_middle(ground, config)
        while is_alive(pid) or present(folder):  # noqa: ASYNC110 -- another process cannot set an event
            await asyncio.sleep(0.02)
        [kept] = (tmp_path / "states" / "pao-terraform-unwritten-states").iterdir()
        before = json.loads(kept.read_text())["resources"][0]["instances"][0]["attributes"]["id"]

        (tmp_path / "go").touch()
        states.refuse_writing = False
        result = await ground.execute(config, again=True)

        after = json.loads(states.states[-1])["resources"][0]["instances"][0]["attributes"]["id"]
    assert result.outputs["resources"] == ["terraform_data.first", "terraform_data.second"]
    assert after == before, "what was made is not made again"
