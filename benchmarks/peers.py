"""`make bench-peers`: three steps that do nothing, in PAO, bare Temporal, DBOS and Backstage.

By turns, on the Postgres and Temporal servers of this run, so that the machine's moods hit all
alike. The peers are installed below ``.pao/peers``, in the versions that are printed; Backstage
needs Node and npm and is left out without them. What is compared is the price of three steps, not
what the four are for: DBOS keeps its state in Postgres alone, Backstage's scaffolder begins a task
anew that its process has lost, and neither these nor bare Temporal mirror anything.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from benchmarks.actions import Runner, running
from benchmarks.figures import figures, milliseconds
from benchmarks.run import ANY_FREE, ROOT, _drop
from pao.app.local.ports import free_ports
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import RunningStack, StackOptions, running_stack

DBOS = "dbos==3.4.0"
BACKSTAGE = "@backstage/plugin-scaffolder-backend"
WHERE = Path(".pao/peers")
FOREIGN = ROOT / "benchmarks" / "foreign"
STEPS, ROUNDS = 3, 20

Command = Sequence[str | Path]


def _dbos(database_url: str) -> Command:
    """Return the command that serves DBOS's steps, from an environment made at the first run."""
    python, uv = WHERE / "bin" / "python", Path(sys.executable).with_name("uv")
    if not python.exists():
        subprocess.run([uv, "venv", "-q", "-p", sys.executable, WHERE], check=True)  # noqa: S603 -- our own
    subprocess.run([uv, "pip", "install", "-q", "-p", python, DBOS], check=True)  # noqa: S603 -- our own
    return (python, FOREIGN / "dbos_steps.py", database_url)


def _backstage(database_url: str) -> Command | None:
    """Return the command that serves Backstage's steps; None without Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    folder = WHERE / "backstage"
    shutil.copytree(FOREIGN / "backstage", folder, dirs_exist_ok=True)
    options = ("--omit=dev", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
    subprocess.run([npm, "install", "--silent", *options], cwd=folder, check=True)  # noqa: S603 -- our own
    [port] = free_ports(1)
    return (node, folder / "steps.js", database_url, str(port))


class Peer:
    """A peer in a process of its own, which runs three steps for each line that it reads."""

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
            raise RuntimeError(f"a peer has ended; see the logs in {WHERE}")
        return line.decode().strip()


@asynccontextmanager
async def _serving(command: Command, log: Path) -> AsyncIterator[Peer]:
    """Run a peer; what it logs goes into a file."""
    with log.open("w") as errors:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the peer has no streams")
    peer = Peer(process.stdout, process.stdin)
    while await peer.said() != "ready":
        pass
    yield peer
    process.stdin.close()
    await process.wait()


async def _measure(stack: RunningStack, commands: dict[str, Command]) -> dict[str, list[float]]:
    async with AsyncExitStack() as opened:
        client, database = await opened.enter_async_context(running(stack))
        runner = Runner(client, database)
        kinds: dict[str, Callable[[], Awaitable[float]]] = {
            "bare Temporal": lambda: runner.bare(STEPS),
            "PAO": lambda: runner.pao(STEPS),
        }
        for name, command in commands.items():
            log = WHERE / f"{name}.log"
            kinds[name] = (await opened.enter_async_context(_serving(command, log))).run
        times: dict[str, list[float]] = {name: [] for name in kinds}
        for number in range(ROUNDS + 1):
            for name, timed in kinds.items():
                seconds = await timed()
                if number:  # The first round fills caches.
                    times[name].append(seconds)
    return times


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="pao-bench-") as folder:
        options = StackOptions(home=Path(folder) / "home", ports=ANY_FREE)
        with running_stack(options, progress=ProgressReporter(), sink=_drop) as stack:
            url = stack.postgres.owner_url
            offered = {"DBOS": _dbos(url), "Backstage": _backstage(url)}
            commands = {name: command for name, command in offered.items() if command is not None}
            found = asyncio.run(_measure(stack, commands))
    print(f"\n{STEPS} steps, {ROUNDS} rounds by turns; {', '.join(_versions(commands))}\n")
    bare = figures(found["bare Temporal"]).p50
    for name, seconds in found.items():
        one = figures(seconds)
        ratio = one.p50 / bare
        print(f"| {name} | {milliseconds(one.p50)} | {milliseconds(one.p95)} | {ratio:.2f} |")
    return 0


def _versions(commands: dict[str, Command]) -> list[str]:
    package = json.loads((FOREIGN / "backstage" / "package.json").read_text())
    told = {"DBOS": DBOS, "Backstage": f"{BACKSTAGE} {package['dependencies'][BACKSTAGE]}"}
    return [told.get(name, name) for name in commands]


if __name__ == "__main__":
    sys.exit(main())
