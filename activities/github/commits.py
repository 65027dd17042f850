"""One commit through GitHub's git data: what stands there is checked, then all is made at once."""

import asyncio
from dataclasses import dataclass
from typing import Any

from activities.base import ActionContext
from activities.errors import ActionFailedError
from activities.github.access import since
from activities.github.commit_config import CommitFile, FileOperation, GitCommitConfig
from pao.clients.github import Commit, Entry, GitHub, GitHubRefused

REQUEST_TRAILER, ACTION_TRAILER = "PAO-Request", "PAO-Action"
PARALLEL = 4
_MOST_PAGES = 10
_PAGE = 100
_FILE, _LINK = "100644", "120000"
_MOVED_ON = frozenset({409, 422})


@dataclass(frozen=True, slots=True)
class Place:
    """The branch that gets the commit, and the one that it is begun from and merged into."""

    branch: str
    base: str | None


async def place_of(client: GitHub, config: GitCommitConfig, mark: str) -> Place:
    """Decide which branch gets the commit: never the one that a pull request goes into."""
    if not config.createPullRequest:
        return Place(config.branch, config.baseBranch)
    base = config.baseBranch or await client.default_branch()
    return Place(own_branch(mark) if config.branch == base else config.branch, base)


def own_branch(mark: str) -> str:
    """Give the name of the branch that only this action's commit is on."""
    return mark.replace("pao-", "pao/", 1)


def trailers(context: ActionContext) -> str:
    """Give the lines by which a commit or a pull request of this action is found again."""
    lines = {REQUEST_TRAILER: context.request.request_id, ACTION_TRAILER: context.mark}
    return "\n".join(f"{name}: {value}" for name, value in lines.items())


def carries(text: str, mark: str) -> bool:
    """Tell whether a text ends with our trailers; what stands above them is anybody's word."""
    last = text.replace("\r\n", "\n").rstrip().rpartition("\n\n")[2]
    return f"{ACTION_TRAILER}: {mark}" in last.splitlines()


async def own_commit(client: GitHub, context: ActionContext, branch: str) -> Commit | None:
    """Find this action's commit on a branch, among those since the request was submitted."""
    for page in range(1, _MOST_PAGES + 1):
        found = await client.commits(branch, since(context), page)
        for commit in found:
            if carries(commit.message, context.mark):
                return commit
        if len(found) < _PAGE:
            return None
    raise ActionFailedError(
        f"More than {_MOST_PAGES * _PAGE} commits were made on {branch} since the request was "
        "submitted, too many to look through. Look there by hand."
    )


async def make_commit(
    client: GitHub, context: ActionContext, config: GitCommitConfig, place: Place
) -> Commit:
    """Make the commit and put it on its branch; until the last call nobody sees any of it."""
    tip = await client.branch(place.branch)
    start = tip or (await client.branch(place.base) if place.base else None)
    if start is None:
        raise ActionFailedError(_no_branch(config, place))
    before = await client.commit(start)
    modes = await _modes(client, before.tree, config.files)
    entries = await _entries(client, config.files, modes)
    tree = await client.create_tree(before.tree, entries)
    message = f"{config.commitMessage.strip()}\n\n{trailers(context)}\n"
    commit = await client.create_commit(message, tree, start)
    await _put(client, place.branch, commit.sha, is_new=tip is None)
    return commit


async def _put(client: GitHub, branch: str, sha: str, *, is_new: bool) -> None:
    try:
        await (client.create_branch(branch, sha) if is_new else client.move_branch(branch, sha))
    except GitHubRefused as error:
        if error.status in _MOVED_ON:
            error.retryable = True
            error.message += (
                " If somebody else has pushed in the meantime: nothing of theirs was touched, and "
                "a retry makes the commit anew on top of it."
            )
        raise


def _no_branch(config: GitCommitConfig, place: Place) -> str:
    if place.base is None:
        return (
            f"{config.repository} has no branch {place.branch}: correct it, or name the branch "
            "from which it is to be begun as baseBranch."
        )
    return f"{config.repository} has neither a branch {place.branch} nor {place.base}."


async def _modes(client: GitHub, root: str, files: tuple[CommitFile, ...]) -> dict[str, str]:
    """Give the mode of each file, as it will be; refuses all that do not fit what is there."""
    walk = _Walk(client, root)
    modes: dict[str, str] = {}
    problems: list[str] = []
    for file in files:
        try:
            modes[file.path] = _mode(file, await walk.entry(file.path))
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ActionFailedError(f"The commit was not made: {'; '.join(problems)}.")
    return modes


def _mode(file: CommitFile, there: Entry | None) -> str:
    if file.operation is FileOperation.CREATE:
        if there is not None:
            raise ValueError(f"{file.path} exists already, so it cannot be created")
        return _FILE
    if there is None:
        raise ValueError(f"there is no {file.path} to {file.operation}")
    if there.type != "blob" or there.mode == _LINK:
        raise ValueError(f"{file.path} is no plain file, but {_what(there)}")
    return there.mode


def _what(entry: Entry) -> str:
    kinds = {"tree": "a directory", "commit": "a submodule"}
    return kinds.get(entry.type, "a symbolic link" if entry.mode == _LINK else "a file")


class _Walk:
    """Walks down the directories of a commit, each read once; follows no link out of them."""

    def __init__(self, client: GitHub, root: str) -> None:
        self._client = client
        self._root = root
        self._read: dict[str, dict[str, Entry]] = {}

    async def entry(self, path: str) -> Entry | None:
        """Give what stands at a path, or None; raises ``ValueError`` where the way is barred."""
        *folders, name = path.split("/")
        sha = self._root
        for depth, folder in enumerate(folders, start=1):
            entry = (await self._entries(sha)).get(folder)
            if entry is None:
                return None
            if entry.type != "tree":
                above = "/".join(folders[:depth])
                raise ValueError(f"{path} would lead through {above}, which is {_what(entry)}")
            sha = entry.sha
        return (await self._entries(sha)).get(name)

    async def _entries(self, sha: str) -> dict[str, Entry]:
        if sha not in self._read:
            self._read[sha] = await self._client.tree(sha)
        return self._read[sha]


async def _entries(
    client: GitHub, files: tuple[CommitFile, ...], modes: dict[str, str]
) -> list[dict[str, Any]]:
    limit = asyncio.Semaphore(PARALLEL)

    async def entry(file: CommitFile) -> dict[str, Any]:
        sha = None
        if file.contentTemplate is not None:
            async with limit:
                sha = await client.create_blob(file.contentTemplate)
        return {"path": file.path, "mode": modes[file.path], "type": "blob", "sha": sha}

    tasks = [asyncio.create_task(entry(file)) for file in files]
    try:
        # Not a task group: the first error is to be told as it is.
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
