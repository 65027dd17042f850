"""The process between worker and Terraform: when the worker releases it, Terraform stops cleanly.

It is run by its path with ``python -I -S``. The worker holds the other end of its standard input.
When that closes, because the worker asked or because it was killed, Terraform's process group gets
SIGINT, as from a terminal, so that it writes its state and unlocks it; what still runs after the
grace period is killed. Output goes through this process: a program whose pipe has no reader dies
at its next line, before it has written its state. If the worker was killed, the private folder is
cleared as the worker would have done: a state that no backend took is kept where the next attempt
looks for it. Nothing here knows about PAO.

Arguments: seconds of grace, private folder, folder for unwritten states, their name, who runs the
program (``uid:gid``, or nothing for the same user), descriptors that it inherits (``7,8``), then
the program and its arguments. A number of seconds on standard input replaces the grace.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``: the signal that a process gets when its parent ends."""

PR_SET_CHILD_SUBREAPER = 36
"""From the same file: whose parent ends becomes a child of this process."""

KILLED = 137
"""The exit code if the program had to be killed: its state may be locked."""

NOT_STARTED = 127
CHUNK = 64 * 1024
DRAIN_SECONDS = 2.0
"""How long to wait for processes that hold a pipe open after the program's end."""

LIBC = ctypes.CDLL(None)


def follow_parent() -> None:
    """Ask the kernel for SIGINT when this guard is killed; Linux only."""
    if sys.platform.startswith("linux"):
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def start(command: list[str], account: str, descriptors: str) -> "subprocess.Popen[bytes] | None":
    """Start the program in a new group; None, with a line on stderr, if that fails."""
    uid, gid = map(int, account.split(":")) if account else (None, None)
    try:
        return subprocess.Popen(  # noqa: S603 -- running the given program is its purpose
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=[int(one) for one in descriptors.split(",") if one],
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
            # Only after that: the kernel forgets it when the user changes.
            preexec_fn=follow_parent,  # noqa: PLW1509 -- this process has one thread yet
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be started: {error.strerror}\n")
        return None


def pass_on(source: int, target: int) -> None:
    """Pass on the program's output; without a reader it is read and dropped."""
    while chunk := os.read(source, CHUNK):
        rest = memoryview(chunk)
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[os.write(target, rest) :]


def start_pumps(process: "subprocess.Popen[bytes]") -> list[threading.Thread]:
    """Start threads that pass on both outputs."""
    pairs = [
        (stream.fileno(), n) for n, stream in ((1, process.stdout), (2, process.stderr)) if stream
    ]
    threads = [threading.Thread(target=pass_on, args=pair, daemon=True) for pair in pairs]
    for thread in threads:
        thread.start()
    return threads


def signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Send a signal to the program and to all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def wait_or_let_go(process: "subprocess.Popen[bytes]", grace: float) -> float | None:
    """Wait until the program ends (None) or the worker releases it; return the grace period."""
    ended, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while process.poll() is None:
        ready, _, _ = select.select([0, ended], [], [], 60)
        if 0 in ready:
            data = os.read(0, 64)
            if not data:
                return grace if process.poll() is None else None
            with contextlib.suppress(ValueError):
                grace = float(data)
        if ended in ready:
            os.read(ended, 64)
    return None


def end(process: "subprocess.Popen[bytes]", grace: float) -> int:
    """Stop the program, by force after the grace period; return the exit code to pass on."""
    signal_group(process, signal.SIGINT)
    try:
        return process.wait(grace)
    except subprocess.TimeoutExpired:
        signal_group(process, signal.SIGKILL)
        process.wait()
        return KILLED


def adopt_orphans() -> None:
    """Become the parent of processes that the program leaves in other sessions; Linux only."""
    if sys.platform.startswith("linux"):
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)


def kill_orphans() -> None:
    """Kill whatever has left the program's group; each that goes may leave more."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    with contextlib.suppress(OSError, ChildProcessError):
        while found := children.read_text().split():
            for child in map(int, found):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(child, signal.SIGKILL)
            os.waitpid(-1, 0)


def clear(folder: Path, unwritten: Path, name: str) -> None:
    """Clear the private folder in the worker's place, by the same code."""
    # Python was started without any place for modules; none of these needs more than its own.
    sys.path.append(str(Path(__file__).parents[2]))
    from activities.terraform import state_rescue  # noqa: PLC0415 -- found only from here on

    state_rescue.clear(folder, unwritten, name)


def main(arguments: list[str]) -> int:
    """Run the program under the guard process; return its exit code."""
    grace, folder, unwritten, name, account, descriptors, *command = arguments
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Not ignored: that would be inherited by the program and by all that it starts.
        signal.signal(number, lambda *_: None)
    worker = os.getppid()
    adopt_orphans()
    process = start(command, account, descriptors)
    if process is None:
        return NOT_STARTED
    handing_on = start_pumps(process)
    left = wait_or_let_go(process, float(grace))
    code = process.wait() if left is None else end(process, left)
    signal_group(process, signal.SIGKILL)
    if left is not None:
        kill_orphans()
    for thread in handing_on:
        thread.join(DRAIN_SECONDS)
    if os.getppid() != worker:
        clear(Path(folder), Path(unwritten), name)
    return KILLED if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
