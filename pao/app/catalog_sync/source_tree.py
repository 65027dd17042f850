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
    Commit,
    Entry,
    Known,
    Listing,
    PollSkippedError,
    SourceUnavailableError,
    Unchanged,
)
from db.repositories.catalog import ServedFile
from db.repositories.catalog_files import StoredFile
from db.repositories.catalog_state import Lineage, SourceMemory, StoredCatalogStatus
from pao.core.payloads.catalog import SyncInput

MOST_PATH = 1_000
"""In bytes; a few levels of folders are far from it."""
_LFS = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class Stored:
    """What Postgres knew before: the files as they were judged, and what is served."""

    files: Mapping[str, StoredFile]
    served: Mapping[str, ServedFile]
    standing: StoredCatalogStatus
    lineage: Lineage
    memory: SourceMemory

    def known(self, source: str, asked: SyncInput) -> Known:
        """Return what a source may know of its last reading; nothing where it was another one."""
        why = Known(expects=asked.expects, is_poll=asked.is_poll, is_asked=asked.is_requested)
        if self.standing.source != source:
            return why
        return replace(why, revision=self.standing.revision, memory=self.memory.memory)


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The documents at a revision; ``failed`` where they are those of the reading before."""

    revision: str
    entries: tuple[Entry, ...]
    beside: tuple[Entry, ...]
    commit: dict[str, Any] | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    changed_at: datetime | None = None
    notice: str | None = None
    failed: SourceUnavailableError | None = None

    @classmethod
    def of(cls, answer: Listing | Unchanged, stored: Stored) -> Self:
        """Return what a source has answered, and what of it was known."""
        if isinstance(answer, Listing):
            entries, beside = documents_of(answer.entries), answer.beside
            changed_at = answer.changed_at
        else:
            entries, beside, changed_at = _entries(stored), _beside(stored), None
        return cls(
            answer.revision,
            entries,
            beside,
            commit=_plain(answer.commit) if answer.commit else None,
            memory=answer.memory,
            changed_at=changed_at,
            notice=answer.notice,
        )

    def merged(self, fork: Self, stored: Stored) -> Self:
        """Return what would be there if a proposal that left the branch at ``fork`` was merged.

        A file that both sides have changed is taken as the proposal has it.
        """
        own_beside = self.beside != fork.beside
        return replace(
            self,
            entries=_merged(self.entries, fork.entries, _entries(stored)),
            beside=self.beside if own_beside else _beside(stored),
        )

    @classmethod
    def again(cls, stored: Stored, failed: SourceUnavailableError) -> Self:
        """Return what was seen before, where the source cannot be read now."""
        return cls(stored.standing.revision or "", _entries(stored), _beside(stored), failed=failed)


def documents_of(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return the documents, and what stands in a document's place and is none."""
    return tuple(_named(entry) for entry in entries if _concerns(entry))


def problem_of(entry: Entry) -> str | None:
    """Return why an entry cannot be a document, by what the listing says."""
    if entry.problem:
        return entry.problem
    if entry.mode == LINK:
        return "this is a symbolic link; put the document itself here"
    if entry.mode == SUBMODULE:
        return "this is a submodule, which is not read; put the documents themselves here"
    if entry.size is not None and entry.size > MAX_BYTES:
        return f"the document has {entry.size:,} bytes; at most {MAX_BYTES:,} are read"
    return None


def problem_in(content: bytes) -> str | None:
    """Return why a content is no document, though it is text."""
    if content.startswith(_LFS):
        return "this is a pointer to a file in Git LFS, which is not read; commit the text itself"
    return None


def refuse_early_poll(stored: Stored, *, is_poll: bool) -> None:
    """Raise where a poll may not ask a source that has said when it answers again."""
    until = stored.standing.error_until
    if is_poll and until and datetime.now(UTC) < until:
        raise PollSkippedError(f"the source answers again at {until:%H:%M:%S} UTC")


def commit_of(commit: Mapping[str, Any] | None) -> Commit | None:
    """Return a commit as it was stored."""
    if not commit:
        return None
    at = commit.get("at")
    return Commit(**{**commit, "at": datetime.fromisoformat(at) if at else None})


def _named(entry: Entry) -> Entry:
    """Return an entry by a path that may be a key in Postgres; another path is a finding."""
    path = entry.path.encode(errors="replace")
    if len(path) <= MOST_PATH:
        return entry
    # Others may begin in the same way.
    shown = f"{entry.path[:100]}...{hashlib.sha256(path).hexdigest()[:12]}"
    return replace(entry, path=shown, problem=f"the path has {len(path):,} bytes; shorten it")


def _concerns(entry: Entry) -> bool:
    if entry.mode not in {LINK, SUBMODULE}:
        return is_document(entry.path)
    # A link or a submodule in place of a folder hides whatever it leads to.
    return is_document(entry.path if PurePosixPath(entry.path).suffix else f"{entry.path}.yaml")


def _entries(stored: Stored) -> tuple[Entry, ...]:
    return tuple(
        Entry(file.path, file.sha, file.mode, problem=file.problem)
        for file in stored.files.values()
    )


def _merged(
    proposed: Iterable[Entry], before: Iterable[Entry], served: Iterable[Entry]
) -> tuple[Entry, ...]:
    new, old = ({entry.path: entry for entry in entries} for entries in (proposed, before))
    merged = {entry.path: entry for entry in served}
    for path in old.keys() | new.keys():
        if old.get(path) == new.get(path):
            continue
        merged.pop(path, None)
        if path in new:
            merged[path] = new[path]
    return tuple(merged[path] for path in sorted(merged))


def _beside(stored: Stored) -> tuple[Entry, ...]:
    return tuple(Entry(**entry) for entry in stored.memory.beside)


def _plain(commit: Commit) -> dict[str, Any]:
    return asdict(commit) | {"at": commit.at.isoformat() if commit.at else None}
