"""What changed in a catalog since a Git revision, and whether versions announce what it breaks."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from catalog.loading import DocumentError, YamlDocument, load_document
from catalog.model import CatalogDocument
from catalog.sources.files import SUFFIXES, read_document
from catalog.validation.changes import BREAKING, UNCHANGED, breaking_changes, is_major
from catalog.validation.findings import Finding, Severity
from catalog.validation.folder import findings_at
from catalog.validation.structure import read_structure
from catalog.validation.subject import Problem

_SECONDS = 60


class HistoryError(Exception):
    """Git cannot be asked; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A YAML file that differs from a revision; a side is None where the file is not there.

    ``file`` is relative to the folder that was asked about.
    """

    file: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class _Version:
    """A file on one side, parsed."""

    document: YamlDocument
    item: CatalogDocument


def changed_since(folder: Path, revision: str) -> list[FileChange]:
    """Return the YAML files below a folder that differ from a revision, untracked ones included.

    Before the first commit everything differs from HEAD. Raises ``HistoryError`` where the folder
    is in no repository or the revision is unknown.
    """
    _git(folder, "rev-parse", "--show-toplevel")
    base = _base(folder, revision)
    changed = _names(_git(folder, "diff", "--name-only", "-z", "--no-renames", "--relative", base))
    new = _names(_git(folder, "ls-files", "--others", "--exclude-standard", "-z"))
    files = sorted({*changed, *new})
    return [_change(folder, base, file) for file in files if PurePosixPath(file).suffix in SUFFIXES]


def breaking_findings(
    changes: Iterable[FileChange],
    *,
    ids: Iterable[str] = (),
) -> list[Finding]:
    """Check changes: breaking ones need a new major version, and removed items a deprecation.

    ``ids`` are those of the whole catalog as it is now, where they are known: an item that was
    moved to another file is not removed.
    """
    pairs = [(one, _parse(one.file, one.before)) for one in changes]
    now = {one.file: _parse(one.file, one.after) for one, _ in pairs}
    after = {version.item.id: file for file, version in now.items() if version}
    findings: list[Finding] = []
    for change, version in pairs:
        if version is None:
            continue
        before = version.item
        file = change.file if now[change.file] else after.get(before.id, change.file)
        new = now.get(file)
        if new is not None and new.item.id == before.id:
            findings += _comparison(before, new)
        elif before.id not in {*after, *ids} and (change.after is None or new):
            findings += _removal(change.file, before)
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.column))


def _comparison(before: CatalogDocument, new: _Version) -> Iterator[Finding]:
    after = new.item
    problems = list(breaking_changes(before, after))
    severity, rule = Severity.ERROR, BREAKING
    if problems and is_major(before.version, after.version):
        return
    if problems:
        hint = f"give it a new major version ({before.version} was the last), or revert the change"
        problems = [Problem(one.path, one.message, hint) for one in problems]
    elif before.version == after.version and before != after:
        severity, rule = Severity.WARNING, UNCHANGED
        message = f"the document changed, and its version is still {after.version}"
        problems = [Problem(("metadata", "version"), message, "give it a new version")]
    yield from findings_at(
        ((new.document.file, one) for one in problems),
        rule,
        severity,
        lambda _: new.document,
    )


def _removal(file: str, before: CatalogDocument) -> Iterator[Finding]:
    if before.deprecation.deprecated:
        return
    kind = before.kind.removeprefix("Catalog").lower()
    message = f"the {kind} {before.id!r} was removed without having been deprecated"
    hint = "deprecate it with a sunsetDate first, so that people can migrate"
    yield from findings_at(
        [(file, Problem(("metadata", "id"), message, hint))], BREAKING, Severity.ERROR, None
    )


def _parse(file: str, content: bytes | None) -> _Version | None:
    try:
        document = load_document(content, file=file) if content is not None else None
    except DocumentError:
        return None
    item = read_structure(document).item if document else None
    return _Version(document, item) if document and item else None


def _change(folder: Path, base: str, file: str) -> FileChange:
    before = _git(folder, "show", f"{base}:./{file}", missing_is_empty=True)
    here = folder / file
    after = _content(here) if here.is_file() and not here.is_symlink() else None
    return FileChange(file, before or None, after)


def _content(file: Path) -> bytes:
    """Return what is there, nothing of a file that cannot be read: it is not removed for that."""
    try:
        return read_document(file, file.name)
    except DocumentError:
        return b""


def _base(folder: Path, revision: str) -> str:
    """Return the id of a revision's commit, or of the empty tree where nothing is committed yet."""
    if revision == "HEAD" and not _git(
        folder, "rev-parse", "--verify", "--quiet", revision, missing_is_empty=True
    ):
        return _git(folder, "hash-object", "-t", "tree", os.devnull).decode().strip()
    commit = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    return commit.decode().strip()


def _names(output: bytes) -> list[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _git(folder: Path, *arguments: str, missing_is_empty: bool = False) -> bytes:
    program = shutil.which("git")
    if program is None:
        raise HistoryError("git is not installed here; without it nothing can be compared")
    # The caller's GIT_DIR and its kin would name another repository than the folder's.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 -- no shell, the revision cannot become an option
            [program, "-C", str(folder), "-c", "core.quotePath=false", *arguments],
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise HistoryError(f"git did not answer within {_SECONDS} s") from None
    if done.returncode == 0:
        return done.stdout
    if missing_is_empty:
        return b""
    if arguments[:2] == ("rev-parse", "--verify"):
        raise HistoryError(
            f"{arguments[-1].removesuffix('^{commit}')!r} is not a revision of this repository"
        )
    raise HistoryError(f"{folder} is not in a Git repository, or git cannot read it")
