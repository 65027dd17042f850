"""Finds terraform or tofu, or builds tofu once: the variable, PATH, our cache, own build.

As a script (``python -m pao.app.local.terraform_binary``) it makes sure that there is one, so that
`make test` waits for it in the open. A deployed worker never builds: its operator installs one.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from pao.app.local.go_programs import (
    GoProgram,
    Search,
    cached_or_made,
    tell_where,
    with_go_of_wheel,
    with_go_on_path,
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
    """Return the program that this machine has already; None where it would have to be built."""
    if named := environment.get("TERRAFORM_BINARY"):
        return Path(named)
    for name in ON_PATH:
        if found := shutil.which(name, path=environment.get("PATH", "")):
            return Path(found)
    kept = PROGRAM.cached(environment)
    return kept if kept.exists() else None


def find_or_build(narrator: ProgressReporter, environment: Mapping[str, str] | None = None) -> Path:
    """Return terraform or tofu, built once if it must be.

    Raises LocalError with every attempt's reason when there is no way.
    """
    search = Search(os.environ if environment is None else environment, narrator)
    ways = (with_go_on_path(PROGRAM), with_go_of_wheel(PROGRAM))
    try:
        return find(search.environment) or cached_or_made(PROGRAM, ways, search)
    except LocalError as error:
        raise LocalError(
            f"Neither terraform nor tofu can be found or built here:\n  {error}\nInstall one of "
            "them, or name it in TERRAFORM_BINARY."
        ) from error


def main() -> int:
    """Make sure that there is a program, and say where."""
    narrator = ProgressReporter()
    return tell_where("Terraform", find_or_build, narrator)


if __name__ == "__main__":
    sys.exit(main())
