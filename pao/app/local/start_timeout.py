"""Waits for processes to start, as long as they run and make progress."""

import time
from collections.abc import Callable, Sequence

from pao.app.local.processes import ChildProcess, LocalError

STILL_SECONDS = 180.0
"""A start without any progress for this long has failed."""
REPORT_SECONDS = 15.0
"""How often a long start reports what it waits for."""
CPU_SECONDS = 2.0
"""This much CPU time is progress; a process that only waits uses less in three minutes."""


def ignore_progress(_message: str) -> None:
    """Do nothing."""


class StartTimeout:
    """Watches processes while they start.

    Progress is a line that was not written before, processor time, or another reason to wait. A
    busy machine makes all of them slow but does not stop them.
    """

    def __init__(
        self,
        processes: Sequence[ChildProcess],
        *,
        report: Callable[[str], None] = ignore_progress,
        seconds: float = STILL_SECONDS,
    ) -> None:
        self._processes = processes
        self._report = report
        self._seconds = seconds
        self._started = self._reported_at = self._progressed_at = time.monotonic()
        self._last_state: tuple[str, int] | None = None
        self._cpu = self._cpu_seconds()

    def check(self, waiting_for: str) -> None:
        """Return if waiting may continue; long waits are reported.

        Raises LocalError if a process has ended, with its last lines, and if there was no
        progress for too long.
        """
        for process in self._processes:
            if process.exit_code() is not None:
                raise LocalError(f"Not started: {process.exit_report()}")
        now = time.monotonic()
        if self._has_progressed(waiting_for):
            self._progressed_at = now
        elif now > self._progressed_at + self._seconds:
            raise LocalError(self._timeout_message(waiting_for))
        if now > self._reported_at + REPORT_SECONDS:
            self._reported_at = now
            self._report(f"Still waiting ({now - self._started:.0f} s): {waiting_for}")

    def _has_progressed(self, waiting_for: str) -> bool:
        state = (waiting_for, sum(process.distinct_lines for process in self._processes))
        cpu = self._cpu_seconds()
        if state == self._last_state and cpu < self._cpu + CPU_SECONDS:
            return False
        self._last_state, self._cpu = state, cpu
        return True

    def _cpu_seconds(self) -> float:
        return sum(process.cpu_seconds() for process in self._processes)

    def _timeout_message(self, waiting_for: str) -> str:
        state = "\n".join(f"{one.name} last said:\n{one.last_output()}" for one in self._processes)
        return f"Not started: nothing moved for {self._seconds:.0f} s.\n{state}\n{waiting_for}"
