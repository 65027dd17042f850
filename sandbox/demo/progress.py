"""The demo's progress display while the stack starts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pao.app.local.progress import ProgressReporter, ProgressStep


class DemoProgress(ProgressReporter):
    """Prints each step; on a terminal a line below counts the seconds of the one in hand."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False))
        self._spinner = Progress(
            *columns,
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._spinner.add_task("")

    def __enter__(self) -> Self:
        self._spinner.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._spinner.stop()

    def report(self, text: str) -> None:
        """Print a step, and count its seconds from now on."""
        super().report(f"  {text}")
        self._spinner.reset(self._task, description=text)

    @contextmanager
    def step(self, text: str) -> Iterator[ProgressStep]:
        """Announce a long step, which shows its own sign of life."""
        self._spinner.stop()
        try:
            with super().step(text) as step:
                yield step
        finally:
            self._spinner.start()
