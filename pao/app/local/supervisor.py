"""Keeps the processes of the local stack running together: order, exits, signals, one log stream.

stack.py says which processes there are.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol, Self

from rich.console import Console
from rich.text import Text

from pao.app.local.processes import ChildProcess, LocalError

POLL_SECONDS = 0.2
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COLORS = ("cyan", "magenta", "green", "yellow", "blue")
NAME_WIDTH = 8

HARMLESS = dict.fromkeys((*range(9), *range(10, 32), *range(127, 160)), "�")
"""Control characters except tabs, which logs must not send to a person's terminal."""


class ManagedProcess(Protocol):
    """Something that runs as a child process."""

    @property
    def process(self) -> ChildProcess | None:
        """The running process, None when it is not started."""

    def stop(self) -> None:
        """End it in order."""


class StopRequestedError(Exception):
    """A signal asked to stop; ``signal_number`` says which."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.signal_number = signal_number


class ProcessDiedError(LocalError):
    """A process ended that should run; the message has its last lines."""


class LogStream:
    """Writes the lines of every process into one stream, each with its process's name and color.

    The console decides about colors (it honors NO_COLOR, and output that is not a terminal).
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._colors: dict[str, str] = {}
        self._closed = False

    def write(self, name: str, line: str) -> None:
        """Write one line; if nobody reads the stream any more, stop this process."""
        with self._lock:
            if self._closed or not line:
                return
            color = self._colors.setdefault(name, COLORS[len(self._colors) % len(COLORS)])
            text = Text(f"{name:<{NAME_WIDTH}} | ", style=color)
            text.append(line.translate(HARMLESS), style="default")
            try:
                self._console.print(text, soft_wrap=True)
            except BrokenPipeError:
                self._closed = True
                os.kill(os.getpid(), signal.SIGTERM)


class Supervisor:
    """Holds processes in the order in which they were started, and stops them in reverse on exit.

    Inside the context, a signal to stop raises StopRequestedError in the main thread. A second one,
    while processes are being stopped, kills the remaining ones.
    """

    def __init__(self) -> None:
        self._parts: list[ManagedProcess] = []
        self._previous: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in ENDING:
            self._previous[number] = signal.signal(number, _raise)
        return self

    def __exit__(self, *_error: object) -> None:
        for number in ENDING:
            signal.signal(number, self._kill)
        for part in reversed(self._parts):
            part.stop()
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() returned

    @contextmanager
    def starting(self, part: ManagedProcess) -> Iterator[None]:
        """Supervise ``part`` from before its start, so that nothing is left if it fails."""
        self._parts.append(part)
        yield
        self.check()

    def check(self) -> None:
        """Raise ProcessDiedError if a process has ended."""
        for part in self._parts:
            process = part.process
            if process is not None and process.exit_code() is not None:
                raise ProcessDiedError(process.exit_report())

    def watch(self) -> None:
        """Wait until a process ends (ProcessDiedError) or a signal comes (StopRequestedError)."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS)

    def _kill(self, _number: int, _frame: FrameType | None) -> None:
        for part in self._parts:
            if part.process is not None:
                part.process.send(signal.SIGKILL)


def _raise(number: int, _frame: FrameType | None) -> None:
    raise StopRequestedError(number)
