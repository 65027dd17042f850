"""Finds the Temporal program, or downloads or builds it once: PATH, cache, download, build.

How the server is run does not belong here. As a script
(``python -m pao.app.local.temporal_binary``) it ensures that there is one, so that `make test`
shows that it waits for it.
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
    ProgramSearch,
    build_with_go_of_wheel,
    build_with_go_on_path,
    cached_or_built,
    report_location,
    run_output,
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
"""The series that PAO is tested with; an older server is not used."""

DOWNLOAD_SECONDS = 60.0

DOWNLOADER = Path(__file__).with_name("temporal_download.py")


def find_or_build(progress: ProgressReporter, environment: Mapping[str, str] | None = None) -> Path:
    """Return a Temporal program with a server of the tested series, built once if necessary.

    Several processes may call it at the same time: one builds, the others wait. Raises
    LocalError with every attempt's reason if all fail.
    """
    search = ProgramSearch(os.environ if environment is None else environment, progress)
    methods = (_download, build_with_go_on_path(PROGRAM), build_with_go_of_wheel(PROGRAM))
    try:
        return _on_path(search) or cached_or_built(PROGRAM, methods, search)
    except LocalError as error:
        raise LocalError(
            f"No Temporal server can be found or built here:\n  {error}\nInstall the Temporal CLI "
            "(https://docs.temporal.io/cli), or name a running server in TEMPORAL_ADDRESS."
        ) from error


def cached_program(environment: Mapping[str, str]) -> Path:
    """Return the path in the cache."""
    return PROGRAM.cached(environment)


def server_version(program: Path) -> tuple[int, int] | None:
    """Return which server ``program`` contains, as (1, 29); None if it does not say."""
    output = run_output(program, "--version") or ""
    found = re.search(r"server (\d+)\.(\d+)", output, re.IGNORECASE)
    return None if found is None else (int(found[1]), int(found[2]))


def _on_path(search: ProgramSearch) -> Path | None:
    found = shutil.which("temporal", path=search.environment.get("PATH", ""))
    if found is None:
        return None
    version = server_version(Path(found))
    if version is not None and version >= OLDEST_SERVER:
        return Path(found)
    oldest = ".".join(str(part) for part in OLDEST_SERVER)
    search.progress.report(f"{found} is not used: its server is older than {oldest}.")
    return None


def _download(folder: Path, search: ProgramSearch) -> Path:
    search.progress.report("Downloading the Temporal server from its official address.")
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
        output = done.stderr.strip().splitlines() or ["it contained no program"]
        raise LocalError(f"Download: {output[-1]}")
    return programs[0]


def main() -> int:
    """Ensure that there is a Temporal program, and report where."""
    progress = ProgressReporter()
    if os.environ.get("TEMPORAL_ADDRESS"):
        progress.report(f"Temporal: the server at {os.environ['TEMPORAL_ADDRESS']} is used.")
        return 0
    return report_location("Temporal", find_or_build, progress)


if __name__ == "__main__":
    sys.exit(main())
