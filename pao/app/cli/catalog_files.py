"""Which documents a path on the command line means: a file, a folder, a repository, a pattern.

Imported by commands only when they run.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from catalog.loading import MAX_BYTES
from catalog.sources.files import (
    SUFFIXES,
    TESTS_SUFFIX,
    documents,
    holds_documents,
    is_inside,
    real,
)
from catalog.validation import Finding, Severity
from pao.app.cli.exits import CliError, ExitCode

STANDARD_INPUT = "-"


def files_of(paths: list[Path]) -> list[Path]:
    """Return the documents at these paths; raises ``CliError`` for a path that does not exist.

    A shell's pattern may match cases and other files, too; these are left out, and refused if they
    are the only path.
    """
    single = len(paths) == 1
    if not single and STANDARD_INPUT in map(str, paths):
        raise CliError(
            "- means standard input, and cannot be combined with other paths",
            exit_code=ExitCode.USAGE,
        )
    if single and any(one.name.endswith(TESTS_SUFFIX) for one in (paths[0], paths[0].parent)):
        raise CliError(
            f"{paths[0]} holds cases, not documents",
            exit_code=ExitCode.USAGE,
            hint=f"Run them: pao catalog test {paths[0]}",
        )
    return sorted({file for path in paths for file in _files(path, single=single)})


def folder_of(path: Path) -> Path:
    """Return the folder of documents in a folder: for a repository its ``catalog/``.

    A Python package of that name, as in PAO's own repository, does not count.
    """
    inner = path / "catalog"
    is_catalog = inner.is_dir() and not inner.is_symlink() and not (inner / "__init__.py").exists()
    return inner if is_catalog else path


def catalog_around(path: Path) -> Path:
    """Return the catalog that a file or folder is part of: ``<catalog>/<category>/<id>.yaml``."""
    known = os.environ.get("CATALOG_PATH")
    whole = real(folder_of(Path(known))) if known else None
    here = real(path)
    if whole and here.is_relative_to(whole):
        return whole
    if here.is_dir():
        return here.parent if _is_category(here) else folder_of(here)
    return here.parent.parent


def stamps(paths: list[Path]) -> dict[Path, tuple[int, int]]:
    """Return size and time of each document at these paths, to detect changes."""
    found: dict[Path, tuple[int, int]] = {}
    for file in files_of(paths):
        with contextlib.suppress(OSError):
            status = file.stat()
            found[file] = (status.st_size, status.st_mtime_ns)
    return found


def read_standard_input() -> bytes:
    """Return what is piped in, at most one byte more than a document may have."""
    if sys.stdin.isatty():
        raise CliError(
            "There is nothing on standard input",
            exit_code=ExitCode.USAGE,
            hint="Pipe a document into it: pao catalog validate - < item.yaml",
        )
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def link_findings(paths: list[Path], shown: dict[Path, str]) -> list[Finding]:
    """Return a finding for each link below these folders that is not followed.

    ``shown`` says how a folder's path is written.
    """
    found = []
    for folder in {folder_of(path) for path in paths if path.is_dir()}:
        for link, reason in _unread_links(real(folder)):
            name = f"{shown[folder]}/{link}".removeprefix("./") if folder in shown else link
            severity = Severity.ERROR if link.endswith(tuple(SUFFIXES)) else Severity.WARNING
            found.append(Finding(name, 1, 1, "$", "yaml", severity, reason))
    return found


def _files(path: Path, *, single: bool) -> Iterator[Path]:
    if path.is_file():
        if path.suffix in SUFFIXES and not path.parent.name.endswith(TESTS_SUFFIX):
            yield path
        elif single:
            raise CliError(f"{path} is not a YAML file", exit_code=ExitCode.USAGE)
    elif path.is_dir():
        # A shell's pattern may match the folders of cases beside the items, too.
        if single or not path.name.endswith(TESTS_SUFFIX):
            folder = folder_of(path)
            root = real(folder)
            yield from (folder / file.relative_to(root) for file in documents(root))
    elif path.is_symlink():
        raise CliError(f"{path} is a broken link", exit_code=ExitCode.USAGE)
    else:
        raise CliError(f"{path} does not exist", exit_code=ExitCode.USAGE)


def _is_category(folder: Path) -> bool:
    """Return whether a folder holds documents itself, and no folders with documents."""
    entries = list(folder.iterdir())
    below = [one for one in entries if one.is_dir() and holds_documents(one.name)]
    return not below and any(one.suffix in SUFFIXES for one in entries)


def _unread_links(root: Path) -> Iterator[tuple[str, str]]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if holds_documents(name))
        here = Path(folder)
        for name in sorted(folders):
            if (here / name).is_symlink():
                reason = "this link to a folder is not followed; put the documents here"
                yield (here / name).relative_to(root).as_posix(), reason
        for name in sorted(files):
            file = here / name
            if file.suffix in SUFFIXES and not name.startswith(".") and not is_inside(file, root):
                reason = "this link leads out of the catalog, so it is not read"
                yield file.relative_to(root).as_posix(), reason
