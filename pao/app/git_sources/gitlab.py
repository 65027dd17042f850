"""The catalog in a project of GitLab: by branch, listing and blob, in few calls."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.ownership import CodeOwnersDialect, OwnershipMode
from catalog.sources.files import is_content_of
from catalog.sources.source import (
    FolderGoneError,
    Listing,
    ListingContext,
    SourceCommit,
    SourceEntry,
    SourceGoneError,
    SourceLimitedError,
    SourceMovedError,
    SourceRefusedError,
    SourceUnavailableError,
    SourceUsage,
    Unchanged,
    folder_url,
)
from pao.app.git_sources.blobs import (
    MAX_SINGLE,
    MAX_UNLISTED,
    fetch_singly,
    paths_by_blob,
    too_long_error,
    unpack,
)
from pao.app.git_sources.branch_rules import BranchRules, BranchRuleState
from pao.app.git_sources.outgoing_calls import OutgoingCalls, text
from pao.app.git_sources.owners_file import OwnersFile, find_owners_file
from pao.clients.gitlab import (
    GitLabBranchMissingError,
    GitLabCommit,
    GitLabError,
    GitLabInstance,
    GitLabProject,
    TreeItem,
)
from pao.clients.gitlab.client import GitLabCall
from pao.clients.gitlab.gitlab_errors import GitLabAnswer
from pao.core.failure_classes import HIDDEN, REDIRECT, Cause
from pao.runtime.masking import SecretMasks

_MOST_ARCHIVE = 64 * 1024 * 1024
_TREE = "tree"
_LONGEST_WAIT = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLabLocation:
    """Which folder of which branch is read, and how its ownership is checked."""

    project: str
    branch: str = "main"
    folder: str = "catalog"
    ownership: OwnershipMode = OwnershipMode.OFF


class GitLabSource:
    """Reads one folder of one branch; see ``catalog.sources.source`` for what it guarantees."""

    is_shared = True

    def __init__(
        self, instance: GitLabInstance, location: GitLabLocation, calls: OutgoingCalls
    ) -> None:
        self.name = f"GitLab {location.project}"
        self.folder = location.folder
        self.outgoing = calls
        self._location = location
        self._token = instance.token
        where = f"{instance.url} {location.project} {location.branch} {location.folder}"
        self._identity = f"{where} {location.ownership}"
        self.project = GitLabProject(instance, location.project, send=self._send)
        self._rules = BranchRules(
            location.ownership,
            location.branch,
            lambda: self.project.requires_code_owners(location.branch),
            place="the settings of the protected branch",
        )

    async def listing(self, known: ListingContext) -> Listing | Unchanged:
        """Return the folder at the tip of the branch: one call if nothing is new."""
        if known.is_poll:
            self.outgoing.allowance.spare("GitLab")
        with self.errors():
            memory = self._memory_of(known)
            tip = await self._tip()
            new = tip.sha != text(memory, "revision")
            ask = new or known.is_poll or known.is_asked
            rules = await self._rules.check(memory, ask=ask, new=new)
            if not new:
                return Unchanged(tip.sha, memory={**memory, **rules.memory}, notice=rules.notice)
            return await self._read(tip, memory, rules)

    async def at(self, commit: str, known: ListingContext) -> Listing | Unchanged:
        """Return the folder at any commit, without checking rules: it is a proposal."""
        with self.errors():
            found = await self.project.commit(commit)
            return await self._read(found, self._memory_of(known), BranchRuleState())

    async def fork_point(self, commit: str, known: ListingContext) -> str | None:
        """Return where a proposal has left what is in service; None if that is unknown."""
        if known.revision is None:
            return None
        with self.errors():
            return await self.project.merge_base(known.revision, commit)

    async def contents(
        self, revision: str, entries: Collection[SourceEntry]
    ) -> Mapping[str, bytes]:
        """Return contents by blob id: up to 50 one by one, more by one archive."""
        wanted = paths_by_blob(entries, self._location.folder)
        found: dict[str, bytes] = {}
        if len(wanted) > MAX_SINGLE:
            with self.errors():
                archive = await self.project.archive(
                    revision, self._location.folder, most=_MOST_ARCHIVE
                )
            if archive is not None:
                found = await asyncio.to_thread(unpack, archive, wanted)
        found = await fetch_singly(wanted, self._blob, found)
        if long := wanted.keys() - found.keys():
            error = too_long_error(long)
            error.found = found
            raise error
        return found

    def usage(self) -> SourceUsage:
        """Return how often it was called, and how many calls remain."""
        return self.outgoing.usage()

    async def close(self) -> None:
        """Close connections."""
        await self.outgoing.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Convert errors of calls to this project to those of a source."""
        try:
            yield
        except GitLabError as error:
            # The current token: it may have been replaced since this object was created.
            masks = SecretMasks([self._token.get_secret_value()])
            raise _source_error(error, masks.hide(error.message)) from error

    async def _tip(self) -> GitLabCommit:
        try:
            return await self.project.branch(self._location.branch)
        except GitLabBranchMissingError as error:
            problem = f"GitLab: {error}; correct CATALOG_BRANCH, or restore it."
            raise SourceGoneError(problem) from error

    async def _read(
        self, tip: GitLabCommit, memory: Mapping[str, Any], rules: BranchRuleState
    ) -> Listing | Unchanged:
        root = await self._directory(tip.sha, "")
        folder = await self._folder(tip.sha, root)
        owners = await self._owners(tip.sha, root, memory)
        fresh = {
            "of": self._identity,
            "revision": tip.sha,
            "folder": folder,
            "owners": owners.blob,
            "owner_folders": dict(owners.folders),
            **rules.memory,
        }
        if folder == text(memory, "folder") and owners.blob == memory.get("owners"):
            return Unchanged(tip.sha, _commit_of(tip, self.folder), fresh, rules.notice)
        found = await self.project.tree(tip.sha, self._location.folder, deep=True)
        start = len(self._location.folder) + 1
        return Listing(
            tip.sha,
            tuple(
                SourceEntry(item.path[start:], item.sha, item.mode)
                for item in found
                if item.type != _TREE
            ),
            (owners.entry,) if owners.entry else (),
            _commit_of(tip, self.folder),
            fresh,
            notice=rules.notice,
        )

    async def _folder(self, sha: str, root: Mapping[str, TreeItem]) -> str:
        """Return the id of the folder's tree, which may be several levels deep."""
        parent, _, name = self._location.folder.rpartition("/")
        entry = (await self._directory(sha, parent) if parent else root).get(name)
        if entry is None or entry.type != _TREE:
            raise FolderGoneError(
                f"{self._location.project} has no folder {self._location.folder} on the branch "
                f"{self._location.branch}; correct CATALOG_REPOSITORY_PATH."
            )
        return entry.sha

    async def _directory(self, sha: str, folder: str) -> Mapping[str, TreeItem]:
        found = await self.project.tree(sha, folder)
        return {item.path.rpartition("/")[2]: item for item in found}

    async def _owners(
        self, sha: str, root: Mapping[str, TreeItem], memory: Mapping[str, Any]
    ) -> OwnersFile:
        if self._location.ownership is OwnershipMode.OFF:
            return OwnersFile()

        async def read(_tree: str, location: str) -> Mapping[str, TreeItem]:
            return await self._directory(sha, location)

        return await find_owners_file(
            root, read, memory.get("owner_folders"), CodeOwnersDialect.GITLAB
        )

    async def _blob(self, blob: str) -> bytes | None:
        """Return a content; None if it is too long."""
        with self.errors():
            content = await self.project.blob(blob, most=MAX_UNLISTED)
        if len(content) > MAX_UNLISTED:
            return None
        if not is_content_of(content, blob):
            raise SourceMovedError("GitLab sent other content than it had listed.")
        return content

    def _memory_of(self, known: ListingContext) -> Mapping[str, Any]:
        """Return what was remembered, if it is about this location and what is in service."""
        memory = known.memory
        is_current = memory.get("of") == self._identity and memory.get("revision") == known.revision
        return memory if is_current else {}

    async def _send(self, call: GitLabCall) -> GitLabAnswer:
        return await self.outgoing.send(
            call.method,
            call.url,
            headers=call.headers,
            content=call.content,
            max_body=call.max_body,
        )


def _commit_of(tip: GitLabCommit, folder: str) -> SourceCommit:
    files = folder_url(tip.url, folder)
    return SourceCommit(tip.sha, tip.subject, tip.author, tip.at, tip.url or None, files)


def _source_error(error: GitLabError, message: str) -> SourceUnavailableError:
    if error.judged in {HIDDEN, REDIRECT}:
        return SourceGoneError(message)
    if error.judged.cause is Cause.QUOTA:
        wait = timedelta(seconds=min(error.wait or 60.0, _LONGEST_WAIT))
        return SourceLimitedError(message, until=datetime.now(UTC) + wait)
    if error.judged.cause is Cause.ACCESS:
        return SourceRefusedError(message)
    return SourceUnavailableError(message)
