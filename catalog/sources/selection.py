"""Selects what is served from the files: one file per id; the last valid version stays.

Pure: who reads the files and who stores the outcome is elsewhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, Self

from catalog.bundle import CatalogBundle
from catalog.forms.options import ListOptions
from catalog.model import CatalogDocument
from catalog.validation import Finding, Severity


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """What other files need to know of a valid document."""

    path: str
    id: str
    kind: str
    category: str
    refers: tuple[str, ...] = ()

    @classmethod
    def of(cls, item: CatalogDocument, *, path: str) -> Self:
        """Summarize a parsed document; ``refers`` are the ids that it names."""
        return cls(path, item.id, item.kind, item.category, tuple(_refers(item)))

    @property
    def is_named_after(self) -> bool:
        """Whether the file is named as the convention says: ``<category>/<id>.yaml``."""
        return str(PurePosixPath(self.path).with_suffix("")) == f"{self.category}/{self.id}"


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it is now: its content's id, its summary if it is valid, its findings."""

    sha: str
    facts: DocumentSummary | None
    findings: tuple[Finding, ...] = ()


class ServedFile(Protocol):
    """What is known of an item in service."""

    @property
    def path(self) -> str:
        """Its file."""
        ...

    @property
    def sha(self) -> str | None:
        """The content it was read from."""
        ...

    @property
    def stale(self) -> bool:
        """Whether its file has gone bad since."""
        ...


@dataclass(frozen=True, slots=True)
class CatalogChanges:
    """What changes of what is served, by item id, and everything that is wrong.

    ``written`` are the items whose document is new or different, with their files; ``recovered``
    those whose file is again as it was when it was good.
    """

    written: Mapping[str, str]
    recovered: frozenset[str]
    stale: frozenset[str]
    removed: frozenset[str]
    refused: tuple[Finding, ...]

    @property
    def refused_files(self) -> frozenset[str]:
        """The files that are left out."""
        return frozenset(finding.file for finding in self.refused)


def select(
    files: Mapping[str, FileState],
    served: Mapping[str, ServedFile],
    across: Iterable[Finding] = (),
) -> CatalogChanges:
    """Decide what is served from now on; ``across`` was found by looking at files together."""
    refused = _errors(files, across)
    bad = {finding.file for finding in refused}
    good = {seen.facts.id: path for path, seen in files.items() if seen.facts and path not in bad}
    same = {key for key, path in good.items() if _is_same(served.get(key), path, files[path].sha)}
    gone = served.keys() - good.keys()
    stale = {key for key in gone if served[key].path in bad}
    return CatalogChanges(
        written={key: path for key, path in good.items() if key not in same},
        recovered=frozenset(key for key in same if served[key].stale),
        stale=frozenset(key for key in stale if not served[key].stale),
        removed=frozenset(gone - stale),
        refused=refused,
    )


def duplicates(facts: Iterable[DocumentSummary]) -> list[Finding]:
    """Refuse every file whose id another has, but the one that is named after it.

    Ids that differ only in case count as one: of these, the one in lower case is kept.
    """
    by_id: dict[str, list[DocumentSummary]] = defaultdict(list)
    by_case: dict[str, list[DocumentSummary]] = defaultdict(list)
    for one in facts:
        by_id[one.id].append(one)
        by_case[one.id.casefold()].append(one)
    found = [
        _similar(one, candidates)
        for lower, candidates in by_case.items()
        for one in candidates
        if one.id != lower and any(other.id != one.id for other in candidates)
    ]
    for candidates in by_id.values():
        rightful = [one for one in candidates if one.is_named_after]
        kept = candidates if len(candidates) == 1 else rightful if len(rightful) == 1 else []
        found += [_duplicate(one, candidates) for one in candidates if one not in kept]
    return found


def _refers(item: CatalogDocument) -> Iterator[str]:
    if isinstance(item, CatalogBundle):
        yield from (component.catalog_item for component in item.components)
    for field in (one for outer in item.fields for one in (outer, *outer.fields)):
        if isinstance(field.options, ListOptions):
            yield field.options.list
    if item.deprecation.replacement:
        yield item.deprecation.replacement


def _errors(files: Mapping[str, FileState], across: Iterable[Finding]) -> tuple[Finding, ...]:
    own = (finding for seen in files.values() for finding in seen.findings)
    twice = duplicates(seen.facts for seen in files.values() if seen.facts)
    errors = {one: None for one in (*own, *twice, *across) if one.severity is Severity.ERROR}
    return tuple(sorted(errors, key=lambda one: (one.file, one.line, one.column)))


def _is_same(known: ServedFile | None, path: str, sha: str) -> bool:
    return known is not None and known.path == path and known.sha == sha


def _similar(facts: DocumentSummary, candidates: list[DocumentSummary]) -> Finding:
    other = next(one for one in candidates if one.id != facts.id)
    message = f"the id {facts.id!r} differs in case only from that in {other.path}"
    return _refusal(facts, "id-case", message)


def _duplicate(facts: DocumentSummary, candidates: list[DocumentSummary]) -> Finding:
    others = ", ".join(other.path for other in candidates if other is not facts)
    return _refusal(facts, "duplicate-item", f"the item id {facts.id!r} is also in {others}")


def _refusal(facts: DocumentSummary, rule: str, message: str) -> Finding:
    return Finding(
        file=facts.path,
        line=1,
        column=1,
        path="$.metadata.id",
        rule=rule,
        severity=Severity.ERROR,
        message=message,
        hint="give one of them another id",
    )
