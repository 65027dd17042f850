"""`pao` on a pseudo-terminal."""

import codecs
import contextlib
import os
import pty
import re
import select
import signal
import termios
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.forked_processes import process_forker


@dataclass(frozen=True)
class Places:
    """Where a process runs, where its result goes if not to the terminal, and how wide that is."""

    folder: str | None = None
    output: str | None = None
    columns: int = 80


_NOTICED = 8.0


class Terminal:
    """`pao` on a pseudo-terminal, typed at and read as a person does."""

    def __init__(self, arguments: tuple[str, ...], environ: dict[str, str], places: Places) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, places.columns))
        with contextlib.ExitStack() as files:
            output = places.output
            result = files.enter_context(Path(output).open("wb")) if output else theirs
            streams = [theirs, result if isinstance(result, int) else result.fileno(), theirs]
            self.process = process_forker().start(
                arguments, environ, streams, folder=places.folder, terminal=True
            )
        os.close(theirs)
        self.seen = ""
        self._read_up_to = 0
        # A read can end within a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def wait_for(self, text: str) -> None:
        """Read until the text was shown; the test's own time limit ends a wait in vain."""
        while text not in self.seen:
            self._read()

    def next(self, text: str) -> None:
        """Read until the text was shown after what was waited for so far."""
        while (found := self.seen.find(text, self._read_up_to)) < 0:
            self._read()
        self._read_up_to = found + len(text)

    def answer(self, question: str, *texts: str) -> None:
        """Wait for a question, and type one text at each prompt that follows."""
        self.next(question)
        for text in texts:
            self.next("> ")
            self.type(text)

    @property
    def screen(self) -> str:
        """What was shown, without its styles and what readline sends."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen).replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """What was shown, a line each."""
        return self.screen.splitlines()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode() + b"\n")

    def press(self, keys: bytes) -> None:
        """Press keys without the enter key."""
        os.write(self._ours, keys)

    def interrupt(self, text: str) -> None:
        """Press Ctrl-C until the text is shown after what was waited for so far.

        Python does not notice a signal between the prompt and the wait for a key, which no person
        is fast enough to hit: then only the next one ends the wait.
        """
        while self.seen.find(text, self._read_up_to) < 0:
            self.press(b"\x03")
            limit = time.monotonic() + _NOTICED
            while time.monotonic() < limit and self.seen.find(text, self._read_up_to) < 0:
                if select.select([self._ours], [], [], 0.05)[0]:
                    self._read()

    def hang_up(self) -> int:
        """Close the window; returns the exit code."""
        os.close(self._ours)
        self._ours = os.open(os.devnull, os.O_RDONLY)
        return self.process.wait()

    def ends_with(self) -> int:
        while self.process.poll() is None:
            self.read_for(0.1)
        self.read_for(0.0)
        return self.process.wait()

    def interrupted(self) -> int:
        """Press Ctrl-C, as often as a person would: one that falls between two steps is lost."""
        while self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.read_for(2.0)
        return self.ends_with()

    def read_for(self, seconds: float) -> None:
        # Linux says EIO when the other side of a pseudo-terminal was closed.
        with contextlib.suppress(OSError):
            while select.select([self._ours], [], [], seconds)[0]:
                self._read()

    def _read(self) -> None:
        self.seen += self._decoder.decode(os.read(self._ours, 4096))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
