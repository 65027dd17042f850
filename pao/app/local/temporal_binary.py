"""Finds the Temporal program, or gets it once: PATH, our cache, official download, own build.

How the server is run does not belong here. As a script
(``python -m pao.app.local.temporal_binary``) it makes sure that there is one, so that `make test`
waits for it in the open.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pao.app.local.go_programs import (
    GoProgram,
    Search,
    cached_or_made,
    runs,
    tell_where,
    with_go_of_wheel,
    with_go_on_path,
)
from pao.app.local.processes import LocalError
from pao.app.local.progress import ProgressReporter

VERSION = "1.5.1"
"""Of the Temporal CLI. Later tags have a replace directive, which ``go install`` refuses."""

PROGRAM = GoProgram(
    name="temporal",
    version=VERSION,
    module="github.com/temporalio/cli/cmd/temporal",
    title="the Temporal server",
    minutes="four",
    ldflags=f"-X github.com/temporalio/cli/temporalcli.Version={VERSION}",
)
OLDEST_SERVER = (1, 29)
"""The series that PAO is tested with; what is older is left alone and another one is found."""

DOWNLOAD_SECONDS = 60.0

DOWNLOADER = Path(__file__).with_name("temporal_download.py")


def find_or_build(narrator: ProgressReporter, environment: Mapping[str, str] | None = None) -> Path:
    """Return a Temporal program that runs a server of the tested series, made once if it must be.

    Several processes may call it at the same time: one makes it, the others wait. Raises
    LocalError with every attempt's reason when there is no way.
    """
    search = Search(os.environ if environment is None else environment, narrator)
    ways = (_download, with_go_on_path(PROGRAM), with_go_of_wheel(PROGRAM))
    try:
        return _on_path(search) or cached_or_made(PROGRAM, ways, search)
    except LocalError as error:
        raise LocalError(
            f"No Temporal server can be found or built here:\n  {error}\nInstall the Temporal CLI "
            "(https://docs.temporal.io/cli), or name a running server in TEMPORAL_ADDRESS."
        ) from error


def cached_program(environment: Mapping[str, str]) -> Path:
    """Return the path in the cache."""
    return PROGRAM.cached(environment)


def server_version(program: Path) -> tuple[int, int] | None:
    """Ask ``program`` which server it contains, as (1, 29); None when it does not say."""
    said = runs(program, "--version") or ""
    found = re.search(r"server (\d+)\.(\d+)", said, re.IGNORECASE)
    return None if found is None else (int(found[1]), int(found[2]))


def _on_path(search: Search) -> Path | None:
    found = shutil.which("temporal", path=search.environment.get("PATH", ""))
    if found is None:
        return None
    version = server_version(Path(found))
    if version is not None and version >= OLDEST_SERVER:
        return Path(found)
    oldest = ".".join(str(part) for part in OLDEST_SERVER)
    search.narrator.tell(f"{found} is not used: its server is older than {oldest}.")
    return None


def _download(folder: Path, search: Search) -> Path:
    search.narrator.tell("Downloading the Temporal server from its official address.")
    try:
        done = subprocess.run(  # noqa: S603 -- our own script
            [sys.executable, str(DOWNLOADER), f"v{VERSION}", str(folder)],
            env=dict(search.environment),
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LocalError(f"Download: not done after {DOWNLOAD_SECONDS:.0f} s.") from error
    programs = [path for path in folder.rglob("*") if path.is_file() and os.access(path, os.X_OK)]
    if done.returncode != 0 or not programs:
        said = done.stderr.strip().splitlines() or ["it contained no program"]
        raise LocalError(f"Download: {said[-1]}")
    return programs[0]


def main() -> int:
    """Make sure that there is a Temporal program, and say where."""
    narrator = ProgressReporter()
    if os.environ.get("TEMPORAL_ADDRESS"):
        narrator.tell(f"Temporal: the server at {os.environ['TEMPORAL_ADDRESS']} is used.")
        return 0
    return tell_where("Temporal", find_or_build, narrator)


if __name__ == "__main__":
    sys.exit(main())
