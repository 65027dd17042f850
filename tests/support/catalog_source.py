"""A source of catalog documents in memory: every call is counted, and anything can go wrong."""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from catalog.sources.files import blob_id
from catalog.sources.source import (
    FILE,
    FolderGoneError,
    Listing,
    ListingContext,
    PollSkippedError,
    SourceCommit,
    SourceEntry,
    SourceUnavailableError,
    SourceUsage,
    Unchanged,
)
from catalog.sources.verdict import Verdict

ITEM = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: {id}
  name: Item
  description: A description that is long enough to pass the rule about descriptions.
  version: {version}
  category: tools
  owner: {{team: team-a}}
fulfillment: {{manual: {{actions: [{{type: jira-ticket}}]}}}}
"""


class Repository:
    """Files at a revision, as a forge would show them; it remembers nothing itself."""

    is_shared = True

    def __init__(self, name: str = "Git acme/catalog") -> None:
        self.name = name
        self.files: dict[str, bytes] = {}
        self.modes: dict[str, str] = {}
        self.beside: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.asked: list[ListingContext] = []
        self.fetched: list[str] = []
        self.away: SourceUnavailableError | PollSkippedError | None = None
        self.contents_away: list[SourceUnavailableError] = []
        self.swapped: dict[str, bytes | None] = {}
        self.notice: str | None = None
        self.describes = True

    def put(self, *ids: str, version: str = "1.0.0") -> None:
        """Commit items."""
        for one in ids:
            self.files[f"tools/{one}.yaml"] = ITEM.format(id=one, version=version).encode()

    def remove(self, *ids: str) -> None:
        """Remove items."""
        for one in ids:
            del self.files[f"tools/{one}.yaml"]

    @property
    def revision(self) -> str:
        """The commit: forty digits over everything that it holds."""
        digest = hashlib.sha256(repr(sorted(self.modes.items())).encode())
        for path, content in sorted((self.files | self.beside).items()):
            digest.update(path.encode() + content)
        return digest.hexdigest()[:40]

    async def listing(self, known: ListingContext) -> Listing | Unchanged:
        self.calls.append("listing")
        self.asked.append(known)
        if self.away:
            raise self.away
        memory: dict[str, Any] = {"tree": self.revision}
        commit = SourceCommit(self.revision, subject="Change items", author="Dana")
        if known.memory == memory:
            described = commit if self.describes else None
            return Unchanged(self.revision, described, memory, notice=self.notice)
        return Listing(
            self.revision,
            tuple(self._entry(path, content) for path, content in self.files.items()),
            tuple(SourceEntry(path, blob_id(one)) for path, one in self.beside.items()),
            commit,
            memory,
            notice=self.notice,
        )

    async def contents(
        self, revision: str, entries: Collection[SourceEntry]
    ) -> Mapping[str, bytes]:
        assert revision
        self.calls.append("contents")
        if self.contents_away:
            raise self.contents_away.pop(0)
        everything = self.files | self.beside
        found: dict[str, bytes] = {}
        for entry in entries:
            self.fetched.append(entry.path)
            content = self.swapped.get(entry.path, everything[entry.path])
            if content is not None:
                found[entry.blob] = content
        return found

    def usage(self) -> SourceUsage:
        return SourceUsage(len(self.calls), remaining=40, limit=60)

    async def close(self) -> None:
        """Nothing is open."""

    def _entry(self, path: str, content: bytes) -> SourceEntry:
        return SourceEntry(path, blob_id(content), self.modes.get(path, FILE), len(content))


class Forge(Repository):
    """A repository whose commits can be read, and told about unless it fails.

    A commit that was not made here shows what the branch does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fails: list[BaseException] = []
        self.told: list[tuple[str, bool]] = []
        self.verdicts: list[Verdict] = []
        self.commits: dict[str, Repository | None] = {}
        self.fork: str | None = None
        self.fork_away: SourceUnavailableError | None = None

    def commit(self, name: str, *ids: str, version: str = "1.0.0") -> Repository:
        """Make a commit that has these items and is on no branch."""
        made = Repository()
        made.put(*ids, version=version)
        self.commits[name] = made
        return made

    async def at(self, commit: str, known: ListingContext) -> Listing | Unchanged:
        there = self.commits.get(commit, self)
        if there is None:
            raise FolderGoneError("the commit has no folder catalog")
        found = await Repository.listing(there, known)
        if isinstance(found, Unchanged):
            return found
        return Listing(commit, found.entries, found.beside, memory=found.memory)

    async def fork_point(self, _commit: str, _known: ListingContext) -> str | None:
        if self.fork_away:
            raise self.fork_away
        return self.fork

    async def contents(
        self, revision: str, entries: Collection[SourceEntry]
    ) -> Mapping[str, bytes]:
        there = self.commits.get(revision)
        if there is not None:
            return await there.contents(revision, entries)
        return await super().contents(revision, entries)

    async def report(self, verdict: Verdict, *, again: bool = False) -> None:
        self.verdicts.append(verdict)
        await self._tell(verdict.revision, again=again)

    async def untouched(self, commit: str, *, again: bool = False) -> None:
        await self._tell(f"untouched {commit}", again=again)

    async def _tell(self, what: str, *, again: bool) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.told.append((what, again))
