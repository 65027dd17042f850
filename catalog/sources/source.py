"""What a source of catalog documents offers, wherever it is. No file system, no HTTP here.

A source answers two questions: what is there (``listing``: one revision, and every path with the id
that Git gives its content) and what it says (``contents``). `pao.app.catalog_sync` asks them on the
worker, compares blob ids with what Postgres holds, validates, and stores. A source decides nothing
about documents: which of the entries are documents, and that a link or a submodule is none, is
decided there.

How to write a source:

- Paths are relative to the folder of the catalog (``CATALOG_REPOSITORY_PATH``), with ``/``.
  Whatever is below it may be listed; files beside it on which verdicts rest, such as CODEOWNERS, go
  into ``Listing.beside`` with paths relative to the repository.
- What the source wants to remember between two calls (ETags, tree ids) goes into ``memory``: plain
  JSON, stored with the catalog once the listing is in service, and given back in
  ``ListingContext``. A process may be another one each time.
- ``Unchanged`` says that the folder and what lies beside it are as they were known, though the
  commit may be another one. Its memory is stored as well.
- ``contents`` returns bytes whose blob id was checked. What cannot be had raises; a content is
  never replaced by another one.
- Whatever keeps it from answering is a ``SourceUnavailableError`` or one of its kinds; the message
  is shown to operators and callers and holds no secret and no path of a machine.
- A source that was built is used for many calls in one event loop; where it has proposals, they are
  read while the branch is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Protocol
from urllib.parse import quote

FILE, EXECUTABLE, LINK, SUBMODULE = "100644", "100755", "120000", "160000"
"""The modes of Git's entries; a folder is not listed."""


class SourceUnavailableError(Exception):
    """The source cannot be read now; the message says why, without an address or a path."""

    cause: ClassVar[str] = "unavailable"
    """A stable word for health, metrics and the status of the catalog."""
    found: Mapping[str, bytes] = MappingProxyType({})
    """Contents that were read before it failed, by blob id: the next try need not ask for them."""


class SourceGoneError(SourceUnavailableError):
    """The repository, the branch or the folder is not there: removed, renamed or made private."""

    cause = "gone"


class FolderGoneError(SourceGoneError):
    """The commit is there, and has no folder of the catalog."""


class SourceRefusedError(SourceUnavailableError):
    """The credentials are wrong, expired, or lack a right."""

    cause = "refused"


class SourceLimitedError(SourceUnavailableError):
    """It answers no more calls; ``until`` is when it does. Polls before that are skipped."""

    cause = "limited"

    def __init__(self, message: str, *, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class FilesTooLongError(SourceUnavailableError):
    """Some files are too long to be read; ``blobs`` are their ids, ``why`` is the finding."""

    def __init__(self, blobs: Collection[str], why: str) -> None:
        super().__init__(why)
        self.blobs = frozenset(blobs)
        self.why = why


class PollSkippedError(Exception):
    """A poll leaves the last calls to those who wait; nothing is wrong, the next poll asks."""


class SourceMovedError(SourceUnavailableError):
    """The source changed between listing and contents; it is listed again at once, a few times."""

    cause = "moved"


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One file: its path, Git's mode, and Git's id of its content.

    ``problem`` says why the source cannot read this one file, where it knows that already; the file
    becomes a finding and its ``blob`` is never asked for.
    """

    path: str
    blob: str
    mode: str = FILE
    size: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SourceCommit:
    """A commit, as people look at it; ``files`` is where they look at the catalog's folder."""

    id: str
    subject: str = ""
    author: str = ""
    at: datetime | None = None
    url: str | None = None
    files: str | None = None


def folder_url(commit_url: str, folder: str) -> str | None:
    """Return where a forge shows a folder at a commit; GitHub and GitLab have like addresses."""
    repository, _, commit = commit_url.rpartition("/commit/")
    return f"{repository}/blob/{commit}/{quote(folder)}" if repository else None


@dataclass(frozen=True, slots=True)
class ListingContext:
    """What is known before a source is asked: what the last listing in service said.

    ``expects`` is the commit that a push has named; a source need not care: where the revision does
    not follow, as at a replica that is late, the caller looks again later. ``is_poll`` is true
    where no caller waits: a source with few calls left may raise ``PollSkippedError`` instead.
    ``is_asked`` is true where a person waits, who may have corrected whatever was wrong.
    """

    revision: str | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    expects: str | None = None
    is_poll: bool = False
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything below the folder at one revision.

    ``changed_at`` is for sources that are copies. ``notice`` says what an operator should fix
    though the listing is good, such as a branch without the rule that it needs: health is degraded.
    """

    revision: str
    entries: tuple[SourceEntry, ...]
    beside: tuple[SourceEntry, ...] = ()
    commit: SourceCommit | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    changed_at: datetime | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The files are as they were known; the revision may be another one."""

    revision: str
    commit: SourceCommit | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class SourceUsage:
    """How often this process has called a source, and what it has said is left of its limit."""

    calls: int
    remaining: int | None = None
    limit: int | None = None


class CatalogSource(Protocol):
    """A set of files at revisions."""

    @property
    def name(self) -> str:
        """What operators call it: ``local folder``, ``GitHub org/repository``.

        With another name, nothing that was remembered is given back.
        """
        ...

    @property
    def is_shared(self) -> bool:
        """Whether every process sees the same; of copies, such as folders, the newest counts."""
        ...

    async def listing(self, known: ListingContext) -> Listing | Unchanged:
        """Return what is there now; raises ``SourceUnavailableError`` or one of its kinds."""
        ...

    async def contents(
        self, revision: str, entries: Collection[SourceEntry]
    ) -> Mapping[str, bytes]:
        """Return the contents of entries of a listing by blob id, each checked against it.

        Raises ``SourceMovedError`` where a content is no longer what was listed,
        ``FilesTooLongError`` where some are too long to be held in memory (they
        become findings, and the others are asked for again), and the other kinds of
        ``SourceUnavailableError``.
        """
        ...

    def usage(self) -> SourceUsage | None:
        """Return how much it was used, for metrics; None if no service is called."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
