"""Child processes of `pao up` and of tests: tied to their parent, read by line, ended as a group.

What is started, and in which order, does not belong here.
"""

import os
import pwd
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

CHILD_LAUNCHER = Path(__file__).with_name("child_launcher.py")
LAST_LINES = 15
"""Lines of output that are kept, to be shown when a process ends unexpectedly."""
MAX_DISTINCT_LINES = 1000
"""How many distinct lines are counted; a process with more is long past its start."""
_VARYING = re.compile(r"[0-9a-f]{8}[0-9a-f-]*|[\d.:,]+")
"""What differs between repetitions of a line: times, ids, counts."""

WITHHELD = frozenset({"PAO_ACCESS_KEY_ID", "PAO_MIGRATION_DATABASE_URL", "PAO_SECRET_ACCESS_KEY"})
"""What no child gets of our own environment: a person's key, the owner of a database."""

CONFIGURATION = (
    "AWS_",
    "CATALOG_",
    "DATABASE_",
    "DB_",
    "ESCALATION_",
    "GITHUB_",
    "JIRA_",
    "OTEL_",
    "PAO_",
    "TEMPORAL_",
    "TERRAFORM_",
    "TF_",
)
"""How the variables begin that configure PAO's own processes, and may hold their secrets."""

LineSink = Callable[[str, str], None]
"""Gets the name of the process and one line of its output, without the line's end."""


class LocalError(Exception):
    """A part of the local stack cannot run; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class UnixAccount:
    """A user of this machine that a child process runs as."""

    uid: int
    gid: int

    @classmethod
    def of_name(cls, name: str) -> Self | None:
        """Return the account of that name; None if there is none."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return cls(uid=entry.pw_uid, gid=entry.pw_gid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run and how to stop it: ``stop_signal`` asks for an orderly shutdown.

    ``environment`` is added to our own environment; a program that is not ``configured`` by PAO's
    variables gets none of them.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    account: UnixAccount | None = None
    folder: Path | None = None
    configured: bool = False


def ignore_line(_name: str, _line: str) -> None:
    """Drop the line: a sink for those who only want the last lines."""


class ChildProcess:
    """A running program in its own session, so that only we, not the terminal, end it."""

    def __init__(self, program: Program, sink: LineSink = ignore_line) -> None:
        self.name = program.name
        self._program = program
        self._sink = sink
        self._last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._distinct_lines: set[str] = set()
        self._process = _spawn(program)
        self._reader = threading.Thread(target=self._read, name=f"log-{self.name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id; also the id of its process group."""
        return self._process.pid

    @property
    def last_lines(self) -> list[str]:
        """The newest lines of its output, oldest first."""
        return list(self._last_lines)

    @property
    def distinct_lines(self) -> int:
        """How many distinct lines it has written; repetitions count once."""
        return len(self._distinct_lines)

    def cpu_seconds(self) -> float:
        """Return the processor time that it and its children have used; 0 once it has ended."""
        try:
            own = psutil.Process(self.pid)
            return sum(sum(one.cpu_times()[:4]) for one in (own, *own.children(recursive=True)))
        except psutil.Error:
            return 0.0

    def exit_report(self) -> str:
        """Return how it has ended, with its last output."""
        code = self.exit_code() or 0
        how = (
            f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        )
        self._reader.join(timeout=2)
        return f"{self.name} {how}. It last said:\n{self.last_output()}"

    def last_output(self) -> str:
        """Return its newest lines, indented for a message."""
        return "\n".join(f"  {line}" for line in self.last_lines) or "  (nothing)"

    def exit_code(self) -> int | None:
        """Return the exit code (negative: the signal that ended it), or None while it runs."""
        return self._process.poll()

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for its end; True when it has ended."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def send(self, signal_number: signal.Signals) -> None:
        """Send it a signal; nothing happens when it has ended."""
        self._process.send_signal(signal_number)

    def drain(self) -> list[str]:
        """Return the newest lines of a process that has ended, its very last ones included."""
        self._reader.join(timeout=2)
        return self.last_lines

    def stop(self, grace: float = 30.0) -> None:
        """Stop it; after ``grace`` seconds, and for what it left behind, by force."""
        if self.exit_code() is None:
            self._process.send_signal(self._program.stop_signal)
            self.wait(grace)
        _kill_group(self.pid)
        self._process.wait()
        self._reader.join(timeout=2)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        for raw in stdout:
            line = raw.rstrip("\r\n")
            self._last_lines.append(line)
            if len(self._distinct_lines) < MAX_DISTINCT_LINES:
                self._distinct_lines.add(_VARYING.sub("", line))
            self._sink(self.name, line)


def _spawn(program: Program) -> "subprocess.Popen[str]":
    account = program.account
    return subprocess.Popen(  # noqa: S603 -- our own programs with arguments that we put together
        [
            sys.executable,
            "-I",
            "-S",
            str(CHILD_LAUNCHER),
            str(os.getpid()),
            str(int(program.stop_signal)),
            "-" if account is None else f"{account.uid}:{account.gid}",
            *program.command,
        ],
        env={**_inherited_environment(program), **program.environment},
        cwd=program.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def _inherited_environment(program: Program) -> dict[str, str]:
    withheld = () if program.configured else CONFIGURATION
    return {
        name: value
        for name, value in os.environ.items()
        if name not in WITHHELD and not name.startswith(withheld)
    }


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # Nothing of the group is left; some systems report a group of zombies as forbidden.
        return


def write_private(file: Path, content: str) -> None:
    """Write ``file`` atomically, readable by its owner only."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
    unfinished.replace(file)
