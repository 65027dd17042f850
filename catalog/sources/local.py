"""A catalog in a local folder, as a source of documents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.loading import DocumentError
from catalog.model import CatalogDocument
from catalog.sources.files import blob_id, catalog_root, documents, read_document
from catalog.sources.source import SourceUnavailableError


@dataclass(frozen=True, slots=True)
class LoadedItem:
    """An item or bundle that can be served: parsed, as plain data, and where it comes from.

    ``file_path`` is relative to the folder; ``sha`` is the id that Git assigns to it.
    """

    item: CatalogDocument
    definition: dict[str, Any]
    file_path: str
    sha: str


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
        """Return every document's path with its content's id; reads what has changed since."""
        try:
            root = catalog_root(self.path)
            found = {file.relative_to(root).as_posix(): file for file in documents(root)}
            self.changed_at = _changed_at(root, found.values())
        except OSError as error:
            raise SourceUnavailableError("the folder of the catalog cannot be read") from error
        self._seen = {name: self._look(name, file) for name, file in found.items()}
        return {name: sha for name, (_, sha) in self._seen.items()}

    def content(self, path: str) -> bytes:
        """Return one document; raises ``DocumentError`` where it cannot be read."""
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
    """Return the newest time of documents and of their folders: a removal shows in these only."""
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
