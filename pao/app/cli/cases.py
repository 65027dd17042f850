"""Finds, runs and updates the cases beside documents. Imported by its command when it runs."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from catalog.forms.options import ListOptions
from catalog.lists import CatalogList
from catalog.loading import DocumentError
from catalog.model import CatalogDocument
from catalog.sources.files import SUFFIXES, TESTS_SUFFIX, documents, read_document, real
from catalog.testing.cases import CaseError, CaseResult, check_case, read_case, with_expectation
from catalog.testing.dry_run import dry_run
from catalog.validation import ValidationResult
from pao.app.cli.documents import display_path, known_actions, read
from pao.app.cli.exits import CliError, ExitCode


def run_cases(paths: list[Path]) -> Iterator[tuple[Path, CaseResult]]:
    """Run every case that belongs to these paths, one document after the other."""
    for document, cases in _cases_by_document(paths).items():
        result = read(document)
        for case in cases:
            yield case, _run(document, result, case)


def update_case(file: Path, outcome: CaseResult, *, with_errors: bool) -> bool:
    """Write the result into a case; False if it could not be run, or is an error."""
    if not outcome.expect or (outcome.errors and not with_errors):
        return False
    file.write_text(with_expectation(file.read_text("utf-8"), outcome.expect), "utf-8")
    return True


def _run(document: Path, result: ValidationResult, file: Path) -> CaseResult:
    if result.item is None:
        findings = "\n".join(str(finding) for finding in result.errors)
        return CaseResult(f"{display_path(document)} has errors:\n{findings}")
    try:
        case = read_case(read_document(file, display_path(file)), file=display_path(file))
    except (CaseError, DocumentError) as error:
        return CaseResult(str(error))
    sample = replace(case.sample, lists=lists_of(document, result.item))
    run = dry_run(result.item, result.definition, sample, known_actions=known_actions())
    return check_case(case, run)


def lists_of(document: Path, item: CatalogDocument) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the lists that a document's fields name, from its catalog."""
    found: dict[str, list[dict[str, Any]]] = {}
    for field in (one for outer in item.fields for one in (outer, *outer.fields)):
        if isinstance(field.options, ListOptions):
            file = document.parent.parent / "lists" / f"{field.options.list}.yaml"
            rows = read(file).item if file.is_file() else None
            if isinstance(rows, CatalogList):
                found[rows.id] = rows.choices
    return found


def _cases_by_document(paths: list[Path]) -> dict[Path, list[Path]]:
    """Return the cases of each document, both in the order of their names."""
    found: dict[Path, set[Path]] = {}
    for path in paths:
        for document, case in _cases(path):
            found.setdefault(document, set()).add(case)
    return {document: sorted(found[document]) for document in sorted(found)}


def _cases(path: Path) -> Iterator[tuple[Path, Path]]:
    if path.is_file() and path.parent.name.endswith(TESTS_SUFFIX):
        yield _document_of(path.parent), path
    elif path.is_file():
        yield from ((path, case) for case in _cases_of(path))
    elif path.name.endswith(TESTS_SUFFIX) and path.is_dir():
        document = _document_of(path)
        yield from ((document, case) for case in _cases_of(document))
    elif path.is_dir():
        root = real(path)
        for file in documents(root):
            document = path / file.relative_to(root)
            yield from ((document, case) for case in _cases_of(document))
    else:
        raise CliError(f"{path} does not exist", exit_code=ExitCode.USAGE)


def _cases_of(document: Path) -> Iterator[Path]:
    folder = document.with_name(document.stem + TESTS_SUFFIX)
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        yield from (file for file in folder.iterdir() if file.suffix in SUFFIXES)


def _document_of(folder: Path) -> Path:
    stem = folder.name.removesuffix(TESTS_SUFFIX)
    for suffix in sorted(SUFFIXES):
        document = folder.with_name(stem + suffix)
        if document.is_file():
            return document
    raise CliError(
        f"{folder} holds cases, but there is no {stem}.yaml beside it",
        exit_code=ExitCode.USAGE,
    )
