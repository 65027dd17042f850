"""The supervisor over real processes; the one that is signalled is a process of its own."""

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from pao.app.local.processes import ChildProcess, LineSink, Program, ignore_line
from pao.app.local.supervisor import LogStream, ProcessDiedError, Supervisor

# A supervisor with two parts, each of which says when it starts and ends.
SUPERVISED = """
import sys
from pao.app.local.supervisor import StopRequestedError, Supervisor
from pao.app.local.processes import ChildProcess, Program

def say(*words):
    # One write: the parts speak in threads of their own.
    sys.stdout.write(" ".join(words) + "\\n")
    sys.stdout.flush()

class Talker:
    def __init__(self, name):
        self.name = name
        self.process = None
    def start(self):
        script = "trap 'exit 0' TERM; sleep 1000 & echo up $$ $!; wait"
        self.process = ChildProcess(
            Program(name=self.name, command=["/bin/sh", "-c", script]), say)
    def stop(self):
        say("stopping", self.name)
        self.process.stop()
        say("stopped", self.name)

try:
    with Supervisor() as supervisor:
        for name in ("first", "second"):
            part = Talker(name)
            with supervisor.starting(part):
                part.start()
        say("watching")
        supervisor.watch()
except StopRequestedError as asked:
    say("asked", str(asked))
"""


class Part:
    def __init__(self, script: str, sink: LineSink = ignore_line) -> None:
        program = Program(name="part", command=["/bin/sh", "-c", script])
        self.process = ChildProcess(program, sink)

    def stop(self) -> None:
        self.process.stop(grace=5)


@pytest.fixture
def supervised() -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(  # noqa: S603 -- our own Python
        [sys.executable, "-c", SUPERVISED],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def started(process: "subprocess.Popen[str]") -> list[int]:
    """Wait until both parts are watched; their process ids, each with that of its child."""
    assert process.stdout is not None
    # A part speaks before it is known to have started; either may be the last line.
    words = [process.stdout.readline().split() for _ in range(3)]
    return [int(word) for line in words for word in line[2:]]


def is_running(pid: int) -> bool:
    """Whether the process lives; one that nobody has reaped yet does not."""
    shown = subprocess.run(  # noqa: S603 -- a fixed program
        ["/bin/sh", "-c", f"cat /proc/{pid}/stat 2>/dev/null"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return shown.rpartition(")")[2].split()[:1] not in ([], ["Z"])


def wait_until_gone(pids: list[int]) -> None:
    """Return when none of them runs; the test's own time limit ends a wait in vain."""
    while any(is_running(pid) for pid in pids):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_parts_in_reverse_order(
    supervised: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    pids = started(supervised)
    supervised.send_signal(number)
    said = supervised.communicate(timeout=120)[0].splitlines()

    assert said == [
        "stopping second",
        "stopped second",
        "stopping first",
        "stopped first",
        f"asked {number.name}",
    ]
    assert not any(is_running(pid) for pid in pids)


def test_parts_do_not_outlive_a_supervisor_that_was_killed(
    supervised: "subprocess.Popen[str]",
) -> None:
    pids = started(supervised)
    supervised.kill()
    # What a part started itself is its own affair: ours end theirs when they end.
    wait_until_gone(pids[::2])
    for pid in pids[1::2]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_part_that_dies_is_reported_with_its_last_lines() -> None:
    part = Part("echo one; echo two >&2; exit 3")
    with pytest.raises(ProcessDiedError) as death, Supervisor() as supervisor:  # noqa: PT012 -- both
        with supervisor.starting(part):
            pass
        supervisor.watch()

    assert str(death.value) == "part ended with code 3. It last said:\n  one\n  two"


def test_a_part_that_ignores_the_request_is_ended_by_force_with_its_children() -> None:
    lines: list[str] = []
    part = Part(
        "trap '' TERM; (trap '' TERM; echo child; while :; do :; done) & echo $!; wait",
        lambda _name, line: lines.append(line),
    )
    while len(lines) < 2:
        pass
    child = int(next(line for line in lines if line.isdecimal()))

    part.process.stop(grace=0.1)

    assert part.process.exit_code() == -signal.SIGKILL
    wait_until_gone([child])


def test_lines_carry_the_name_of_their_process_and_no_colour_codes_for_a_file() -> None:
    out = io.StringIO()
    stream = LogStream(Console(file=out, width=20))
    stream.write("api", "a line that is longer than the console is wide [1]")
    stream.write("postgres", "ready")

    assert out.getvalue().splitlines() == [
        "api      | a line that is longer than the console is wide [1]",
        "postgres | ready",
    ]


def test_a_terminal_gets_a_colour_per_process_but_not_with_no_color(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def written() -> str:
        out = io.StringIO()
        LogStream(Console(file=out, force_terminal=True, color_system="standard")).write("api", "x")
        return out.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[36m" in written()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in written()


def test_what_a_process_writes_cannot_steer_the_terminal() -> None:
    out = io.StringIO()
    LogStream(Console(file=out)).write("api", "safe\x1b]0;title\x07\x08 end")

    assert "\x1b" not in out.getvalue()
