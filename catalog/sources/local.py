"""A catalog in a local folder: as a source of documents, and loaded whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.loading import DocumentError
from catalog.model import CatalogDocument
from catalog.sources.file_checks import judge_content, unreadable
from catalog.sources.files import blob_id, catalog_root, documents, read_document
from catalog.sources.source import SourceUnavailableError
from catalog.validation import ActionSchema, Finding, Severity, judge_together


@dataclass(frozen=True, slots=True)
class LoadedItem:
    """An item or bundle that can be served: parsed, as plain data, and where it comes from.

    ``file_path`` is relative to the folder; ``sha`` is the id that Git gives this content.
    """

    item: CatalogDocument
    definition: dict[str, Any]
    file_path: str
    sha: str


@dataclass(frozen=True, slots=True)
class LoadedCatalog:
    """What a folder holds: the items by id, and what is wrong with the files.

    ``refused`` are the errors (their files are left out), ``remarks`` the warnings and suggestions.
    """

    items: dict[str, LoadedItem] = field(default_factory=dict)
    refused: list[Finding] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)


class LocalFolder:
    """A folder as a source; it remembers what it has read, so that a listing reads changes only.

    The folder is the catalog itself or a repository that holds it as ``catalog/``. Links that lead
    out of it are not followed.
    """

    name = "local folder"
    revision: str | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reads = 0
        self._seen: dict[str, tuple[tuple[int, ...], str]] = {}
        self.changed_at: datetime | None = None

    def listing(self) -> Mapping[str, str]:
        """Give every document's path with its content's id; reads what has changed since."""
        try:
            root = catalog_root(self.path)
            found = {file.relative_to(root).as_posix(): file for file in documents(root)}
            self.changed_at = _changed_at(root, found.values())
        except OSError as error:
            raise SourceUnavailableError("the folder of the catalog cannot be read") from error
        self._seen = {name: self._look(name, file) for name, file in found.items()}
        return {name: sha for name, (_, sha) in self._seen.items()}

    def content(self, path: str) -> bytes:
        """Give one document; raises ``DocumentError`` where it cannot be read."""
        self.reads += 1
        return read_document(catalog_root(self.path) / path, path)

    def _look(self, name: str, file: Path) -> tuple[tuple[int, ...], str]:
        try:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
            seen = self._seen.get(name)
            if seen is not None and seen[0] == stamp:
                return seen
            self.reads += 1
            return stamp, blob_id(read_document(file, name))
        except (OSError, DocumentError):
            # Never remembered as seen, and never the id of any content: looked at anew each time.
            return (), ""


def _changed_at(root: Path, files: Iterable[Path]) -> datetime | None:
    """Give the newest time of documents and of their folders: a removal shows in these only."""
    folders = {root}
    newest = 0.0
    for file in files:
        newest = max(newest, _changed(file))
        folders.update(parent for parent in file.parents if parent.is_relative_to(root))
    newest = max(newest, *map(_changed, folders))
    return datetime.fromtimestamp(newest, UTC) if newest else None


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        # It went meanwhile; the next listing tells.
        return 0.0


def load_folder(path: Path, known_actions: Mapping[str, ActionSchema]) -> LoadedCatalog:
    """Load every document of a folder; one bad file never blocks the others.

    The folder is the catalog itself or a repository that holds it as ``catalog/``. Links that lead
    out of it are not followed. Raises ``FileNotFoundError`` where there is no such folder.
    """
    root = catalog_root(path)
    catalog = LoadedCatalog()
    loaded: dict[str, LoadedItem] = {}
    for file in documents(root):
        found, findings = load_file(file, root, known_actions)
        _sort_in(catalog, findings)
        if found:
            loaded[found.file_path] = found
    _sort_in(catalog, judge_together({name: one.item for name, one in loaded.items()}))
    left_out = {finding.file for finding in catalog.refused}
    catalog.items.update({one.item.id: one for name, one in loaded.items() if name not in left_out})
    return catalog


def load_file(
    file: Path, root: Path, known_actions: Mapping[str, ActionSchema]
) -> tuple[LoadedItem | None, tuple[Finding, ...]]:
    """Load one document; the item is None where a finding is an error."""
    name = file.relative_to(root).as_posix()
    try:
        content = read_document(file, name)
    except DocumentError as error:
        return None, (unreadable(error),)
    verdict = judge_content(content, path=name, known_actions=known_actions)
    if verdict.item is None:
        return None, verdict.findings
    item = LoadedItem(verdict.item, verdict.definition, name, verdict.sha)
    return item, verdict.findings


def _sort_in(catalog: LoadedCatalog, findings: Iterable[Finding]) -> None:
    for finding in findings:
        error = finding.severity is Severity.ERROR
        (catalog.refused if error else catalog.remarks).append(finding)
