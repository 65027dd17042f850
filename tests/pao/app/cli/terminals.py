"""`pao` on a pseudo-terminal."""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios

# A test run in the background ignores Ctrl-C and hands that on; a person's shell does not.
PAO = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
sys.argv[0] = "pao"
from pao.app.cli.main import main
main()
"""


class Terminal:
    """`pao` on a pseudo-terminal, typed at and read as a person does."""

    def __init__(
        self, arguments: tuple[str, ...], environ: dict[str, str], *, columns: int = 80
    ) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        self.process = subprocess.Popen(  # noqa: S603 -- our own program
            [sys.executable, "-c", PAO, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environ,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""

    def wait_for(self, text: str) -> None:
        """Read until the text was shown; the test's own time limit ends a wait in vain."""
        while text not in self.seen:
            self.seen += os.read(self._ours, 4096).decode()

    @property
    def lines(self) -> list[str]:
        """What was shown, a line each, without its styles."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.seen).replace("\r\n", "\n").splitlines()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode() + b"\n")

    def ends_with(self) -> int:
        while self.process.poll() is None:
            self.read_for(0.1)
        self.read_for(0.0)
        return self.process.returncode

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
                self.seen += os.read(self._ours, 4096).decode()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
