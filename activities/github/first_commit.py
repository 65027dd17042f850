"""The first commit of an empty repository, which GitHub's Git data API cannot create.

The contents API can, but only one file at a time. So a small file is added first, and the real
commit on top removes it: that one has all files of the action, or none.
"""

import hashlib
from collections.abc import Mapping

from activities.base import ActionContext
from activities.github.commits import REQUEST_TRAILER, CommitBranches, find_commit
from pao.clients.github import GitHubClient, GitHubRefusedError, GitHubTreeEntry
from pao.core.payloads.failures import PartialResource

PATH = ".pao-begin"
CONTENT = b"The first commit removes this file.\n"
_BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT, usedforsecurity=False).hexdigest()
_TAKEN = frozenset({409, 422})


async def initialize_repository(
    client: GitHubClient, context: ActionContext, place: CommitBranches
) -> PartialResource | None:
    """Initialize an empty repository on its default branch; return the added file.

    None if the repository is not empty, or the commit does not use the default branch.
    """
    if not await client.is_empty():
        return None
    default = await client.default_branch()
    if default not in {place.branch, place.base}:
        return None
    try:
        sha = await client.create_first_commit(PATH, CONTENT, _message(context))
    except GitHubRefusedError as error:
        # Somebody else has initialized it meanwhile; their commit does as well.
        if error.status not in _TAKEN or await client.is_empty():
            raise
        sha = default
    else:
        await context.log.info("The empty repository was initialized.", data={"sha": sha})
    return _partial_commit(sha, default)


async def find_initial_commit(
    client: GitHubClient, context: ActionContext, place: CommitBranches
) -> PartialResource | None:
    """Return the initial file if this request has added it and it still exists."""
    default = await client.default_branch()
    tip = await client.branch(default) if default in {place.branch, place.base} else None
    if tip is None or not has_initial_file(await client.tree((await client.commit(tip)).tree)):
        return None
    own = _message(context).strip()
    made = await find_commit(client, context, default, lambda text: text.strip() == own)
    return _partial_commit(made.sha, default) if made else None


def has_initial_file(root: Mapping[str, GitHubTreeEntry]) -> bool:
    """Return whether the root directory of a commit holds the initial file."""
    return PATH in root and root[PATH].sha == _BLOB


def _message(context: ActionContext) -> str:
    return f"Begin the repository\n\n{REQUEST_TRAILER}: {context.request.request_id}\n"


def _partial_commit(sha: str, branch: str) -> PartialResource:
    return PartialResource(
        "git-commit",
        id=sha,
        cleanup=f"Remove {PATH} from {branch}: it was added to initialize the empty repository.",
    )
