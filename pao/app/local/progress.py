"""Progress of long steps for people: plain lines, or a spinner."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

SECONDS_BETWEEN_LINES = 15.0

Tell = Callable[[str], None]


class ProgressReporter:
    """Reports steps on a console: with a spinner on a terminal, as occasional lines elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)

    def tell(self, text: str) -> None:
        """Print one line."""
        self._console.print(Text(text), soft_wrap=True)

    @contextmanager
    def waiting(self, text: str) -> Iterator["Waiting"]:
        """Announce a long step; its body calls ``tick`` at least once a second."""
        self.tell(text)
        with self._console.status(Text(text)) as status:
            yield Waiting(tell=self.tell, update=status.update, silent=self._console.is_terminal)


class Waiting:
    """A long step that is under way."""

    def __init__(self, *, tell: Tell, update: Tell, silent: bool) -> None:
        self._tell = tell
        self._update = update
        self._silent = silent
        self._started = time.monotonic()
        self._told = self._started

    def tick(self, what: str) -> None:
        """Show that ``what`` is still going on, and for how long."""
        now = time.monotonic()
        text = f"{what} ... {now - self._started:.0f} s"
        self._update(text)
        if not self._silent and now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            self._tell(text)
