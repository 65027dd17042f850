"""Creates one commit through GitHub's Git data API, on a branch that others push to as well.

Nothing is visible before the last call. If others push meanwhile, the commit is rebuilt on top
of theirs.
"""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from activities.action_errors import ActionFailedError
from activities.base import ActionContext
from activities.github.access import adding_partial, as_action_errors
from activities.github.commit_config import CommitFile, FileOperation, GitCommitConfig
from activities.github.commits import CommitBranches, find_own_commit, trailers
from activities.github.first_commit import PATH, has_initial_file, initialize_repository
from pao.clients.github import GitHubClient, GitHubCommit, GitHubRefusedError, GitHubTreeEntry
from pao.core.failure_classes import CONFLICT, PROTECTED, REFUSED

PARALLEL = 4
MAX_ATTEMPTS = 12
_PAUSE_SECONDS = 0.25
_FILE, _EXECUTABLE, _LINK = "100644", "100755", "120000"
_MODES = {"file": _FILE, "executable": _EXECUTABLE}
# GitHub's statuses for a reference that has moved; other reasons have the same ones.
_MOVED_ON = frozenset({409, 422})


@dataclass(slots=True)
class _FirstLook:
    """The entries at the paths, and the tip, when this action looked first."""

    tip: str | None = None
    entries: dict[str, GitHubTreeEntry | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _BaseCommit:
    """The commit to build on, and the branch's tip (None: the branch does not exist yet)."""

    tip: str | None
    commit: GitHubCommit


@dataclass(frozen=True, slots=True)
class CommitBuilder:
    """Makes the commit of one action, from what its configuration says."""

    client: GitHubClient
    context: ActionContext
    config: GitCommitConfig
    place: CommitBranches

    async def build(self, *, besides: str | None = None) -> GitHubCommit:
        """Make the commit and put it on its branch, retrying while others push.

        ``besides`` is an existing commit of this action that is not the one to make.
        """
        start = await self._find_base()
        if start is not None:
            return await self._commit_with_retries(start, besides=besides)
        left = await initialize_repository(self.client, self.context, self.place)
        if left is None:
            raise ActionFailedError(self._no_branch_message(), judged=REFUSED)
        with adding_partial(left), as_action_errors():
            return await self._commit_with_retries(await self._find_base())

    async def _commit_with_retries(
        self, start: _BaseCommit | None, *, besides: str | None = None
    ) -> GitHubCommit:
        seen = _FirstLook()
        blobs: dict[str, str] = {}
        branch = self.place.branch
        for attempt in range(MAX_ATTEMPTS):
            start = start if attempt == 0 else await self._find_base()
            if start is None:
                raise ActionFailedError(self._no_branch_message(), judged=REFUSED)
            found = await find_own_commit(self.client, self.context, branch) if attempt else None
            if found is not None and found.sha != besides:
                return found
            if not blobs:
                blobs = await _blobs(self.client, self.config.files)
            try:
                return await self._try_commit(start, blobs=blobs, seen=seen)
            except GitHubRefusedError as error:
                if error.status not in _MOVED_ON or error.judged is PROTECTED:
                    raise
                if not await self._has_moved(start.tip):
                    raise
                message = "Somebody else has pushed; the commit is rebuilt on top."
                await self.context.log.info(message)
            await asyncio.sleep(_PAUSE_SECONDS * random.random())  # noqa: S311 -- a jitter
        raise ActionFailedError(
            f"Others pushed to {branch} {MAX_ATTEMPTS} times while the commit was made. "
            "Nothing was changed; retry later.",
            judged=CONFLICT,
        )

    async def _find_base(self) -> _BaseCommit | None:
        tip = await self.client.branch(self.place.branch)
        start = tip or (await self.client.branch(self.place.base) if self.place.base else None)
        return _BaseCommit(tip, await self.client.commit(start)) if start else None

    async def _try_commit(
        self, start: _BaseCommit, *, blobs: Mapping[str, str], seen: _FirstLook
    ) -> GitHubCommit:
        walk = _TreeWalk(self.client, start.commit.tree)
        there = await _find_entries(walk, self.config.files)
        if seen.tip is None:
            seen.tip, seen.entries = start.commit.sha, there
        modes = _file_modes(self.config.files, there, seen)
        entries = [
            {"path": path, "mode": mode, "type": "blob", "sha": blobs.get(path)}
            for path, mode in modes.items()
        ]
        if PATH not in modes and has_initial_file(await walk.root()):
            entries.append({"path": PATH, "mode": _FILE, "type": "blob", "sha": None})
        tree = await self.client.create_tree(start.commit.tree, entries)
        message = f"{self.config.commit_message.strip()}\n\n{trailers(self.context)}\n"
        commit = await self.client.create_commit(message, tree, start.commit.sha)
        if start.tip is None:
            await self.client.create_branch(self.place.branch, commit.sha)
        else:
            await self.client.move_branch(self.place.branch, commit.sha)
        return commit

    async def _has_moved(self, tip: str | None) -> bool:
        """Return whether a branch has moved from where a refused call assumed it to be.

        Checked twice: a replica may lag, and a branch rule refuses with the same status.
        """
        if await self.client.branch(self.place.branch) != tip:
            return True
        await asyncio.sleep(_PAUSE_SECONDS)
        return await self.client.branch(self.place.branch) != tip

    def _no_branch_message(self) -> str:
        repository, place = self.config.repository, self.place
        if place.base is None:
            return (
                f"{repository} has no branch {place.branch}: correct it, or name the branch "
                "to start it from as baseBranch."
            )
        return f"{repository} has neither a branch {place.branch} nor {place.base}."


def correcting_files(
    former: tuple[CommitFile, ...], wanted: tuple[CommitFile, ...]
) -> tuple[CommitFile, ...]:
    """Return the files of a commit that corrects the former one below it."""
    written = {one.path: one for one in former if one.operation is not FileOperation.DELETE}
    update = {"operation": FileOperation.UPDATE}
    files = [
        one.model_copy(update=update)
        if one.path in written and one.operation is FileOperation.CREATE
        else one
        for one in wanted
    ]
    kept = {one.path for one in wanted}
    gone = [
        CommitFile(path=path, operation=FileOperation.DELETE)
        for path, one in written.items()
        if path not in kept and one.operation is FileOperation.CREATE
    ]
    return (*files, *gone)


async def _find_entries(
    walk: "_TreeWalk", files: tuple[CommitFile, ...]
) -> dict[str, GitHubTreeEntry | None]:
    """Return the entries at the paths of the files; raises for paths that are blocked."""
    found: dict[str, GitHubTreeEntry | None] = {}
    problems: list[str] = []
    for file in files:
        try:
            found[file.path] = await walk.entry(file.path)
        except ValueError as error:
            problems.append(str(error))
    _raise_if_any(problems)
    return found


def _file_modes(
    files: tuple[CommitFile, ...], there: Mapping[str, GitHubTreeEntry | None], seen: _FirstLook
) -> dict[str, str]:
    """Return the future mode of each file; raises for files that do not fit what exists."""
    modes: dict[str, str] = {}
    problems: list[str] = []
    for file in files:
        try:
            modes[file.path] = _file_mode(file, there[file.path], seen.entries[file.path])
        except ValueError as error:
            problems.append(str(error))
    _raise_if_any(problems)
    return modes


def _raise_if_any(problems: list[str]) -> None:
    if problems:
        message = f"The commit was not made: {'; '.join(problems)}."
        raise ActionFailedError(message, judged=CONFLICT)


def _file_mode(
    file: CommitFile, there: GitHubTreeEntry | None, before: GitHubTreeEntry | None
) -> str:
    if file.operation is FileOperation.CREATE:
        if there is not None:
            just = "was just created by somebody else" if before is None else "exists already"
            raise ValueError(f"{file.path} {just}, so it cannot be created")
        return _MODES[file.mode or "file"]
    if there is None:
        just = "no longer a" if before is not None else "no"
        raise ValueError(f"there is {just} {file.path} to {file.operation}")
    if there.type != "blob" or there.mode == _LINK:
        raise ValueError(f"{file.path} is not a regular file but {_describe_entry(there)}")
    if before is None or there.sha != before.sha:
        raise ValueError(
            f"{file.path} was changed by somebody else while the commit was being made; review "
            f"it, and retry to {file.operation} it anyway"
        )
    return _MODES[file.mode] if file.mode else there.mode


def _describe_entry(entry: GitHubTreeEntry) -> str:
    kinds = {"tree": "a directory", "commit": "a submodule"}
    return kinds.get(entry.type, "a symbolic link" if entry.mode == _LINK else "a file")


class _TreeWalk:
    """Walks down the directories of a commit, each read once; follows no link out of them."""

    def __init__(self, client: GitHubClient, root: str) -> None:
        self._client = client
        self._root = root
        self._read: dict[str, dict[str, GitHubTreeEntry]] = {}

    async def entry(self, path: str) -> GitHubTreeEntry | None:
        """Return the entry at a path, or None; raises ``ValueError`` where the path is blocked."""
        *folders, name = path.split("/")
        sha = self._root
        for depth, folder in enumerate(folders, start=1):
            entry = (await self._entries(sha)).get(folder)
            if entry is None:
                return None
            if entry.type != "tree":
                above = "/".join(folders[:depth])
                raise ValueError(
                    f"{path} would lead through {above}, which is {_describe_entry(entry)}"
                )
            sha = entry.sha
        return (await self._entries(sha)).get(name)

    async def root(self) -> dict[str, GitHubTreeEntry]:
        """Return the entries of the root."""
        return await self._entries(self._root)

    async def _entries(self, sha: str) -> dict[str, GitHubTreeEntry]:
        if sha not in self._read:
            self._read[sha] = await self._client.tree(sha)
        return self._read[sha]


async def _blobs(client: GitHubClient, files: tuple[CommitFile, ...]) -> dict[str, str]:
    """Store the contents of the files; return their hashes by path."""
    limit = asyncio.Semaphore(PARALLEL)

    async def stored(path: str, content: bytes) -> tuple[str, str]:
        async with limit:
            return path, await client.create_blob(content)

    contents = ((file.path, file.content) for file in files)
    tasks = [
        asyncio.create_task(stored(path, content))
        for path, content in contents
        if content is not None
    ]
    try:
        # Not a task group, which would wrap the first error.
        return dict(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
