"""Rebuilds a restored database from Temporal, for `pao up`."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping

from pao.app.local.processes import WITHHELD, LocalError
from pao.app.local.progress import ProgressReporter
from pao.app.local.services import Service
from pao.app.local.start_timeout import StartTimeout

PAUSE_SECONDS = 2.0


def rebuild(configuration: Mapping[str, str], worker: Service, progress: ProgressReporter) -> None:
    """Rebuild with a worker that has just been started, and report the result.

    Requests that do not answer although the worker is idle are reported, and left out.
    """
    progress.report("Rebuilding what the restored database lacks")
    running = [worker.process] if worker.process else []
    timeout = StartTimeout(running, report=progress.report, seconds=60.0)
    while (done := _run(configuration)).returncode:
        try:
            timeout.check(f"the rebuild does not end: {done.stdout.strip() or done.stderr.strip()}")
        except LocalError:
            done = _run(configuration, "--open")
            break
        time.sleep(PAUSE_SECONDS)
    progress.report(done.stdout.strip())


def _run(configuration: Mapping[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if name not in WITHHELD}
    return subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-m", "pao", "db", "rebuild", *options],
        env={**inherited, **configuration},
        capture_output=True,
        text=True,
        check=False,
    )
