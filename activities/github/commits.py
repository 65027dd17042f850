"""Finds an action's commit and its place in the branch; commit_builder.py creates it."""

from collections.abc import Callable
from dataclasses import dataclass

from activities.action_errors import ActionFailedError
from activities.base import ActionContext
from activities.github.access import request_start
from activities.github.commit_config import GitCommitConfig
from pao.clients.github import PAGE, GitHubClient, GitHubCommit

REQUEST_TRAILER, ACTION_TRAILER = "PAO-Request", "PAO-Action"
MOST_PAGES = 10


@dataclass(frozen=True, slots=True)
class CommitBranches:
    """The branch of the commit, and the one it starts from and is merged into."""

    branch: str
    base: str | None


async def choose_branches(
    client: GitHubClient, config: GitCommitConfig, mark: str
) -> CommitBranches:
    """Return the branches of the commit; a pull request never goes into its own branch."""
    if not config.create_pull_request:
        return CommitBranches(config.branch, config.base_branch)
    base = config.base_branch or await client.default_branch()
    return CommitBranches(own_branch(mark) if config.branch == base else config.branch, base)


def own_branch(mark: str) -> str:
    """Return the name of the branch that only this action's commit is on."""
    return mark.replace("pao-", "pao/", 1)


def trailers(context: ActionContext) -> str:
    """Return the trailers that identify a commit or pull request of this action."""
    lines = {REQUEST_TRAILER: context.request.request_id, ACTION_TRAILER: context.mark}
    return "\n".join(f"{name}: {value}" for name, value in lines.items())


def has_trailers(text: str, mark: str) -> bool:
    """Return whether a text ends with this action's trailers; the rest is untrusted."""
    last = text.replace("\r\n", "\n").rstrip().rpartition("\n\n")[2]
    return f"{ACTION_TRAILER}: {mark}" in last.splitlines()


async def find_own_commit(
    client: GitHubClient, context: ActionContext, branch: str
) -> GitHubCommit | None:
    """Find this action's commit on a branch, among those since the request was submitted."""
    return await find_commit(client, context, branch, lambda text: has_trailers(text, context.mark))


async def find_commit(
    client: GitHubClient, context: ActionContext, branch: str, fits: Callable[[str], bool]
) -> GitHubCommit | None:
    """Find the newest commit since the request was submitted whose message fits."""
    for page in range(1, MOST_PAGES + 1):
        found = await client.commits(branch, request_start(context), page)
        for commit in found:
            if fits(commit.message):
                return commit
        if len(found) < PAGE:
            return None
    raise ActionFailedError(
        f"More than {MOST_PAGES * PAGE} commits were made on {branch} since the request was "
        "submitted, too many to look through. Look there by hand."
    )
