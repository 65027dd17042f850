"""The worker as a process of its own, which can be killed."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.worker import Workbench

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def worker_process(bench: Workbench, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the worker as an operator does; it is killed, with no chance to say goodbye."""
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pao", "worker"),
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "HOME": str(log.parent), **bench.environ},
            stdout=said,
            stderr=said,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
