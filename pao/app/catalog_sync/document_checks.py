"""Checks documents alone and together; all that a verdict depends on is part of its identity."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from catalog.document_kinds import parse_definition
from catalog.loading import DocumentError, YamlDocument, load_document
from catalog.model import CatalogDocument
from catalog.sources.companion_checks import CompanionCheck
from catalog.sources.source import SourceEntry
from catalog.validation import ActionSchema, Finding, check_across_files, unreadable, validate
from catalog.validation.result import ValidationResult
from pao.app.catalog_sync.contents import FileContents
from pao.app.catalog_sync.reading import CatalogReading
from pao.app.catalog_sync.source_tree import problem_in, problem_of


class DocumentChecker:
    """Checks the documents of one revision; its methods run in a thread."""

    def __init__(
        self,
        known_actions: Mapping[str, ActionSchema],
        contents: FileContents,
        *,
        check: CompanionCheck | None,
        beside: Mapping[str, bytes],
    ) -> None:
        self._known_actions = known_actions
        self._contents = contents
        self._check = check
        self._beside = beside

    def check(
        self, entries: Iterable[SourceEntry], contents: Mapping[str, bytes], reading: CatalogReading
    ) -> None:
        """Check each document alone."""
        for entry in entries:
            reading.add(self._check_document(entry, contents), entry)

    def check_together(
        self,
        reading: CatalogReading,
        wanted: Iterable[str],
        definitions: Mapping[str, Any],
    ) -> list[Finding]:
        """Check documents that name each other together; some are given as stored."""
        documents: dict[str, CatalogDocument] = {}
        for path in wanted:
            document = _parse_stored(definitions.get(path)) or reading.document(path)
            if document is None:
                document = self.load(path, reading)
            if document is not None:
                documents[path] = document
        found = check_across_files(
            documents,
            lambda path: self._document(path, reading),
            known_actions=self._known_actions,
        )
        own = self._check.own_findings(self._beside) if self._check else ()
        return [*found, *own]

    def load(self, path: str, reading: CatalogReading) -> CatalogDocument | None:
        """Check one document again, because its parsed form is needed."""
        self.check([reading.entries[path]], {}, reading)
        return reading.document(path)

    def _check_document(
        self, entry: SourceEntry, contents: Mapping[str, bytes]
    ) -> ValidationResult:
        problem = problem_of(entry)
        content = b""
        if not problem:
            content = contents.get(entry.blob) or self._contents.read_one(entry.blob)
            problem = problem_in(content)
        if problem:
            return unreadable(DocumentError(entry.path, 1, 1, problem))
        result = validate(content, file=entry.path, known_actions=self._known_actions)
        if self._check is None or result.parsed is None:
            return result
        more = self._check.findings(entry.path, result.parsed, self._beside)
        placed = tuple(_with_position(finding, content) for finding in more)
        return replace(result, findings=(*result.findings, *placed))

    def _document(self, path: str, reading: CatalogReading) -> YamlDocument:
        return load_document(self._contents.read_one(reading.entries[path].blob), file=path)


async def rules_identity(
    rules: str, check: CompanionCheck | None, beside: Mapping[str, bytes]
) -> str:
    """Return what a verdict depends on: the rules, and the files beside the documents."""
    if check is None:
        return rules
    # Reading a file of several megabytes takes a while, and would block the process.
    found = await asyncio.to_thread(check.identity, beside)
    return f"{rules}+{hashlib.sha256(found.encode()).hexdigest()[:16]}"


def _with_position(finding: Finding, content: bytes) -> Finding:
    """Return a finding at the line of its path, which a check of a parsed document cannot know."""
    steps = tuple(finding.path.removeprefix("$").strip(".").split("."))
    at = load_document(content, file=finding.file).position(steps)
    return replace(finding, line=at.line, column=at.column)


def _parse_stored(definition: Mapping[str, Any] | None) -> CatalogDocument | None:
    """Return a stored document; None if an earlier version stored what this one refuses."""
    try:
        return parse_definition(definition) if definition is not None else None
    except ValidationError:
        return None
