"""A catalog in a local folder, as a source of documents."""

import asyncio
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.loading import MAX_BYTES, DocumentError
from catalog.model import CatalogDocument
from catalog.sources.files import blob_id, catalog_root, documents, read_document
from catalog.sources.source import (
    Listing,
    ListingContext,
    SourceEntry,
    SourceMovedError,
    SourceUnavailableError,
    SourceUsage,
    Unchanged,
)


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
    out of it are not followed, others are. Its revision is a digest of what it holds.
    """

    name = "local folder"
    is_shared = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reads = 0
        self._seen: dict[str, tuple[tuple[int, ...], SourceEntry]] = {}

    async def listing(self, known: ListingContext) -> Listing | Unchanged:  # noqa: ARG002 -- a folder is quick to list
        """Return every document with its content's id; reads what has changed since."""
        return await asyncio.to_thread(self.look)

    async def contents(
        self,
        revision: str,  # noqa: ARG002 -- there is one
        entries: Collection[SourceEntry],
    ) -> Mapping[str, bytes]:
        """Return the contents of files; raises ``SourceMovedError`` where one has changed since."""
        return await asyncio.to_thread(self._contents, entries)

    def usage(self) -> SourceUsage | None:
        """Return None: no service is called."""
        return None

    async def close(self) -> None:
        """Do nothing: no file stays open."""

    def look(self) -> Listing:
        """Return what is there now; blocks."""
        try:
            root = catalog_root(self.path)
            found = {file.relative_to(root).as_posix(): file for file in documents(root)}
            changed_at = _newest_change(root, found.values())
        except OSError as error:
            raise SourceUnavailableError("the folder of the catalog cannot be read") from error
        self._seen = {name: self._entry(name, file) for name, file in found.items()}
        entries = tuple(entry for _, entry in self._seen.values())
        return Listing(_digest(entries), entries, changed_at=changed_at)

    def content(self, path: str) -> bytes:
        """Return one document; raises ``DocumentError`` where it cannot be read. Blocks."""
        self.reads += 1
        return read_document(catalog_root(self.path) / path, path)

    def _contents(self, entries: Iterable[SourceEntry]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for entry in entries:
            try:
                content = self.content(entry.path)
            except (OSError, DocumentError) as error:
                raise SourceMovedError(f"{entry.path} cannot be read any more") from error
            if blob_id(content) != entry.blob:
                raise SourceMovedError(f"{entry.path} changes while it is read")
            found[entry.blob] = content
        return found

    def _entry(self, name: str, file: Path) -> tuple[tuple[int, ...], SourceEntry]:
        try:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
            seen = self._seen.get(name)
            if seen is not None and seen[0] == stamp:
                return seen
            self.reads += 1
            content = read_document(file, name)
            if len(content) > MAX_BYTES:
                return stamp, SourceEntry(name, "", size=max(status.st_size, len(content)))
            return stamp, SourceEntry(name, blob_id(content), size=len(content))
        except OSError as error:
            reason = error.strerror or "unknown reason"
            problem = f"the file cannot be read: {reason}"
        except DocumentError as error:
            problem = error.message
        # Never remembered as seen: it is read again each time.
        return (), SourceEntry(name, "", problem=problem)


def _digest(entries: Iterable[SourceEntry]) -> str:
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda one: one.path):
        digest.update(f"{entry.path}\0{entry.blob}\n".encode())
    return digest.hexdigest()[:32]


def _newest_change(root: Path, files: Iterable[Path]) -> datetime | None:
    """Return the newest time of documents and of their folders: a removal shows in these only."""
    folders = {root}
    newest = 0.0
    for file in files:
        newest = max(newest, _modified_at(file))
        folders.update(parent for parent in file.parents if parent.is_relative_to(root))
    newest = max(newest, *map(_modified_at, folders))
    return datetime.fromtimestamp(newest, UTC) if newest else None


def _modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        # It was removed meanwhile; the next listing shows that.
        return 0.0
