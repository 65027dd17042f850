"""The catalog in any repository that git can fetch by HTTP: Gitea, Bitbucket, CodeCommit.

Commits and trees are fetched at once, contents by their ids (``--filter=blob:none``), and read as
they are stored: no attribute and no setting changes a byte.
"""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.ownership import LOCATIONS, CodeOwnersDialect, OwnershipMode
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
)
from pao.app.git_sources.blobs import MAX_UNLISTED, too_long_error
from pao.app.git_sources.git_commands import GIT_SECONDS, GitCommands, GitRemote
from pao.app.git_sources.outgoing_calls import text
from pao.core.timestamps import moment

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TIP = "refs/pao/tip"
_REMOTE = "origin"
_DEFAULT = "ref: refs/heads/"
_TREE, _BLOB = "tree", "blob"
_SHA1_DIGITS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLocation:
    """Which folder of which branch is read, and whether CODEOWNERS is read beside it."""

    branch: str = "main"
    folder: str = "catalog"
    ownership: OwnershipMode = OwnershipMode.OFF


class GitSource:
    """Reads one folder of one branch; see ``catalog.sources.source`` for what it guarantees."""

    is_shared = True

    def __init__(
        self, remote: GitRemote, location: GitLocation, *, seconds: float = GIT_SECONDS
    ) -> None:
        self.name = f"git {remote.url.partition('://')[2]}"
        self.folder = location.folder
        self._remote = remote
        self._location = location
        self._identity = f"{remote.url} {location.branch} {location.folder} {location.ownership}"
        self._home = Path(tempfile.mkdtemp(prefix="pao-catalog-"))
        self._ids: str | None = None
        self.git = GitCommands(remote, self._home, seconds=seconds)

    async def listing(self, known: ListingContext) -> Listing | Unchanged:
        """Return the folder at the tip of the branch: one call if nothing is new."""
        memory = self._memory_of(known)
        tip = await self._tip()
        if tip == text(memory, "revision"):
            return Unchanged(tip, memory=memory)
        await self._fetch(tip)
        return await self._read(tip, memory)

    async def contents(
        self, revision: str, entries: Collection[SourceEntry]
    ) -> Mapping[str, bytes]:
        """Return contents by blob id, fetched in one call."""
        wanted = sorted({entry.blob for entry in entries})
        await self._ensure_fetched(revision)
        sizes = await self._local_sizes()
        if missing := [blob for blob in wanted if blob not in sizes]:
            await self._fetch_blobs(missing)
            sizes = await self._local_sizes()
        if not sizes.keys() >= set(wanted):
            raise SourceMovedError("The repository no longer has a file that it had listed.")
        if long := [blob for blob in wanted if sizes[blob] > MAX_UNLISTED]:
            raise too_long_error(long)
        found = await self._blobs(wanted)
        for blob, content in found.items():
            if not is_content_of(content, blob):
                raise SourceUnavailableError("git returned other content than it had listed.")
        return found

    def usage(self) -> SourceUsage:
        """Return how often the remote was called; how many calls remain is unknown."""
        return SourceUsage(self.git.calls)

    async def close(self) -> None:
        """Remove the cache."""
        await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)

    async def _tip(self) -> str:
        name = f"refs/heads/{self._location.branch}"
        found = await self.git.remote("ls-remote", "--symref", "--", self._remote.url, "HEAD", name)
        default = ""
        for line in found.decode(errors="replace").splitlines():
            sha, _, ref = line.partition("\t")
            if ref == name and _ID.fullmatch(sha):
                return sha
            if ref == "HEAD" and sha.startswith(_DEFAULT):
                default = f" (its default branch is {sha.removeprefix(_DEFAULT)})"
        raise SourceGoneError(
            f"git: the repository has no branch {self._location.branch}{default}; correct "
            "CATALOG_BRANCH, or restore it."
        )

    async def _fetch(self, commit: str) -> None:
        """Fetch a commit with its trees; raises if a push has replaced it meanwhile."""
        await self._prepare(_ids_of(commit))
        await self.git.remote(
            "fetch",
            "--quiet",
            "--no-tags",
            "--depth=1",
            "--filter=blob:none",
            "--no-write-fetch-head",
            "--end-of-options",
            _REMOTE,
            f"+refs/heads/{self._location.branch}:{_TIP}",
        )
        if (await self.git.local("rev-parse", _TIP)).decode().strip() != commit:
            raise SourceMovedError("The branch has moved while it was fetched.")

    async def _prepare(self, ids: str) -> None:
        """Create the local repository; one with another kind of ids is recreated."""
        if self._is_prepared(ids):
            return
        self._ids = None
        await asyncio.to_thread(_empty_folder, self._home)
        await self.git.local("init", "--quiet", "--bare", f"--object-format={ids}", ".")
        for key, value in (
            ("core.repositoryFormatVersion", "1"),
            ("extensions.partialClone", _REMOTE),
            (f"remote.{_REMOTE}.url", self._remote.url),
            (f"remote.{_REMOTE}.promisor", "true"),
            (f"remote.{_REMOTE}.partialCloneFilter", "blob:none"),
        ):
            await self.git.local("config", key, value)
        self._ids = ids

    def _is_prepared(self, ids: str) -> bool:
        # The folder may vanish while a process runs for weeks.
        return self._ids == ids and (self._home / "config").exists()

    async def _read(self, tip: str, memory: Mapping[str, Any]) -> Listing | Unchanged:
        commit = await self._commit(tip)
        folder = await self._entry(f"{tip}:", self._location.folder)
        if folder is None or folder[1] != _TREE:
            raise FolderGoneError(
                f"The repository has no folder {self._location.folder} on the branch "
                f"{self._location.branch}; correct CATALOG_REPOSITORY_PATH."
            )
        owners = await self._owners(tip)
        fresh = {
            "of": self._identity,
            "revision": tip,
            "folder": folder[2],
            "owners": owners.blob if owners else None,
        }
        if fresh["folder"] == text(memory, "folder") and fresh["owners"] == memory.get("owners"):
            return Unchanged(tip, commit, fresh)
        entries = [
            SourceEntry(path, sha, mode)
            for mode, kind, sha, path in await self._list_tree("-r", folder[2])
            if kind != _TREE
        ]
        return Listing(tip, tuple(entries), (owners,) if owners else (), commit, fresh)

    async def _owners(self, tip: str) -> SourceEntry | None:
        """Return the CODEOWNERS file, at the places and by the rules of GitHub."""
        if self._location.ownership is OwnershipMode.OFF:
            return None
        for path in LOCATIONS[CodeOwnersDialect.GITHUB]:
            found = await self._entry(f"{tip}:", path)
            if found is not None and found[1] == _BLOB:
                return SourceEntry(path, found[2], found[0])
        return None

    async def _entry(self, tree: str, path: str) -> tuple[str, str, str, str] | None:
        return next(iter(await self._list_tree(tree, "--", path)), None)

    async def _list_tree(self, *arguments: str) -> list[tuple[str, str, str, str]]:
        """Return mode, type, id and path of entries."""
        out = await self.git.local("ls-tree", "-z", "--full-tree", *arguments)
        found = []
        # Names that are not UTF-8 stay different.
        for line in out.decode(errors="backslashreplace").split("\0"):
            head, tab, path = line.partition("\t")
            if tab:
                mode, kind, sha = head.split()
                found.append((mode, kind, sha, path))
        return found

    async def _commit(self, tip: str) -> SourceCommit:
        out = await self.git.local("show", "--no-patch", "--format=%s%x00%an%x00%cI", tip)
        subject, author, at = out.decode(errors="replace").rstrip("\n").split("\0")
        return SourceCommit(tip, subject[:200], author[:200], moment(at))

    async def _ensure_fetched(self, revision: str) -> None:
        """Fetch a commit unless it is here; a new process, or one without its cache, has none."""
        if not self._is_prepared(_ids_of(revision)):
            await self._fetch(revision)

    async def _local_sizes(self) -> dict[str, int]:
        """Return the lengths of all local objects by their ids.

        Asking git for a missing one would fetch it.
        """
        asked = ("--batch-all-objects", "--unordered", "--batch-check=%(objectname) %(objectsize)")
        out = (await self.git.local("cat-file", *asked)).decode().split()
        return dict(zip(out[::2], map(int, out[1::2]), strict=True))

    async def _fetch_blobs(self, blobs: Collection[str]) -> None:
        """Fetch contents by their ids, as a partial clone does for itself one by one."""
        await self.git.remote(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--recurse-submodules=no",
            "--filter=blob:none",
            "--stdin",
            _REMOTE,
            given="\n".join(blobs).encode() + b"\n",
            # Local commits do not tell which contents are here.
            config={"fetch.negotiationAlgorithm": "noop"},
        )

    async def _blobs(self, blobs: Collection[str]) -> dict[str, bytes]:
        out = await self.git.local("cat-file", "--batch", given="\n".join(blobs).encode() + b"\n")
        found: dict[str, bytes] = {}
        at = 0
        while at < len(out):
            end = out.index(b"\n", at)
            name, _, size = out[at:end].decode().split()
            at = end + 1 + int(size)
            found[name] = out[end + 1 : at]
            at += 1
        return found

    def _memory_of(self, known: ListingContext) -> Mapping[str, Any]:
        """Return what was remembered, if it is about this location and what is in service."""
        memory = known.memory
        is_current = memory.get("of") == self._identity and memory.get("revision") == known.revision
        return memory if is_current else {}


def _ids_of(commit: str) -> str:
    """Return the kind of ids of a repository, given one of them."""
    return "sha1" if len(commit) == _SHA1_DIGITS else "sha256"


def _empty_folder(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, exist_ok=True)
