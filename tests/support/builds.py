"""Builds of the worker that differ: each runs as processes, with its own copy of `workflows`."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import workflows

_SOURCE = Path(workflows.__file__).parent
_START = "        return await self._lifecycle.run(self._carry_out)\n"
_AWAITED = "        await workflow.sleep(0.01)\n"
# A change that requests under way survive; without the question they do not.
_PATCHED = "        if workflow.patched('{name}'):\n    " + _AWAITED


@dataclass(frozen=True, slots=True)
class Build:
    """One build: its id, and the folder in which its processes run."""

    id: str
    folder: Path
    environ: Mapping[str, str]

    async def pao(self, *arguments: str, **environ: str) -> tuple[int, str]:
        """Run a command of this build; return its exit code and all that it printed."""
        process = await self._start(*arguments, **environ)
        printed, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, printed.decode()

    @asynccontextmanager
    async def worker(self, **environ: str) -> AsyncIterator[list[str]]:
        """Run a worker of this build; in the end the list holds what it printed."""
        said: list[str] = []
        process = await self._start("worker", **environ)
        try:
            yield said
        finally:
            if process.returncode is None:
                process.terminate()
            printed, _ = await process.communicate()
            said.append(printed.decode())

    async def _start(self, *arguments: str, **environ: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pao",
            *arguments,
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONDONTWRITEBYTECODE": "1",
                **self.environ,
                "PAO_BUILD_ID": self.id,
                **environ,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )


def make_build(
    folder: Path,
    name: str,
    environ: Mapping[str, str],
    *,
    patches: Sequence[str] = (),
    replays: bool = True,
) -> Build:
    """Make a build whose requests do more than those of others: for each of its patches.

    One that does not replay does so without asking whether a request began before.
    """
    place = folder / name
    shutil.copytree(_SOURCE, place / "workflows", ignore=shutil.ignore_patterns("__pycache__"))
    file = place / "workflows" / "request.py"
    before = file.read_text("utf-8")
    assert _START in before
    change = "".join(_PATCHED.format(name=one) for one in patches)
    change += "" if replays else _AWAITED
    file.write_text(before.replace(_START, change + _START), "utf-8")
    return Build(name, place, environ)
