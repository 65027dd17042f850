"""Judges the documents at the paths of a command: alone, together, and by what has changed.

Imported by commands only when they run.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from catalog.history import Change, HistoryError, breaking_findings, changed_since
from catalog.loading import Document, DocumentError, load_document
from catalog.sources.files import TESTS_SUFFIX, documents, read_document, real
from catalog.validation import Finding, validate_files
from pao.app.cli.catalog_files import (
    STANDARD_INPUT,
    catalog_around,
    files_of,
    folder_of,
    link_findings,
    read_standard_input,
)
from pao.app.cli.documents import shown, types_for_rules
from pao.app.cli.exits import CliError, ExitCode

# What these rules miss may stand in a file that was not named: then the catalog around it counts.
ACROSS = frozenset(
    {"component-item", "replacement", "component-fields", "component-outputs", "options-list"}
)
_NAMED = "<stdin>"
_OF_ITS_PLACE = "file-name"


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found in how many files; ``texts`` returns what a finding points into."""

    files: int
    findings: list[Finding]
    content: Mapping[str, Path] = field(default_factory=dict)
    piped: bytes = b""

    def line(self, finding: Finding) -> str:
        """Return the line of the file that a finding is about, empty where it cannot be read."""
        try:
            path = self.content.get(finding.file)
            raw = read_document(path, finding.file) if path else self.piped
        except DocumentError:
            return ""
        lines = raw.decode("utf-8-sig", errors="replace").splitlines()
        return lines[finding.line - 1] if finding.line <= len(lines) else ""


def judge(paths: list[Path], revision: str | None) -> Judged:
    """Check files and folders, or what changed in them since a revision and what that breaks."""
    if [str(path) for path in paths] == [STANDARD_INPUT]:
        return _piped(read_standard_input())
    files = files_of(paths)
    if revision is not None:
        return _changed(paths, files, revision)
    if not files:
        raise CliError("There is no YAML file at these paths", exit_code=ExitCode.USAGE)
    findings = [*_judged(files, paths), *_links(paths)]
    return Judged(len(files), _in_order(findings), _by_name(files))


def _piped(content: bytes) -> Judged:
    found = validate_files([_NAMED], lambda _: content, types_for_rules())
    kept = [one for one in found if one.rule not in {*ACROSS, _OF_ITS_PLACE}]
    return Judged(1, kept, {}, content)


def _changed(paths: list[Path], files: list[Path], revision: str) -> Judged:
    changes, breaking = _changes(paths, revision)
    chosen = [file for file in files if real(file) in changes]
    affected = _affected(paths, changes)
    findings = list(breaking)
    if chosen or affected:
        mine = {shown(file) for file in chosen}
        findings += [
            one
            for one in _judged([*chosen, *affected], paths)
            if one.file in mine or one.rule in ACROSS
        ]
    return Judged(len(chosen), _in_order(findings), _by_name([*chosen, *affected]))


def _affected(paths: list[Path], changes: Mapping[Path, Change]) -> list[Path]:
    """Return the unchanged documents around that name the id of one that changed or is gone."""
    ids = {name for change in changes.values() for name in _ids(change)}
    found = []
    for file in _around(paths):
        if real(file) not in changes:
            try:
                content = read_document(file, shown(file))
            except DocumentError:
                continue
            if any(name in content for name in ids):
                found.append(file)
    return found


def _ids(change: Change) -> Iterator[bytes]:
    """Yield the ids of a document before and after."""
    for content in (change.before, change.after):
        document = _document(change.file, content)
        metadata = document.data.get("metadata") if document else None
        identifier = metadata.get("id") if isinstance(metadata, dict) else None
        if isinstance(identifier, str) and identifier:
            yield identifier.encode()


def _document(file: str, content: bytes | None) -> Document | None:
    try:
        return load_document(content, file=file) if content is not None else None
    except DocumentError:
        return None


def _judged(files: list[Path], paths: list[Path]) -> list[Finding]:
    findings = _judge(files)
    if not any(finding.rule in ACROSS for finding in findings):
        return findings
    around = _around(paths)
    if {real(file) for file in around} <= {real(file) for file in files}:
        return findings
    names = _by_name(files)
    whole = _by_name([*around, *files])
    return [one for one in _judge(sorted(whole.values())) if one.file in names]


def _judge(files: Iterable[Path]) -> list[Finding]:
    names = _by_name(files)
    return validate_files(names, lambda name: read_document(names[name], name), types_for_rules())


def _around(paths: list[Path]) -> list[Path]:
    roots = {catalog_around(path) for path in paths}
    return [file for root in sorted(roots) for file in documents(root)]


def _by_name(files: Iterable[Path]) -> dict[str, Path]:
    return {shown(file): file for file in files}


def _links(paths: list[Path]) -> list[Finding]:
    folders = [folder_of(path) for path in paths if path.is_dir()]
    return link_findings(paths, {folder: shown(folder) for folder in folders})


def _changes(paths: list[Path], revision: str) -> tuple[dict[Path, Change], list[Finding]]:
    changed: dict[Path, Change] = {}
    findings: list[Finding] = []
    for path in paths:
        folder = folder_of(path) if path.is_dir() else path.parent
        try:
            changes = [one for one in changed_since(folder, revision) if _counts(one.file)]
        except HistoryError as error:
            raise CliError(str(error), exit_code=ExitCode.USAGE) from error
        if not path.is_dir():
            changes = [one for one in changes if one.file == path.name]
        changed |= {real(folder / one.file): one for one in changes}
        findings += [
            replace(one, file=shown(folder / one.file)) for one in breaking_findings(changes)
        ]
    return changed, findings


def _counts(file: str) -> bool:
    parts = Path(file).parts
    return not any(part.startswith(".") or part.endswith(TESTS_SUFFIX) for part in parts)


def _in_order(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: (one.file, one.line, one.column))
