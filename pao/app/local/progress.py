"""Progress of long steps for people: plain lines, or a spinner."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

SECONDS_BETWEEN_LINES = 15.0

Report = Callable[[str], None]


class ProgressReporter:
    """Reports steps on a console: with a spinner on a terminal, as occasional lines elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)

    def report(self, text: str) -> None:
        """Print one line."""
        self._console.print(Text(text), soft_wrap=True)

    @contextmanager
    def step(self, text: str) -> Iterator["ProgressStep"]:
        """Announce a long step; its body calls ``tick`` at least once a second."""
        self.report(text)
        with self._console.status(Text(text)) as status:
            yield ProgressStep(
                report=self.report, update=status.update, silent=self._console.is_terminal
            )


class ProgressStep:
    """A long step in progress."""

    def __init__(self, *, report: Report, update: Report, silent: bool) -> None:
        self._report = report
        self._update = update
        self._silent = silent
        self._started = time.monotonic()
        self._reported_at = self._started

    def tick(self, what: str) -> None:
        """Show that ``what`` is still in progress, and for how long."""
        now = time.monotonic()
        text = f"{what} ... {now - self._started:.0f} s"
        self._update(text)
        if not self._silent and now - self._reported_at >= SECONDS_BETWEEN_LINES:
            self._reported_at = now
            self._report(text)
