"""The catalog in a repository of GitHub: by commit, tree and blob, in few calls."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
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
    SourceMovedError,
    SourceUnavailableError,
    SourceUsage,
    Unchanged,
    folder_url,
)
from pao.app.git_sources.blobs import (
    MAX_SINGLE,
    MAX_UNLISTED,
    fetch_singly,
    listing_entry,
    paths_by_blob,
    unpack,
)
from pao.app.git_sources.branch_rules import BranchRules, BranchRuleState
from pao.app.git_sources.github_errors import as_source_errors
from pao.app.git_sources.outgoing_calls import OutgoingCalls, text
from pao.app.git_sources.owners_file import OwnersFile, find_owners_file
from pao.clients.github import GitHubInstance, GitHubRequest, GitHubResponse
from pao.clients.github.repository import (
    GitHubBranchMissingError,
    GitHubCommitDetails,
    Repository,
    SizedTreeEntry,
    Tip,
)
from pao.runtime.masking import SecretMasks

_MOST_ARCHIVE = 64 * 1024 * 1024
_TREE = "tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubLocation:
    """Which folder of which branch is read, and how its ownership is checked."""

    repository: str
    branch: str = "main"
    folder: str = "catalog"
    ownership: OwnershipMode = OwnershipMode.OFF


class GitHubSource:
    """Reads one folder of one branch; see ``catalog.sources.source`` for what it guarantees."""

    is_shared = True

    def __init__(
        self, instance: GitHubInstance, location: GitHubLocation, calls: OutgoingCalls
    ) -> None:
        self.name = f"GitHub {location.repository}"
        self.outgoing = calls
        self._masks = SecretMasks()
        self._location = location
        where = f"{instance.api_url} {location.repository} {location.branch} {location.folder}"
        self._identity = f"{where} {location.ownership}"
        self.folder = location.folder
        self.is_app = instance.tokens.renewable
        self.repository = self._repository = Repository(
            instance, location.repository, send=self._send, learn=self._masks.add
        )
        self._rules = BranchRules(
            location.ownership,
            location.branch,
            lambda: self._repository.requires_code_owners(location.branch),
            place="a ruleset, since classic branch protection cannot be read",
        )

    async def listing(self, known: ListingContext) -> Listing | Unchanged:
        """Return the folder at the tip of the branch: one call if nothing is new."""
        if known.is_poll:
            self.outgoing.allowance.spare("GitHub")
        with self.errors():
            memory = self._memory_of(known)
            tip = await self._tip(text(memory, "etag"))
            revision = text(memory, "revision")
            if revision is not None and (tip is None or tip.sha == revision):
                rules = await self._rules.check(
                    memory, ask=known.is_poll or known.is_asked, new=False
                )
                memory_now = {**memory, **({"etag": tip.etag} if tip else {}), **rules.memory}
                return Unchanged(
                    revision, memory=memory_now, notice=_notice(rules.notice, memory_now)
                )
            if tip is None:
                raise SourceUnavailableError("GitHub has answered 304 to a call without a tag.")
            rules = await self._rules.check(memory, ask=True, new=True)
            return await self._read(tip, memory, rules)

    async def at(self, commit: str, known: ListingContext) -> Listing | Unchanged:
        """Return the folder at any commit, without checking rules: it is a proposal."""
        with self.errors():
            return await self._read(Tip(commit, None), self._memory_of(known), BranchRuleState())

    async def fork_point(self, commit: str, known: ListingContext) -> str | None:
        """Return where a proposal has left what is in service; None if that is unknown."""
        if known.revision is None:
            return None
        with self.errors():
            return await self._repository.merge_base(known.revision, commit)

    async def contents(
        self, revision: str, entries: Collection[SourceEntry]
    ) -> Mapping[str, bytes]:
        """Return contents by blob id: up to 50 one by one, more by one archive."""
        wanted = paths_by_blob(entries, self._location.folder)
        found: dict[str, bytes] = {}
        if len(wanted) > MAX_SINGLE:
            with self.errors():
                archive = await self._repository.archive(revision, most=_MOST_ARCHIVE)
            if archive is not None:
                found = await asyncio.to_thread(unpack, archive, wanted)
        return await fetch_singly(wanted, self._blob, found)

    def errors(self) -> AbstractContextManager[None]:
        """Return a context that converts errors of calls to those of a source."""
        return as_source_errors(self._masks)

    def usage(self) -> SourceUsage:
        """Return how often it was called, and how many calls remain."""
        return self.outgoing.usage()

    async def close(self) -> None:
        """Close connections."""
        await self.outgoing.close()

    async def _read(
        self, tip: Tip, memory: Mapping[str, Any], rules: BranchRuleState
    ) -> Listing | Unchanged:
        """List a new commit, reading only what differs from what is known."""
        facts = await self._repository.commit(tip.sha)
        shown = _commit_of(facts, self.folder)
        fresh = {
            **memory,
            "of": self._identity,
            "revision": tip.sha,
            "etag": tip.etag,
            **rules.memory,
        }
        if facts.tree == text(memory, "tree"):
            return Unchanged(tip.sha, shown, fresh, _notice(rules.notice, fresh))
        root = await self._directory(facts.tree)
        folder = await self._folder(root)
        owners = await self._owners(root, memory)
        blob = owners.blob
        fresh |= {
            "tree": facts.tree,
            "folder": folder,
            "owners": blob,
            "owner_folders": dict(owners.folders),
        }
        same_owners = blob == memory.get("owners")
        if folder == text(memory, "folder") and same_owners:
            return Unchanged(tip.sha, shown, fresh, _notice(rules.notice, fresh))
        if not same_owners:
            errors = await self._repository.code_owner_errors(tip.sha) if blob else ()
            fresh["owner_errors"] = list(errors[:20])
        return Listing(
            tip.sha,
            await self._below(folder),
            (owners.entry,) if owners.entry else (),
            shown,
            fresh,
            notice=_notice(rules.notice, fresh),
        )

    async def _tip(self, etag: str | None) -> Tip | None:
        try:
            return await self._repository.tip(self._location.branch, etag)
        except GitHubBranchMissingError as error:
            problem = f"GitHub: {error}; correct CATALOG_BRANCH, or restore it."
            raise SourceGoneError(problem) from error
        except LookupError as error:
            raise SourceGoneError(f"GitHub: {error}.") from error

    async def _folder(self, root: Mapping[str, SizedTreeEntry]) -> str:
        """Return the tree of the folder, which may be several levels deep."""
        here, tree = root, ""
        for part in self._location.folder.split("/"):
            here = await self._directory(tree) if tree else here
            entry = here.get(part)
            if entry is None or entry.type != _TREE:
                raise FolderGoneError(
                    f"{self._location.repository} has no folder {self._location.folder} on "
                    f"the branch {self._location.branch}; correct CATALOG_REPOSITORY_PATH."
                )
            tree = entry.sha
        return tree

    async def _directory(self, tree: str) -> Mapping[str, SizedTreeEntry]:
        found = await self._repository.tree(tree)
        if found.truncated:
            raise SourceUnavailableError("GitHub has listed a folder of the repository in part.")
        return {entry.path: entry for entry in found.entries}

    async def _below(self, tree: str) -> tuple[SourceEntry, ...]:
        found = await self._repository.tree(tree, deep=True)
        if found.truncated:
            raise SourceUnavailableError(
                f"{self._location.folder} is too large: GitHub has listed a part of it only. Give "
                "the catalog its own folder."
            )
        return tuple(
            listing_entry(entry.path, entry.sha, entry.mode, entry.size)
            for entry in found.entries
            if entry.type != _TREE
        )

    async def _owners(
        self, root: Mapping[str, SizedTreeEntry], memory: Mapping[str, Any]
    ) -> OwnersFile:
        if self._location.ownership is OwnershipMode.OFF:
            return OwnersFile()

        async def read(tree: str, _location: str) -> Mapping[str, SizedTreeEntry]:
            return await self._directory(tree)

        return await find_owners_file(
            root, read, memory.get("owner_folders"), CodeOwnersDialect.GITHUB
        )

    async def _blob(self, blob: str) -> bytes:
        # A document is not longer than its listing says; CODEOWNERS may be.
        with self.errors():
            content = await self._repository.blob(blob, most=MAX_UNLISTED)
        if not is_content_of(content, blob):
            raise SourceMovedError("GitHub sent other content than it had listed.")
        return content

    def _memory_of(self, known: ListingContext) -> Mapping[str, Any]:
        """Return what was remembered, if it is about this location and what is in service."""
        memory = known.memory
        is_current = memory.get("of") == self._identity and memory.get("revision") == known.revision
        return memory if is_current else {}

    async def _send(self, out: GitHubRequest) -> GitHubResponse:
        return await self.outgoing.send(
            out.method,
            out.url,
            headers=out.headers,
            content=out.content,
            max_body=out.max_body,
            redirects=out.redirects,
        )


def _commit_of(facts: GitHubCommitDetails, folder: str) -> SourceCommit:
    files = folder_url(facts.url, folder)
    return SourceCommit(facts.sha, facts.subject, facts.author, facts.at, facts.url or None, files)


def _notice(rules: str | None, memory: Mapping[str, Any]) -> str | None:
    errors = memory.get("owner_errors")
    problem = [rules] if rules else []
    if isinstance(errors, list) and errors:
        problem.append(f"GitHub finds errors in CODEOWNERS: {', '.join(map(str, errors[:3]))}.")
    return " ".join(problem) or None
