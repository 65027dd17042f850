"""`make bench-peers`: three steps that do nothing, in PAO, bare Temporal and DBOS, by turns.

Each on the same Postgres or Temporal server of this run, one after another, so that the machine's
moods hit all alike. DBOS is installed into an environment of its own, below ``.pao/peers``; its
version is printed. What is compared is the price of durability per step, not what the three are
for: DBOS keeps its state in Postgres alone, and neither it nor bare Temporal mirrors anything.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.actions import Runner, running
from benchmarks.figures import figures, milliseconds
from benchmarks.run import ANY_FREE, ROOT, _drop
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import RunningStack, StackOptions, running_stack

DBOS = "dbos==3.4.0"
WHERE = Path(".pao/peers")
STEPS, ROUNDS = 3, 20


def _environment() -> Path:
    """Return the Python of DBOS's environment, made at the first run."""
    python, uv = WHERE / "bin" / "python", Path(sys.executable).with_name("uv")
    if not python.exists():
        subprocess.run([uv, "venv", "-q", "-p", sys.executable, WHERE], check=True)  # noqa: S603 -- our own
    subprocess.run([uv, "pip", "install", "-q", "-p", python, DBOS], check=True)  # noqa: S603 -- our own
    return python


class Peer:
    """DBOS in a process of its own, which runs a workflow for each line that it reads."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def run(self) -> float:
        """Run one workflow; return its seconds."""
        self._writer.write(b"\n")
        return float(await self.said())

    async def said(self) -> str:
        """Return its next line."""
        line = await self._reader.readline()
        if not line:
            raise RuntimeError("DBOS has ended")
        return line.decode().strip()


@asynccontextmanager
async def _peer(stack: RunningStack, python: Path) -> AsyncIterator[Peer]:
    """Run DBOS, with a schema of its own in the database of this run."""
    process = await asyncio.create_subprocess_exec(
        *(python, ROOT / "benchmarks" / "foreign" / "dbos_steps.py", stack.postgres.owner_url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("DBOS has no streams")
    peer = Peer(process.stdout, process.stdin)
    while await peer.said() != "ready":
        pass
    yield peer
    process.stdin.close()
    await process.wait()


async def _measure(stack: RunningStack, python: Path) -> dict[str, list[float]]:
    async with _peer(stack, python) as peer, running(stack) as (client, database):
        runner = Runner(client, database)
        kinds: dict[str, Callable[[], Awaitable[float]]] = {
            "bare Temporal": lambda: runner.bare(STEPS),
            "PAO": lambda: runner.pao(STEPS),
            "DBOS": peer.run,
        }
        times: dict[str, list[float]] = {name: [] for name in kinds}
        for number in range(ROUNDS + 1):
            for name, timed in kinds.items():
                seconds = await timed()
                if number:  # The first round fills caches.
                    times[name].append(seconds)
    return times


def main() -> int:
    """Measure and print."""
    python = _environment()
    with tempfile.TemporaryDirectory(prefix="pao-bench-") as folder:
        options = StackOptions(home=Path(folder) / "home", ports=ANY_FREE)
        with running_stack(options, narrator=ProgressReporter(), sink=_drop) as stack:
            found = asyncio.run(_measure(stack, python))
    print(f"\n{STEPS} steps, {ROUNDS} rounds by turns; {DBOS}\n")
    bare = figures(found["bare Temporal"]).p50
    for name, seconds in found.items():
        one = figures(seconds)
        ratio = one.p50 / bare
        print(f"| {name} | {milliseconds(one.p50)} | {milliseconds(one.p95)} | {ratio:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
