"""Versions of PAO in environments of their own, which differ in their workflows."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import workflows

SOURCE = Path(workflows.__file__).parents[1]
START = "        return await self._lifecycle.run(self._carry_out)\n"
AWAITED = "        await workflow.sleep(0.01)\n"
PATCHED = f"        if workflow.patched('machine'):\n    {AWAITED}"


@dataclass(frozen=True)
class InstalledVersion:
    """One environment, and what its commands are given."""

    folder: Path
    environ: Mapping[str, str]

    @property
    def command(self) -> tuple[str, ...]:
        """How its commands are run."""
        return (str(self.folder / "bin/python"), "-P", "-m", "pao")

    def pao(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of this version."""
        return subprocess.run(  # noqa: S603 -- our own command
            [*self.command, *arguments],
            env={**os.environ, **self.environ, **environ},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )


def make_version(folder: Path, environ: Mapping[str, str], change: str = "") -> InstalledVersion:
    """Make an environment in which every request does what ``change`` says first."""
    venv.create(folder, with_pip=False, symlinks=True)
    code = folder / "code"
    shutil.copytree(
        SOURCE / "workflows", code / "workflows", ignore=shutil.ignore_patterns("__pycache__")
    )
    file = code / "workflows/request.py"
    before = file.read_text("utf-8")
    assert START in before
    file.write_text(before.replace(START, change + START), "utf-8")
    lib = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    paths = [str(code), str(SOURCE), sysconfig.get_path("purelib")]
    (folder / lib / "pao.pth").write_text("\n".join(paths) + "\n")
    return InstalledVersion(folder, environ)
