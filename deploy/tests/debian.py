"""Debian's packages that these tests need: installed by root where a program is missing."""

import os
import shutil
import subprocess
from collections.abc import Mapping


class MissingProgramsError(Exception):
    """Programs are missing and cannot be installed; the message names their packages."""


def install(packages: Mapping[str, str]) -> None:
    """Make sure that each program is there; the mapping names its package."""
    missing = sorted({name for program, name in packages.items() if shutil.which(program) is None})
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingProgramsError(f"Install these packages of Debian: {', '.join(missing)}")
    print("Installing", *missing, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        command = ["/usr/bin/apt-get", "-qq", *arguments]
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 -- Debian's own
