"""Keeps the parts of the local stack running together: order, deaths, signals, one stream of logs.

Which parts there are belongs to up.py.
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
COLOURS = ("cyan", "magenta", "green", "yellow", "blue")
NAME_WIDTH = 8

HARMLESS = dict.fromkeys((*range(9), *range(10, 32), *range(127, 160)), "�")
"""Control characters, the tab aside: what a process logs must not steer a person's terminal."""


class Part(Protocol):
    """Something that runs as a child process."""

    @property
    def process(self) -> ChildProcess | None:
        """The running process, None when it is not started."""

    def stop(self) -> None:
        """End it in order."""


class AskedToEndError(Exception):
    """A signal asked for the end; ``signal_number`` says which."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.signal_number = signal_number


class PartDiedError(LocalError):
    """A part ended that should run; the message holds its last lines."""


class LogStream:
    """Writes the lines of every process into one stream, each with its process's name and colour.

    Whether colours are used is the console's affair (it honours NO_COLOR and what is no terminal).
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._colours: dict[str, str] = {}
        self._closed = False

    def write(self, name: str, line: str) -> None:
        """Write one line; when nobody reads the stream any more, ask this process to end."""
        with self._lock:
            if self._closed or not line:
                return
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            text = Text(f"{name:<{NAME_WIDTH}} | ", style=colour)
            text.append(line.translate(HARMLESS), style="default")
            try:
                self._console.print(text, soft_wrap=True)
            except BrokenPipeError:
                self._closed = True
                os.kill(os.getpid(), signal.SIGTERM)


class Supervisor:
    """Holds parts in the order in which they were started; leaving it ends them in reverse.

    While it is entered, a signal that asks for the end raises AskedToEndError in the main thread.
    A second one, while parts are being ended, kills what is left.
    """

    def __init__(self) -> None:
        self._parts: list[Part] = []
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
    def starting(self, part: Part) -> Iterator[None]:
        """Look after ``part`` from before its start, so that nothing is left of a broken one."""
        self._parts.append(part)
        yield
        self.check()

    def check(self) -> None:
        """Raise PartDiedError if a part has ended."""
        for part in self._parts:
            process = part.process
            if process is not None and process.exit_code() is not None:
                raise PartDiedError(process.obituary())

    def watch(self) -> None:
        """Wait until a part dies (PartDiedError) or the end is asked for (AskedToEndError)."""
        while True:
            self.check()
            time.sleep(POLL_SECONDS)

    def _kill(self, _number: int, _frame: FrameType | None) -> None:
        for part in self._parts:
            if part.process is not None:
                part.process.send(signal.SIGKILL)


def _raise(number: int, _frame: FrameType | None) -> None:
    raise AskedToEndError(number)
