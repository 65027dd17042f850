"""Node from the path, else from a wheel, and npm packages as a folder's lock file says."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pao.app.local.npm import NODE_WHEEL, npm_in


@dataclass(frozen=True)
class NodePackages:
    """Node, and the folder where the packages are."""

    node: str
    modules: Path


def node_packages(folder: Path) -> NodePackages:
    """Return the packages of a folder, installing them as locked into the user's cache once."""
    node, npm = node_and_npm()
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    kept = cache_folder() / f"npm-{lock[:16]}"
    if not kept.is_dir():
        with filled_once(kept) as scratch:
            install(npm, folder, scratch)
    return NodePackages(node, kept / "node_modules")


def cache_folder() -> Path:
    """Return the folder of what tests have downloaded, below the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pao" / "tests"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def install(npm: list[str], package: Path, folder: Path) -> None:
    """Install into a folder what ``package`` has in its package-lock.json, running no scripts."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(package / name, folder)
    quiet = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--silent")
    _check([*npm, "ci", *quiet, "--prefix", str(folder)])


def node_and_npm() -> tuple[str, list[str]]:
    """Return the command of Node and that of npm."""
    kept = cache_folder() / NODE_WHEEL
    if not kept.is_dir():
        with filled_once(kept) as folder:
            npm_in(folder)
    return npm_in(kept)


@contextmanager
def filled_once(kept: Path) -> Iterator[Path]:
    """Return a folder to fill; it becomes ``kept`` on success, also with concurrent writers."""
    with tempfile.TemporaryDirectory(dir=kept.parent, ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "filled"
        folder.mkdir()
        yield folder
        try:
            folder.rename(kept)
        except OSError:
            # Another test process was faster; its folder has the same content.
            if not kept.is_dir():
                raise


def _check(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=110)  # noqa: S603 -- constants and our own paths
