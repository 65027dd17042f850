"""How long a start is waited for: as long as its processes live and move."""

import time
from collections.abc import Callable, Sequence

from pao.app.local.processes import ChildProcess, LocalError

STILL_SECONDS = 180.0
"""A start without any progress for this long has failed."""
TELL_SECONDS = 15.0
"""A start that takes longer than this says what it waits for, and again after as long."""
CPU_SECONDS = 2.0
"""So much processor time is progress; a process that only waits uses less in three minutes."""


def ignore_progress(_message: str) -> None:
    """Do nothing."""


class Patience:
    """Watches processes while they start.

    Progress is a line that was not written before, processor time, or another reason to wait. A
    busy machine makes all of them slow but does not stop them.
    """

    def __init__(
        self,
        processes: Sequence[ChildProcess],
        *,
        tell: Callable[[str], None] = ignore_progress,
        seconds: float = STILL_SECONDS,
    ) -> None:
        self._processes = processes
        self._tell = tell
        self._seconds = seconds
        self._started = self._told = self._moved = time.monotonic()
        self._said: tuple[str, int] | None = None
        self._cpu = self._used()

    def check(self, waiting_for: str) -> None:
        """Return if it is worth waiting on; what takes long is told.

        Raises LocalError where a process has ended, with its last lines, and where nothing has
        moved for too long.
        """
        for process in self._processes:
            if process.exit_code() is not None:
                raise LocalError(f"Not started: {process.obituary()}")
        now = time.monotonic()
        if self._has_moved(waiting_for):
            self._moved = now
        elif now > self._moved + self._seconds:
            raise LocalError(self._gave_up(waiting_for))
        if now > self._told + TELL_SECONDS:
            self._told = now
            self._tell(f"Still waiting ({now - self._started:.0f} s): {waiting_for}")

    def _has_moved(self, waiting_for: str) -> bool:
        said = (waiting_for, sum(process.different_lines for process in self._processes))
        cpu = self._used()
        if said == self._said and cpu < self._cpu + CPU_SECONDS:
            return False
        self._said, self._cpu = said, cpu
        return True

    def _used(self) -> float:
        return sum(process.cpu_seconds() for process in self._processes)

    def _gave_up(self, waiting_for: str) -> str:
        said = "\n".join(f"{one.name} last said:\n{one.last_words()}" for one in self._processes)
        return f"Not started: nothing moved for {self._seconds:.0f} s.\n{said}\n{waiting_for}"
