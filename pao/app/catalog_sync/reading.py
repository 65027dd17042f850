"""The result of reading a catalog's source once, before it is stored. No I/O here."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from catalog.model import CatalogDocument
from catalog.sources.selection import CatalogChanges, DocumentSummary, FileState, select
from catalog.sources.source import SourceEntry
from catalog.validation import Finding, Severity, ValidationResult
from db.repositories.catalog import ServedFile, StoredItem
from db.repositories.catalog_files import StoredFile
from pao.app.catalog_sync.source_tree import StoredCatalog, problem_of


class CatalogReading:
    """The result of one reading of the source; grows while it is read."""

    def __init__(self, rules: str, entries: Iterable[SourceEntry]) -> None:
        self._rules = rules
        self.entries = {entry.path: entry for entry in entries}
        self.seen: dict[str, FileState] = {}
        self.judged: dict[str, StoredFile] = {}
        self.selection: CatalogChanges
        self._loaded: dict[str, ValidationResult] = {}

    def adopt(self, unfinished: "CatalogReading") -> None:
        """Take over the results of a reading that did not finish."""
        # It may still be running, in a thread that nobody waits for any more.
        for path, file in dict(unfinished.judged).items():
            entry, result = self.entries.get(path), unfinished.result(path)
            if entry is not None and result is not None and self._is_same(file, entry):
                self.add(result, entry)

    def reuse(self, files: Mapping[str, StoredFile]) -> list[SourceEntry]:
        """Take over the earlier results of unchanged files; return the files to check."""
        unchecked = []
        for entry in self.entries.values():
            if entry.path in self.seen:
                continue
            file = files.get(entry.path)
            if file is None or not self._is_same(file, entry):
                unchecked.append(entry)
                continue
            findings = tuple(finding_of(found) for found in file.findings)
            self.seen[file.path] = FileState(
                file.sha, _facts(file) if file.facts else None, findings
            )
        return unchecked

    def mark_unreadable(self, blobs: Collection[str], why: str) -> None:
        """Mark files as unreadable, which only fetching them has shown."""
        for path, entry in self.entries.items():
            if entry.blob in blobs:
                self.entries[path] = replace(entry, problem=why)

    def add(self, result: ValidationResult, entry: SourceEntry) -> None:
        """Add the result of a file that was checked now."""
        path = result.file
        facts = DocumentSummary.of(result.item, path=path) if result.item else None
        self.seen[path] = FileState(entry.blob, facts, result.findings)
        self._loaded[path] = result
        self.judged[path] = StoredFile(
            path=path,
            sha=entry.blob,
            judged_by=self._rules,
            facts=_without_path(facts) if facts else None,
            findings=[asdict(finding) for finding in result.findings],
            mode=entry.mode,
            problem=problem_of(entry),
        )

    def is_unchanged(self, known: StoredCatalog) -> bool:
        """Return whether nothing has changed since the last reading."""
        return not self.judged and self.seen.keys() == known.files.keys()

    def linked(self) -> dict[str, DocumentSummary]:
        """Return the valid files that refer to others, and those they refer to, by path."""
        good = [seen.facts for seen in self.seen.values() if seen.facts]
        named = {identifier for facts in good for identifier in facts.refers}
        return {facts.path: facts for facts in good if facts.refers or facts.id in named}

    def invalidated_references(self, served: Mapping[str, ServedFile]) -> dict[str, str]:
        """Return the referenced items whose file became invalid, by path: they stay served."""
        facts = [seen.facts for seen in self.seen.values() if seen.facts]
        named = {identifier for one in facts for identifier in one.refers}
        named -= {one.id for one in facts}
        return {
            served[key].path: key for key in named & served.keys() if served[key].path in self.seen
        }

    def result(self, path: str) -> ValidationResult | None:
        """Return the result of a file that was checked now."""
        return self._loaded.get(path)

    def document(self, path: str) -> CatalogDocument | None:
        """Return a document that was read now."""
        result = self.result(path)
        return result.item if result else None

    def select(self, served: Mapping[str, ServedFile], across: Iterable[Finding]) -> None:
        """Decide what is served, given the files and the findings across files."""
        self.selection = select(self.seen, served, across)

    def missing(self) -> list[str]:
        """Return the files whose document is to be stored and has not been read yet."""
        return [path for path in self.selection.written.values() if path not in self._loaded]

    def findings(self, across: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return all findings, errors and warnings, by file and position."""
        own = (finding for seen in self.seen.values() for finding in seen.findings)
        found = dict.fromkeys((*own, *across, *self.selection.refused))
        return tuple(sorted(found, key=lambda one: (one.file, one.line, one.column)))

    def _is_same(self, file: StoredFile, entry: SourceEntry) -> bool:
        now = (entry.blob, entry.mode, problem_of(entry), self._rules)
        return (file.sha, file.mode, file.problem, file.judged_by) == now

    def items(self, generation: int) -> list[StoredItem]:
        """Return the documents that are to be stored."""
        results = (self._loaded[path] for path in sorted(self.selection.written.values()))
        return [
            _stored_item(result, result.item, self.seen[result.file].sha, generation)
            for result in results
            if result.item
        ]


def _stored_item(
    result: ValidationResult, item: CatalogDocument, sha: str, generation: int
) -> StoredItem:
    return StoredItem(
        id=item.id,
        kind=item.kind,
        version=item.version,
        name=item.name,
        category=item.category,
        owner_team=item.owner_team,
        definition=result.definition,
        file_path=result.file,
        sha=sha,
        generation=generation,
    )


def _facts(file: StoredFile) -> DocumentSummary:
    given = dict(file.facts or {})
    return DocumentSummary(**given | {"path": file.path, "refers": tuple(given.get("refers", ()))})


def _without_path(facts: DocumentSummary) -> dict[str, Any]:
    return {key: value for key, value in asdict(facts).items() if key != "path"}


def finding_of(found: Mapping[str, Any]) -> Finding:
    """Return a finding as it was stored."""
    return replace(Finding(**found), severity=Severity(found["severity"]))
