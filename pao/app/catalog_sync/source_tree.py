"""The documents of a source at a revision, with what was known before. No I/O here."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Self

from catalog.loading import MAX_BYTES
from catalog.sources.files import is_document
from catalog.sources.source import (
    LINK,
    SUBMODULE,
    Listing,
    ListingContext,
    PollSkippedError,
    SourceCommit,
    SourceEntry,
    SourceUnavailableError,
    Unchanged,
)
from db.repositories.catalog import ServedFile
from db.repositories.catalog_files import StoredFile
from db.repositories.catalog_state import Lineage, SourceMemory, StoredCatalogStatus
from pao.core.payloads.catalog import SyncInput

MAX_PATH_BYTES = 1_000
"""In bytes; far more than a few levels of folders need."""
_LFS = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class StoredCatalog:
    """The state in Postgres: the files with their results, and what is served."""

    files: Mapping[str, StoredFile]
    served: Mapping[str, ServedFile]
    status: StoredCatalogStatus
    lineage: Lineage
    memory: SourceMemory

    def known(self, source: str, asked: SyncInput) -> ListingContext:
        """Return what is known of a source's last reading; nothing if it was of another source."""
        why = ListingContext(
            expects=asked.expects, is_poll=asked.is_poll, is_asked=asked.is_requested
        )
        if self.status.source != source:
            return why
        return replace(why, revision=self.status.revision, memory=self.memory.memory)


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The documents at a revision; ``failed`` if they are those of the previous reading."""

    revision: str
    entries: tuple[SourceEntry, ...]
    beside: tuple[SourceEntry, ...]
    commit: dict[str, Any] | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    changed_at: datetime | None = None
    notice: str | None = None
    failed: SourceUnavailableError | None = None

    @classmethod
    def of(cls, answer: Listing | Unchanged, stored: StoredCatalog) -> Self:
        """Return what a source has returned, with what was known of it."""
        if isinstance(answer, Listing):
            entries, beside = documents_of(answer.entries), answer.beside
            changed_at = answer.changed_at
        else:
            entries, beside, changed_at = _entries(stored), _beside(stored), None
        return cls(
            answer.revision,
            entries,
            beside,
            commit=_commit_document(answer.commit) if answer.commit else None,
            memory=answer.memory,
            changed_at=changed_at,
            notice=answer.notice,
        )

    def merged(self, fork: Self, stored: StoredCatalog) -> Self:
        """Return the tree after merging a proposal that left the branch at ``fork``.

        A file that both sides have changed is taken as the proposal has it.
        """
        own_beside = self.beside != fork.beside
        return replace(
            self,
            entries=_merge(self.entries, fork.entries, _entries(stored)),
            beside=self.beside if own_beside else _beside(stored),
        )

    @classmethod
    def from_stored(cls, stored: StoredCatalog, failed: SourceUnavailableError) -> Self:
        """Return the tree of the previous reading, if the source cannot be read now."""
        return cls(stored.status.revision or "", _entries(stored), _beside(stored), failed=failed)


def documents_of(entries: Iterable[SourceEntry]) -> tuple[SourceEntry, ...]:
    """Return the documents, and whatever is in the place of a document."""
    return tuple(_with_short_path(entry) for entry in entries if _is_relevant(entry))


def problem_of(entry: SourceEntry) -> str | None:
    """Return why an entry cannot be a document, according to the listing."""
    if entry.problem:
        return entry.problem
    if entry.mode == LINK:
        return "this is a symbolic link; put the document itself here"
    if entry.mode == SUBMODULE:
        return "this is a submodule, which is not read; put the documents themselves here"
    if entry.size is not None and entry.size > MAX_BYTES:
        return f"the document has {entry.size:,} bytes; at most {MAX_BYTES:,} are read"
    return None


def readable_entries(entries: Iterable[SourceEntry]) -> list[SourceEntry]:
    """Return the entries that can be documents, according to the listing."""
    return [entry for entry in entries if not problem_of(entry)]


def problem_in(content: bytes) -> str | None:
    """Return why a text is not a document."""
    if content.startswith(_LFS):
        return "this is a pointer to a file in Git LFS, which is not read; commit the text itself"
    return None


def refuse_early_poll(stored: StoredCatalog, *, is_poll: bool) -> None:
    """Raise if this is a poll and the source has announced when it answers again."""
    until = stored.status.error_until
    if is_poll and until and datetime.now(UTC) < until:
        raise PollSkippedError(f"the source answers again at {until:%H:%M:%S} UTC")


def commit_of(commit: Mapping[str, Any] | None) -> SourceCommit | None:
    """Return a commit as it was stored."""
    if not commit:
        return None
    at = commit.get("at")
    return SourceCommit(**{**commit, "at": datetime.fromisoformat(at) if at else None})


def _with_short_path(entry: SourceEntry) -> SourceEntry:
    """Return an entry whose path fits a key in Postgres; a longer path is a finding."""
    path = entry.path.encode(errors="replace")
    if len(path) <= MAX_PATH_BYTES:
        return entry
    # Other paths may begin in the same way.
    short_path = f"{entry.path[:100]}...{hashlib.sha256(path).hexdigest()[:12]}"
    return replace(entry, path=short_path, problem=f"the path has {len(path):,} bytes; shorten it")


def _is_relevant(entry: SourceEntry) -> bool:
    if entry.mode not in {LINK, SUBMODULE}:
        return is_document(entry.path)
    # A link or a submodule in place of a folder hides whatever it leads to.
    return is_document(entry.path if PurePosixPath(entry.path).suffix else f"{entry.path}.yaml")


def _entries(stored: StoredCatalog) -> tuple[SourceEntry, ...]:
    return tuple(
        SourceEntry(file.path, file.sha, file.mode, problem=file.problem)
        for file in stored.files.values()
    )


def _merge(
    proposed: Iterable[SourceEntry], before: Iterable[SourceEntry], served: Iterable[SourceEntry]
) -> tuple[SourceEntry, ...]:
    new, old = ({entry.path: entry for entry in entries} for entries in (proposed, before))
    merged = {entry.path: entry for entry in served}
    for path in old.keys() | new.keys():
        if old.get(path) == new.get(path):
            continue
        merged.pop(path, None)
        if path in new:
            merged[path] = new[path]
    return tuple(merged[path] for path in sorted(merged))


def _beside(stored: StoredCatalog) -> tuple[SourceEntry, ...]:
    return tuple(SourceEntry(**entry) for entry in stored.memory.beside)


def _commit_document(commit: SourceCommit) -> dict[str, Any]:
    return asdict(commit) | {"at": commit.at.isoformat() if commit.at else None}
