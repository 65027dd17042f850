"""Processes of `pao` that are forked from one that has imported it, once per test process.

They have their own signals, streams and exit codes, like any process, but save the second that the
imports take. Tests of starting itself start Python instead.
"""

import atexit
import contextlib
import functools
import gc
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 1 << 17


class ExitCodeReader(Protocol):
    """Return a process's exit code; None while it runs, unless ``block``."""

    def __call__(self, pid: int, *, block: bool) -> int | None: ...


class Process:
    """A started `pao`, with the interface of `subprocess.Popen`."""

    def __init__(self, pid: int, wait: ExitCodeReader) -> None:
        self.pid = pid
        self._wait = wait
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs; negative is a signal."""
        if self.returncode is None:
            self.returncode = self._wait(self.pid, block=False)
        return self.returncode

    def wait(self) -> int:
        """Wait for its end; bounded by the test's time limit."""
        if self.returncode is None:
            self.returncode = self._wait(self.pid, block=True)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            # It may end between the check and the signal.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


class ProcessForker:
    """The process that has imported `pao`, and forks on request."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ended: dict[int, int] = {}
        self._process = subprocess.Popen(  # noqa: S603 -- this file
            [sys.executable, "-c", f"import {__name__} as forked; forked.serve({theirs.fileno()})"],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()

    def start(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        streams: Sequence[int],
        *,
        folder: str | Path | None = None,
        terminal: bool = False,
    ) -> Process:
        """Start ``pao`` with these three streams; on a ``terminal``, its first controls it."""
        directory = str(folder or ROOT)
        message = json.dumps([list(arguments), dict(environ), directory, terminal]).encode()
        socket.send_fds(self._ours, [message], list(streams))
        while True:
            pid, code = self._receive()
            if code is None:
                return Process(pid, self._wait)
            self._ended[pid] = code

    def _wait(self, pid: int, *, block: bool) -> int | None:
        flags = 0 if block else socket.MSG_DONTWAIT
        try:
            while pid not in self._ended:
                ended, code = self._receive(flags)
                assert code is not None
                self._ended[ended] = code
        except BlockingIOError:
            return None
        return self._ended.pop(pid)

    def _receive(self, flags: int = 0) -> tuple[int, int | None]:
        message = self._ours.recv(LARGEST, flags)
        assert message, f"the process that imported pao ended: {self._process.wait()}"
        pid, code = json.loads(message)
        return pid, code

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.wait()


@dataclass(frozen=True)
class CompletedCommand:
    """The result of a command."""

    returncode: int
    stdout: bytes
    stderr: bytes


def run_pao(
    *arguments: str | bytes,
    environ: Mapping[str, str],
    folder: str | Path | None = None,
    stdin: bytes = b"",
) -> CompletedCommand:
    """Run a command of ``pao`` to its end, in its own process."""
    words = [os.fsdecode(argument) for argument in arguments]
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin)
        given.seek(0)
        streams = [stream.fileno() for stream in (given, out, err)]
        code = process_forker().start(words, environ, streams, folder=folder).wait()
        out.seek(0)
        err.seek(0)
        return CompletedCommand(code, out.read(), err.read())


@functools.cache
def process_forker() -> ProcessForker:
    """Return the forker of this process, which ends with it."""
    made = ProcessForker()
    atexit.register(made.close)
    return made


def serve(number: int) -> None:
    """Import `pao`, then fork for every message at this socket until the other side is closed."""
    asked = socket.socket(fileno=number)
    import activities.registry  # noqa: PLC0415 -- only this process needs it, and the next
    import pao.app.cli  # noqa: PLC0415

    activities.registry.action_schemas()
    for module in pkgutil.walk_packages(pao.app.cli.__path__, "pao.app.cli."):
        __import__(module.name)
    assert "readline" not in sys.modules, "it reads the terminal when it is imported"
    gc.freeze()
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    with selectors.DefaultSelector() as selector:
        selector.register(asked, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is woken:
                    os.read(woken, 64)
                    _report_ends(asked)
                elif not _fork(asked, (woken, wakes)):
                    return


def _fork(asked: socket.socket, pipe: tuple[int, int]) -> bool:
    said, streams, _, _ = socket.recv_fds(asked, LARGEST, 3)
    if not said:
        return False
    arguments, environ, folder, terminal = json.loads(said)
    if pid := os.fork():
        for stream in streams:
            os.close(stream)
        asked.send(json.dumps([pid, None]).encode())
    else:
        _reset_signals(asked, pipe)
        _run(arguments, environ, folder, streams, terminal=terminal)
    return True


def _reset_signals(asked: socket.socket, pipe: tuple[int, int]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # A test run in the background ignores Ctrl-C and passes that on; a person's shell does not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    asked.close()
    for end in pipe:
        os.close(end)


def _run(
    arguments: list[str],
    environ: dict[str, str],
    folder: str,
    streams: list[int],
    *,
    terminal: bool,
) -> NoReturn:
    import fcntl  # noqa: PLC0415 -- only a terminal needs it
    import termios  # noqa: PLC0415 -- as above

    from pao.app.cli.main import main as pao  # noqa: PLC0415 -- imported before the fork
    from pao.app.cli.streams import flush_streams  # noqa: PLC0415 -- as above

    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if terminal:
        # The terminal controls the process, so that its keys and its end reach it.
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 -- for good, as the next two
    sys.stdout = open(1, "w", buffering=1 if os.isatty(1) else -1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.argv[:] = ["pao", *arguments]
    code: object = 1
    try:
        pao()
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 -- as Python ends on an unhandled error
        traceback.print_exc()
    atexit._run_exitfuncs()
    flush_streams()
    # A normal exit would tear down all imported modules, and copy their memory.
    os._exit(int(code) if isinstance(code, int) else int(code is not None))


def _report_ends(asked: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            said = [ended[0], os.waitstatus_to_exitcode(ended[1])]
            with contextlib.suppress(OSError):
                asked.send(json.dumps(said).encode())
