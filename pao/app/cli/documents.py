"""Catalog documents on this machine, for the commands that need no server: found, read, judged.

This module is imported by commands only when they run: the rules take half a second to load.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from activities.registry import action_schemas
from catalog.history import HistoryError, breaking_findings, changed_since
from catalog.loading import DocumentError
from catalog.model import CatalogDocument
from catalog.sources.files import SUFFIXES, TESTS_SUFFIX, catalog_root, documents, read_document
from catalog.suggestions import did_you_mean
from catalog.validation import ActionSchema, Finding, ValidationResult, validate_files
from catalog.validation import validate as validate_content
from pao.app.cli.exits import CliError, ExitCode

# What these rules miss may stand in a file that was not named: then the catalog around it counts.
ACROSS = frozenset({"component-item", "replacement", "component-fields"})


@cache
def known_actions() -> Mapping[str, ActionSchema]:
    """Return the action types of this installation."""
    return action_schemas()


@dataclass(frozen=True, slots=True)
class Named:
    """The document that a command was asked about."""

    path: Path
    result: ValidationResult

    @property
    def item(self) -> CatalogDocument:
        """The item; ends the command where the document has errors."""
        if self.result.item is None:
            raise CliError(
                f"{self.path} has errors; fix them first",
                exit_code=ExitCode.FAILED,
                details=tuple(str(finding) for finding in self.result.errors),
            )
        return self.result.item


def find(name: str, catalog: Path | None) -> Named:
    """Return the document of a file's path, or of an item's id in the catalog folder."""
    path = Path(name)
    if not path.is_file():
        if path.suffix in SUFFIXES or path.is_dir():
            raise CliError(f"{name} is not a file", exit_code=ExitCode.NOT_FOUND)
        path = _by_id(name, catalog_folder(catalog))
    return Named(path, read(path))


def read(path: Path) -> ValidationResult:
    """Read and judge a file."""
    try:
        content = read_document(path, shown(path))
    except DocumentError as error:
        raise CliError(f"{error.file}: {error.message}", exit_code=ExitCode.USAGE) from error
    return validate_content(content, file=shown(path), known_actions=known_actions())


def catalog_folder(folder: Path | None) -> Path:
    """Return the folder of documents: the one named, CATALOG_PATH, ``catalog/``, or this one."""
    named = folder or Path(os.environ.get("CATALOG_PATH") or ".")
    try:
        catalog_root(named)
    except FileNotFoundError as error:
        raise CliError(str(error), exit_code=ExitCode.USAGE) from error
    inner = named / "catalog"
    return inner if inner.is_dir() and not (inner / "__init__.py").exists() else named


def validate(paths: Iterable[Path], revision: str | None) -> tuple[list[Path], list[Finding]]:
    """Check files and folders, or what changed in them since a revision; return files, findings."""
    given = list(paths)
    files = sorted({file for path in given for file in _files(path)})
    if revision is None:
        if not files:
            raise CliError("There is no YAML file at these paths", exit_code=ExitCode.USAGE)
        return files, _judged(files, given)
    changed, breaking = _changes(given, revision)
    chosen = [file for file in files if file.resolve() in changed]
    return chosen, sorted(
        [*(_judged(chosen, given) if chosen else ()), *breaking],
        key=lambda one: (one.file, one.line, one.column),
    )


def shown(path: Path) -> str:
    """Return a path as findings show it: from here where it is below, with slashes."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def _judged(files: list[Path], paths: list[Path]) -> list[Finding]:
    findings = _judge(files)
    if not any(finding.rule in ACROSS for finding in findings):
        return findings
    around = {file for path in paths for file in _files(_around(path))}
    if around <= set(files):
        return findings
    names = {shown(file) for file in files}
    return [one for one in _judge(sorted({*files, *around})) if one.file in names]


def _judge(files: list[Path]) -> list[Finding]:
    by_name = {shown(file): file for file in files}
    return validate_files(by_name, lambda name: read_document(by_name[name], name), known_actions())


def _around(path: Path) -> Path:
    """Return the catalog that a file is in: documents are in ``<catalog>/<category>/``."""
    return path if path.is_dir() else path.resolve().parent.parent


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        # A shell's pattern names the cases beside an item as well.
        yield from () if path.parent.name.endswith(TESTS_SUFFIX) else (path,)
    elif path.is_dir():
        root = path.resolve()
        for file in documents(root):
            yield path / file.relative_to(root)
    else:
        raise CliError(f"{path} does not exist", exit_code=ExitCode.USAGE)


def _changes(paths: list[Path], revision: str) -> tuple[set[Path], list[Finding]]:
    changed: set[Path] = set()
    findings: list[Finding] = []
    for path in paths:
        folder = path if path.is_dir() else path.parent
        try:
            changes = [one for one in changed_since(folder, revision) if _counts(one.file)]
        except HistoryError as error:
            raise CliError(str(error), exit_code=ExitCode.USAGE) from error
        if not path.is_dir():
            changes = [one for one in changes if one.file == path.name]
        changed |= {(folder / one.file).resolve() for one in changes}
        findings += [_from(folder, finding) for finding in breaking_findings(changes)]
    return changed, findings


def _counts(file: str) -> bool:
    parts = Path(file).parts
    return not any(part.startswith(".") or part.endswith(TESTS_SUFFIX) for part in parts)


def _from(folder: Path, finding: Finding) -> Finding:
    return replace(finding, file=shown(folder / finding.file))


def _by_id(name: str, folder: Path) -> Path:
    found = {file.stem: file for file in _files(folder)}
    if name in found:
        return found[name]
    hint = did_you_mean(name, found).removeprefix("; ")
    raise CliError(
        f"There is no item {name!r} in {folder}",
        exit_code=ExitCode.NOT_FOUND,
        hint=f"{hint.capitalize()} " * bool(hint)
        + "Pass a file's path, or the catalog folder with --catalog.",
    )
