"""The result of reading a catalog's source once, before it is stored. No I/O here."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from catalog.model import CatalogDocument
from catalog.sources.selection import DocumentSummary, FileState, Selection, select
from catalog.validation import Finding, Severity, ValidationResult
from db.repositories.catalog import CatalogStanding, Lineage, Served, StoredItem
from db.repositories.catalog_files import StoredFile


@dataclass(frozen=True, slots=True)
class Known:
    """What Postgres knew before: the files as they were judged, and what is served."""

    files: Mapping[str, StoredFile]
    served: Mapping[str, Served]
    standing: CatalogStanding
    lineage: Lineage

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What was refused at the last look."""
        return tuple(_finding(found) for found in self.standing.refused)


class Reading:
    """One look at the source; grows while it is read."""

    def __init__(self, rules: str) -> None:
        self._rules = rules
        self.seen: dict[str, FileState] = {}
        self.judged: dict[str, StoredFile] = {}
        self.selection: Selection
        self._loaded: dict[str, ValidationResult] = {}

    def keep(self, file: StoredFile) -> None:
        """Take a file over as it was judged before."""
        facts = _facts(file) if file.facts else None
        findings = tuple(_finding(found) for found in file.findings)
        self.seen[file.path] = FileState(file.sha, facts, findings)

    def add(self, result: ValidationResult, sha: str) -> None:
        """Take a file that was validated now; ``sha`` is its content's id."""
        path = result.file
        facts = DocumentSummary.of(result.item, path=path) if result.item else None
        self.seen[path] = FileState(sha, facts, result.findings)
        self._loaded[path] = result
        self.judged[path] = StoredFile(
            path=path,
            sha=sha,
            judged_by=self._rules,
            facts=_without_path(facts) if facts else None,
            findings=[asdict(finding) for finding in result.findings],
        )

    def is_as_known(self, known: Known) -> bool:
        """Return whether nothing has changed since the last look."""
        return not self.judged and self.seen.keys() == known.files.keys()

    def linked(self) -> dict[str, DocumentSummary]:
        """Return by path the valid files that refer to others, and those they refer to."""
        good = [seen.facts for seen in self.seen.values() if seen.facts]
        named = {identifier for facts in good for identifier in facts.refers}
        return {facts.path: facts for facts in good if facts.refers or facts.id in named}

    def fallen(self, served: Mapping[str, Served]) -> dict[str, str]:
        """Return by path the items referred to whose file became invalid: they stay served."""
        facts = [seen.facts for seen in self.seen.values() if seen.facts]
        named = {identifier for one in facts for identifier in one.refers}
        named -= {one.id for one in facts}
        return {
            served[key].path: key for key in named & served.keys() if served[key].path in self.seen
        }

    def document(self, path: str) -> CatalogDocument | None:
        """Return a document that was read now."""
        result = self._loaded.get(path)
        return result.item if result else None

    def select(self, served: Mapping[str, Served], across: Iterable[Finding]) -> None:
        """Decide what is served from what was seen and what was found across files."""
        self.selection = select(self.seen, served, across)

    def missing(self) -> list[str]:
        """Return the files whose document is to be stored and was not read yet."""
        return [path for path in self.selection.written.values() if path not in self._loaded]

    def items(self, generation: int) -> list[StoredItem]:
        """Return the documents that are to be stored."""
        results = (self._loaded[path] for path in sorted(self.selection.written.values()))
        return [
            _stored(result, result.item, self.seen[result.file].sha, generation)
            for result in results
            if result.item
        ]


def _stored(
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


def _finding(found: Mapping[str, Any]) -> Finding:
    return replace(Finding(**found), severity=Severity(found["severity"]))
