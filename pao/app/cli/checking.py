"""Checks the documents at the paths of a command: alone, together, and what has changed.

Imported by commands only when they run.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from catalog.history import FileChange, HistoryError, breaking_findings, changed_since
from catalog.loading import DocumentError, YamlDocument, load_document
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
from pao.app.cli.documents import display_path, types_for_rules
from pao.app.cli.exits import CliError, ExitCode

# What these rules miss may be in a file that was not named: then the whole catalog is checked.
ACROSS = frozenset(
    {"component-item", "replacement", "component-fields", "component-outputs", "options-list"}
)
_NAMED = "<stdin>"
_FILE_NAME_RULE = "file-name"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The findings in so many files; ``content`` and ``piped`` hold the lines they point to."""

    files: int
    findings: list[Finding]
    content: Mapping[str, Path] = field(default_factory=dict)
    piped: bytes = b""

    def line(self, finding: Finding) -> str:
        """Return the line of the file that a finding is about; empty if it cannot be read."""
        try:
            path = self.content.get(finding.file)
            raw = read_document(path, finding.file) if path else self.piped
        except DocumentError:
            return ""
        lines = raw.decode("utf-8-sig", errors="replace").splitlines()
        return lines[finding.line - 1] if finding.line <= len(lines) else ""


def check_documents(paths: list[Path], revision: str | None) -> CheckResult:
    """Check files and folders, or what changed in them since a revision and what that breaks."""
    if [str(path) for path in paths] == [STANDARD_INPUT]:
        return _check_input(read_standard_input())
    files = files_of(paths)
    if revision is not None:
        return _check_changes(paths, files, revision)
    if not files:
        raise CliError("There is no YAML file at these paths", exit_code=ExitCode.USAGE)
    findings = [*_check(files, paths), *_links(paths)]
    return CheckResult(len(files), _in_order(findings), _by_name(files))


def _check_input(content: bytes) -> CheckResult:
    found = validate_files([_NAMED], lambda _: content, types_for_rules())
    kept = [one for one in found if one.rule not in {*ACROSS, _FILE_NAME_RULE}]
    return CheckResult(1, kept, {}, content)


def _check_changes(paths: list[Path], files: list[Path], revision: str) -> CheckResult:
    changes, breaking = _changes(paths, revision)
    chosen = [file for file in files if real(file) in changes]
    affected = _affected_paths(paths, changes)
    findings = list(breaking)
    if chosen or affected:
        chosen_names = {display_path(file) for file in chosen}
        findings += [
            one
            for one in _check([*chosen, *affected], paths)
            if one.file in chosen_names or one.rule in ACROSS
        ]
    return CheckResult(len(chosen), _in_order(findings), _by_name([*chosen, *affected]))


def _affected_paths(paths: list[Path], changes: Mapping[Path, FileChange]) -> list[Path]:
    """Return the unchanged documents that name the id of one that was changed or removed."""
    ids = {name for change in changes.values() for name in _ids(change)}
    found = []
    for file in _around(paths):
        if real(file) not in changes:
            try:
                content = read_document(file, display_path(file))
            except DocumentError:
                continue
            if any(name in content for name in ids):
                found.append(file)
    return found


def _ids(change: FileChange) -> Iterator[bytes]:
    """Yield the ids of a document before and after."""
    for content in (change.before, change.after):
        document = _document(change.file, content)
        metadata = document.data.get("metadata") if document else None
        identifier = metadata.get("id") if isinstance(metadata, dict) else None
        if isinstance(identifier, str) and identifier:
            yield identifier.encode()


def _document(file: str, content: bytes | None) -> YamlDocument | None:
    try:
        return load_document(content, file=file) if content is not None else None
    except DocumentError:
        return None


def _check(files: list[Path], paths: list[Path]) -> list[Finding]:
    findings = _validate(files)
    if not any(finding.rule in ACROSS for finding in findings):
        return findings
    around = _around(paths)
    if {real(file) for file in around} <= {real(file) for file in files}:
        return findings
    names = _by_name(files)
    surrounding = _by_name([*around, *files])
    return [one for one in _validate(sorted(surrounding.values())) if one.file in names]


def _validate(files: Iterable[Path]) -> list[Finding]:
    names = _by_name(files)
    return validate_files(names, lambda name: read_document(names[name], name), types_for_rules())


def _around(paths: list[Path]) -> list[Path]:
    roots = {catalog_around(path) for path in paths}
    return [file for root in sorted(roots) for file in documents(root)]


def _by_name(files: Iterable[Path]) -> dict[str, Path]:
    return {display_path(file): file for file in files}


def _links(paths: list[Path]) -> list[Finding]:
    folders = [folder_of(path) for path in paths if path.is_dir()]
    return link_findings(paths, {folder: display_path(folder) for folder in folders})


def _changes(paths: list[Path], revision: str) -> tuple[dict[Path, FileChange], list[Finding]]:
    changed: dict[Path, FileChange] = {}
    findings: list[Finding] = []
    for path in paths:
        folder = folder_of(path) if path.is_dir() else path.parent
        try:
            changes = [
                one for one in changed_since(folder, revision) if _is_document_path(one.file)
            ]
        except HistoryError as error:
            raise CliError(str(error), exit_code=ExitCode.USAGE) from error
        if not path.is_dir():
            changes = [one for one in changes if one.file == path.name]
        changed |= {real(folder / one.file): one for one in changes}
        findings += [
            replace(one, file=display_path(folder / one.file)) for one in breaking_findings(changes)
        ]
    return changed, findings


def _is_document_path(file: str) -> bool:
    parts = Path(file).parts
    return not any(part.startswith(".") or part.endswith(TESTS_SUFFIX) for part in parts)


def _in_order(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: (one.file, one.line, one.column))
