"""The server on a data folder, according to its pid file: ours, or an orphan."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pao.app.local.processes import LocalError

STOP_SECONDS = 20.0
POLL_SECONDS = 0.05
_PORT_LINE = 3


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that runs, and the port that it listens on."""

    pid: int
    port: int


def running_server(data: Path) -> RunningServer | None:
    """Return the server on a data folder; None if there is none."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        found = RunningServer(int(lines[0]), int(lines[_PORT_LINE]))
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return found if _is_server_on(found.pid, data) else None


def end_orphan(data: Path) -> None:
    """Stop a server that outlived its supervisor on these data, and remove a stale pid file.

    Postgres takes any running process with the pid in the file for its own server.
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        pid_file.unlink(missing_ok=True)
        return
    if not _is_server_on(pid, data):
        pid_file.unlink(missing_ok=True)
        return
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_server_on(pid, data):
        if time.monotonic() > deadline:
            raise LocalError(
                f"A Postgres from an earlier start is still running: kill process {pid}."
            )
        time.sleep(POLL_SECONDS)


def _is_server_on(pid: int, data: Path) -> bool:
    return f"-D {data} " in f"{_command_line(pid)} "


def _command_line(pid: int) -> str:
    """Return the command line of a process; empty if there is none."""
    if sys.platform.startswith("linux"):
        with suppress(FileNotFoundError, ProcessLookupError):
            return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
        return ""
    result = subprocess.run(  # noqa: S603 -- fixed program, a number as argument
        ["/bin/ps", "-o", "args=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.strip()


def is_ready(pid_file: Path) -> bool:
    """Return whether the last line of the pid file says ``ready``, as pg_ctl reads it."""
    with suppress(FileNotFoundError, PermissionError):
        lines = pid_file.read_text().splitlines()
        return bool(lines) and lines[-1].strip() == "ready"
    return False
