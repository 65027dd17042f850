"""The catalog in a repository of GitHub: by commit, tree and blob, in few calls."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from catalog.ownership import Dialect, OwnershipMode
from catalog.sources.files import is_content_of
from catalog.sources.source import (
    Commit,
    Entry,
    FolderGoneError,
    Known,
    Listing,
    SourceGoneError,
    SourceMovedError,
    SourceUnavailableError,
    SourceUsage,
    Unchanged,
    folder_url,
)
from pao.app.git_sources.blobs import (
    MOST_SINGLE,
    MOST_UNLISTED,
    fetched_singly,
    listed,
    paths_by_blob,
    unpacked,
)
from pao.app.git_sources.branch_rules import BranchRules, RulesFound
from pao.app.git_sources.github_errors import as_source_errors
from pao.app.git_sources.outgoing_calls import OutgoingCalls, text
from pao.app.git_sources.owners_file import OwnersFile, find_owners_file
from pao.clients.github import GitHubInstance, GitHubResponse, Outbound
from pao.clients.github.repository import (
    CommitFacts,
    NoBranchError,
    Repository,
    SizedEntry,
    Tip,
)
from pao.runtime.masking import SecretMasks

_MOST_ARCHIVE = 64 * 1024 * 1024
_TREE = "tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubPlace:
    """Which folder of which branch is read, and what its owners are asked for."""

    repository: str
    branch: str = "main"
    folder: str = "catalog"
    ownership: OwnershipMode = OwnershipMode.OFF


class GitHubSource:
    """Reads one folder of one branch; see ``catalog.sources.source`` for what it guarantees."""

    is_shared = True

    def __init__(self, instance: GitHubInstance, place: GitHubPlace, calls: OutgoingCalls) -> None:
        self.name = f"GitHub {place.repository}"
        self.outgoing = calls
        self._masks = SecretMasks()
        self._place = place
        where = f"{instance.api_url} {place.repository} {place.branch} {place.folder}"
        self._of = f"{where} {place.ownership}"
        self.folder = place.folder
        self.is_app = instance.tokens.renewable
        self.repository = self._repository = Repository(
            instance, place.repository, send=self._send, learn=self._masks.add
        )
        self._rules = BranchRules(
            place.ownership,
            place.branch,
            lambda: self._repository.wants_code_owners(place.branch),
            place="a ruleset, since classic branch protection cannot be read",
        )

    async def listing(self, known: Known) -> Listing | Unchanged:
        """Return the folder at the tip of the branch: one call where nothing is new."""
        if known.is_poll:
            self.outgoing.allowance.spare("GitHub")
        with self.errors():
            memory = self._remembered(known)
            tip = await self._tip(text(memory, "etag"))
            revision = text(memory, "revision")
            if revision is not None and (tip is None or tip.sha == revision):
                rules = await self._rules.judge(
                    memory, ask=known.is_poll or known.is_asked, new=False
                )
                kept = {**memory, **({"etag": tip.etag} if tip else {}), **rules.memory}
                return Unchanged(revision, memory=kept, notice=_notice(rules.notice, kept))
            if tip is None:
                raise SourceUnavailableError("GitHub has answered 304 to a call without a tag.")
            rules = await self._rules.judge(memory, ask=True, new=True)
            return await self._read(tip, memory, rules)

    async def at(self, commit: str, known: Known) -> Listing | Unchanged:
        """Return the folder at any commit, whose rules nobody asks for: it is a proposal."""
        with self.errors():
            return await self._read(Tip(commit, None), self._remembered(known), RulesFound())

    async def fork_point(self, commit: str, known: Known) -> str | None:
        """Return where a proposal has left what is in service; None where nobody knows."""
        if known.revision is None:
            return None
        with self.errors():
            return await self._repository.merge_base(known.revision, commit)

    async def contents(self, revision: str, entries: Collection[Entry]) -> Mapping[str, bytes]:
        """Return contents by blob id: up to 50 one by one, more by one archive."""
        wanted = paths_by_blob(entries, self._place.folder)
        found: dict[str, bytes] = {}
        if len(wanted) > MOST_SINGLE:
            with self.errors():
                archive = await self._repository.archive(revision, most=_MOST_ARCHIVE)
            if archive is not None:
                found = await asyncio.to_thread(unpacked, archive, wanted)
        return await fetched_singly(wanted, self._blob, found)

    def errors(self) -> AbstractContextManager[None]:
        """Return what turns errors of calls to this repository into those of a source."""
        return as_source_errors(self._masks)

    def usage(self) -> SourceUsage:
        """Return how often it was called, and what is left."""
        return self.outgoing.usage()

    async def close(self) -> None:
        """Close connections."""
        await self.outgoing.close()

    async def _read(
        self, tip: Tip, memory: Mapping[str, Any], rules: RulesFound
    ) -> Listing | Unchanged:
        """List a commit that is new: as little of it as it differs from what is known."""
        facts = await self._repository.commit(tip.sha)
        shown = _shown(facts, self.folder)
        fresh = {**memory, "of": self._of, "revision": tip.sha, "etag": tip.etag, **rules.memory}
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
            return await self._repository.tip(self._place.branch, etag)
        except NoBranchError as error:
            told = f"GitHub: {error}; correct CATALOG_BRANCH, or bring it back."
            raise SourceGoneError(told) from error
        except LookupError as error:
            raise SourceGoneError(f"GitHub: {error}.") from error

    async def _folder(self, root: Mapping[str, SizedEntry]) -> str:
        """Return the tree of the folder, which may be several levels deep."""
        here, tree = root, ""
        for part in self._place.folder.split("/"):
            here = await self._directory(tree) if tree else here
            entry = here.get(part)
            if entry is None or entry.type != _TREE:
                raise FolderGoneError(
                    f"{self._place.repository} has no folder {self._place.folder} on the branch "
                    f"{self._place.branch}; correct CATALOG_REPOSITORY_PATH."
                )
            tree = entry.sha
        return tree

    async def _directory(self, tree: str) -> Mapping[str, SizedEntry]:
        found = await self._repository.tree(tree)
        if found.truncated:
            raise SourceUnavailableError("GitHub has listed a folder of the repository in part.")
        return {entry.path: entry for entry in found.entries}

    async def _below(self, tree: str) -> tuple[Entry, ...]:
        found = await self._repository.tree(tree, deep=True)
        if found.truncated:
            raise SourceUnavailableError(
                f"{self._place.folder} is too large: GitHub has listed a part of it only. Give "
                "the catalog a folder of its own."
            )
        return tuple(
            listed(entry.path, entry.sha, entry.mode, entry.size)
            for entry in found.entries
            if entry.type != _TREE
        )

    async def _owners(
        self, root: Mapping[str, SizedEntry], memory: Mapping[str, Any]
    ) -> OwnersFile:
        if self._place.ownership is OwnershipMode.OFF:
            return OwnersFile()

        async def read(tree: str, _place: str) -> Mapping[str, SizedEntry]:
            return await self._directory(tree)

        return await find_owners_file(root, read, memory.get("owner_folders"), Dialect.GITHUB)

    async def _blob(self, blob: str) -> bytes:
        # A document is no longer than its listing has said; CODEOWNERS may be.
        with self.errors():
            content = await self._repository.blob(blob, most=MOST_UNLISTED)
        if not is_content_of(content, blob):
            raise SourceMovedError("GitHub sent other content than it had listed.")
        return content

    def _remembered(self, known: Known) -> Mapping[str, Any]:
        """Return what was remembered, if it is about this very place and what is in service."""
        memory = known.memory
        mine = memory.get("of") == self._of and memory.get("revision") == known.revision
        return memory if mine else {}

    async def _send(self, out: Outbound) -> GitHubResponse:
        return await self.outgoing.send(
            out.method,
            out.url,
            headers=out.headers,
            content=out.content,
            max_body=out.max_body,
            redirects=out.redirects,
        )


def _shown(facts: CommitFacts, folder: str) -> Commit:
    files = folder_url(facts.url, folder)
    return Commit(facts.sha, facts.subject, facts.author, facts.at, facts.url or None, files)


def _notice(rules: str | None, memory: Mapping[str, Any]) -> str | None:
    errors = memory.get("owner_errors")
    told = [rules] if rules else []
    if isinstance(errors, list) and errors:
        told.append(f"GitHub finds errors in CODEOWNERS: {', '.join(map(str, errors[:3]))}.")
    return " ".join(told) or None
