"""Where the Temporal program comes from; programs and toolchains are small scripts on a PATH."""

import fcntl
import io
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console

from pao.app.local.go_programs import with_usable_cache
from pao.app.local.processes import LocalError
from pao.app.local.progress import ProgressReporter
from pao.app.local.temporal_binary import cached_program, find_or_build, server_version

TEMPORAL = '#!/bin/sh\necho "temporal version 1.5.1 (Server {server}, UI 2.42.1)"\n'

# Stands in for `go install`: leaves a program in GOBIN and a line in a log.
GO = f"""#!/bin/sh
echo "$@" >> "$GO_LOG"
printf '%s' {shlex.quote(TEMPORAL.format(server="1.29.1"))} > "$GOBIN/temporal"
chmod +x "$GOBIN/temporal"
"""


class Machine:
    """A machine without a way to the official download, and with what a test puts on its PATH."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bin"
        self.path.mkdir()
        self.go_log = folder / "go.log"
        self.said = io.StringIO()
        self.environment = {
            # Scripts need cat, printf and the like; no temporal and no go are there.
            "PATH": f"{self.path}{os.pathsep}/bin",
            "PAO_CACHE": str(folder / "cache"),
            "GO_LOG": str(self.go_log),
            # A port that nothing listens on stands for a network without the download.
            "HTTPS_PROXY": "http://127.0.0.1:9",
        }

    def put(self, name: str, script: str) -> Path:
        program = self.path / name
        program.write_text(script)
        program.chmod(0o755)
        return program

    def find(self) -> Path:
        return find_or_build(ProgressReporter(Console(file=self.said)), self.environment)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_program_on_path_comes_first(machine: Machine) -> None:
    program = machine.put("temporal", TEMPORAL.format(server="1.30.0"))
    machine.put("go", GO)

    assert machine.find() == program
    assert not machine.go_log.exists()


def test_a_program_on_path_that_is_too_old_is_left_alone_and_said(machine: Machine) -> None:
    machine.put("temporal", TEMPORAL.format(server="1.24.2"))
    machine.put("go", GO)

    assert machine.find() == cached_program(machine.environment)
    assert "older than 1.29" in machine.said.getvalue()


def test_what_is_in_the_cache_is_not_made_again(machine: Machine) -> None:
    machine.put("go", GO)

    assert machine.find() == machine.find()
    assert len(machine.go_log.read_text().splitlines()) == 1


def test_a_build_says_that_it_takes_minutes_and_leaves_the_program_alone_in_the_cache(
    machine: Machine,
) -> None:
    machine.put("go", GO)

    program = machine.find()

    assert "about four minutes" in machine.said.getvalue()
    assert server_version(program) == (1, 29)
    left = {path.name for path in program.parent.iterdir()}
    assert left == {program.name, "temporal.lock"}


def test_a_program_that_another_process_makes_is_waited_for_in_the_open(machine: Machine) -> None:
    machine.put("go", GO)
    lock = cached_program(machine.environment).with_name("temporal.lock")
    lock.parent.mkdir()
    with ThreadPoolExecutor() as pool:
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            found = pool.submit(machine.find)
            while "waiting for it" not in machine.said.getvalue():
                assert not found.done()
        assert found.result() == cached_program(machine.environment)
    assert "Another process is making the Temporal server" in machine.said.getvalue()


def test_the_cache_is_in_the_users_cache_folder(tmp_path: Path) -> None:
    assert cached_program({"XDG_CACHE_HOME": str(tmp_path)}).parent == tmp_path / "pao"
    assert cached_program({}).parent == Path.home() / ".cache" / "pao"


@pytest.mark.parametrize("home", ["/dev/null", "/proc/nowhere"])
def test_a_home_folder_that_cannot_be_written_is_replaced_by_the_state_folder(
    home: str, tmp_path: Path
) -> None:
    said = io.StringIO()
    progress = ProgressReporter(Console(file=said, width=400))
    found = with_usable_cache({"HOME": home}, tmp_path / "cache", progress)

    assert cached_program(found).parent == tmp_path / "cache"
    assert found["GOCACHE"].startswith(str(tmp_path))
    assert f"Using {tmp_path / 'cache'} instead." in said.getvalue()


def test_a_cache_that_was_chosen_and_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="Correct PAO_CACHE"):
        with_usable_cache({"PAO_CACHE": "/dev/null/x"}, tmp_path, ProgressReporter(Console()))


def test_without_any_way_every_attempt_is_told_with_its_reason(machine: Machine) -> None:
    # This go refuses; the wheel's go finds no module proxy.
    machine.put("go", "#!/bin/sh\necho no such module >&2\nexit 1\n")
    machine.environment["GOPROXY"] = "off"

    with pytest.raises(LocalError) as failure:
        machine.find()

    assert "Download: " in str(failure.value)
    assert "no such module" in str(failure.value)
    assert "TEMPORAL_ADDRESS" in str(failure.value)


def test_processes_that_ask_at_the_same_time_build_once(machine: Machine) -> None:
    # The build goes on until a file appears, so that the others must wait for it.
    machine.put("go", f"#!/bin/sh\nuntil [ -e {machine.path}/enough ]; do :; done\n{GO}")
    ask = "from pao.app.local.progress import ProgressReporter\n"
    ask += "from pao.app.local.temporal_binary import *\n"
    ask += "import os\nprint(find_or_build(ProgressReporter(), os.environ))"
    processes = [
        subprocess.Popen(  # noqa: S603 -- our own Python
            [sys.executable, "-c", ask],
            env={**machine.environment, "PYTHONPATH": str(Path(__file__).parents[4])},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(3)
    ]
    (machine.path / "enough").touch()

    found = {process.communicate(timeout=60)[0].strip() for process in processes}

    assert found == {str(cached_program(machine.environment))}
    assert len(machine.go_log.read_text().splitlines()) == 1


def test_a_program_that_hangs_or_says_nothing_has_no_version(machine: Machine) -> None:
    assert server_version(machine.put("silent", "#!/bin/sh\n")) is None
    assert server_version(machine.path / "absent") is None
