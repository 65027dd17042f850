"""Finds terraform or tofu, or builds tofu once: the variable, PATH, our cache, own build.

As a script (``python -m pao.app.local.terraform_binary``) it ensures that there is one, so that
`make test` shows that it waits for it. A deployed worker never builds: its operator installs one.
"""

import os
import shutil
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
)
from pao.app.local.processes import LocalError
from pao.app.local.progress import ProgressReporter

VERSION = "1.6.3"
"""Of OpenTofu. Later tags have replace directives, which ``go install`` refuses."""

PROGRAM = GoProgram(
    name="tofu",
    version=VERSION,
    module="github.com/opentofu/opentofu/cmd/tofu",
    title="OpenTofu",
    minutes="three",
)
ON_PATH = ("terraform", "tofu")


def find(environment: Mapping[str, str]) -> Path | None:
    """Return the program that this machine has already; None if it would have to be built."""
    if configured := environment.get("TERRAFORM_BINARY"):
        return Path(configured)
    for name in ON_PATH:
        if found := shutil.which(name, path=environment.get("PATH", "")):
            return Path(found)
    cached = PROGRAM.cached(environment)
    return cached if cached.exists() else None


def find_or_build(progress: ProgressReporter, environment: Mapping[str, str] | None = None) -> Path:
    """Return terraform or tofu, built once if necessary.

    Raises LocalError with every attempt's reason if all fail.
    """
    search = ProgramSearch(os.environ if environment is None else environment, progress)
    methods = (build_with_go_on_path(PROGRAM), build_with_go_of_wheel(PROGRAM))
    try:
        return find(search.environment) or cached_or_built(PROGRAM, methods, search)
    except LocalError as error:
        raise LocalError(
            f"Neither terraform nor tofu can be found or built here:\n  {error}\nInstall one of "
            "them, or name it in TERRAFORM_BINARY."
        ) from error


def main() -> int:
    """Ensure that there is a program, and report where."""
    progress = ProgressReporter()
    return report_location("Terraform", find_or_build, progress)


if __name__ == "__main__":
    sys.exit(main())
