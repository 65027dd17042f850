"""The action type git-commit: one atomic commit, optionally with a pull request."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from activities.action_errors import ActionFailedError, IncompleteError, NothingToAdoptError
from activities.base import Action, ActionContext
from activities.github.access import adding_partial, as_action_errors, open_repository
from activities.github.commit_builder import CommitBuilder, correcting_files
from activities.github.commit_config import GitCommitConfig, GitCommitOutputs
from activities.github.commits import (
    CommitBranches,
    choose_branches,
    find_own_commit,
    has_trailers,
    own_branch,
    trailers,
)
from activities.github.first_commit import find_initial_commit
from catalog.templating import Escaping
from pao.clients.github import GitHubClient, GitHubCommit, PullRequest
from pao.core.failure_classes import CONFLICT
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.failures import PartialResource

_WORKFLOWS = (
    "The commit touches .github/workflows: that takes the scope workflow of a token, or the "
    "permission workflows of an App."
)


class GitCommitAction(Action[GitCommitConfig]):
    """Creates one commit; trailers in commit and pull request identify them later."""

    type = "git-commit"
    summary = "Commits files to a GitHub repository, optionally through a pull request."
    resource_type = "git-commit"
    config = GitCommitConfig
    outputs = GitCommitOutputs
    default_timeout = 30.0
    targets: ClassVar[Mapping[str, Escaping]] = {
        "commitMessage": Escaping.COMMIT,
        "title": Escaping.COMMIT,
        "body": Escaping.MARKDOWN,
    }
    can_revise = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "repository": "platform/tenants",
            "branch": "main",
            "files": [
                {
                    "path": "tenants/{{fields.name}}.yaml",
                    "operation": "create",
                    "contentTemplate": "name: {{json(fields.name)}}\n",
                }
            ],
            "commitMessage": "Add the tenant {{fields.name}}",
        },
        {
            "repository": "platform/tenants",
            "branch": "main",
            "files": [{"path": "tenants/shop.yaml", "operation": "delete"}],
            "commitMessage": "Remove the tenant shop",
            "createPullRequest": True,
            "title": "Remove the tenant shop",
            "body": "Nobody uses it any more.",
            "reviewers": ["ann", "platform/team-platform"],
        },
    )

    async def look(self, config: GitCommitConfig, context: ActionContext) -> ActionResult | None:
        """Search for pull request and commit; raises if a retry has to complete them."""
        client = open_repository(context, config.repository, config.instance).client
        with as_action_errors():
            place = await choose_branches(client, config, context.mark)
            pull = (
                await _find_own_pull(client, context, place) if config.create_pull_request else None
            )
            _require_not_closed(pull)
            commit = await find_own_commit(client, context, place.branch)
            if config.create_pull_request:
                _require_complete(commit, pull, config, place)
            if commit is None and pull is not None:
                commit = GitHubCommit(pull.head_sha, "")
            if commit is not None:
                return _result(commit, place, pull)
            left = await find_initial_commit(client, context, place)
        if left is not None:
            raise NothingToAdoptError(
                "The empty repository was initialized, but the commit was not made. A retry makes "
                "it.",
                partial=[left],
            )
        return None

    async def execute(self, config: GitCommitConfig, context: ActionContext) -> ActionResult:
        """Create what is missing: commit, pull request, review requests."""
        client = open_repository(context, config.repository, config.instance).client
        with as_action_errors(hint=_WORKFLOWS if config.writes_workflows else ""):
            place = await choose_branches(client, config, context.mark)
            pull = await _find_own_pull(client, context, place) if context.attempt > 1 else None
            commit = await find_own_commit(client, context, place.branch)
            if commit is None and pull is None:
                commit = await CommitBuilder(client, context, config, place).build()
                await context.log.info("The commit was made.", data={"sha": commit.sha})
            commit = commit or GitHubCommit(pull.head_sha if pull else "", "")
            return await _propose(client, context, config, place, commit=commit, pull=pull)

    async def revise(
        self,
        config: GitCommitConfig,
        context: ActionContext,
        found: ActionResult | None,  # noqa: ARG002 -- the branch says what is there
        former: GitCommitConfig,
    ) -> ActionResult:
        """Commit the corrected files on top, and open the pull request if there is none."""
        client = open_repository(context, config.repository, config.instance).client
        with as_action_errors(hint=_WORKFLOWS if config.writes_workflows else ""):
            place = await choose_branches(client, config, context.mark)
            pull = await _find_own_pull(client, context, place)
            made = await find_own_commit(client, context, place.branch)
            if made is None:
                raise ActionFailedError(
                    f"The former commit is not on {place.branch} any more, so nothing can be "
                    "committed on top of it. Retry without changes, or abort.",
                    judged=CONFLICT,
                )
            on_top = config.model_copy(
                update={"files": correcting_files(former.files, config.files)}
            )
            commit = await CommitBuilder(client, context, on_top, place).build(besides=made.sha)
            await context.log.info("A correction was committed on top.", data={"sha": commit.sha})
            return await _propose(client, context, config, place, commit=commit, pull=pull)

    def place(self, config: GitCommitConfig) -> str:
        """Return the server, the repository and the branch."""
        server = config.instance or "the default server"
        return f"branch {config.branch} of {config.repository} on {server}"

    def cleanup(self, result: ActionResult) -> str:
        """Return what to undo when the request is abandoned."""
        outputs = result.outputs
        if outputs.get("pullRequestUrl"):
            return (
                f"Close the pull request {outputs['pullRequestUrl']} and delete the branch "
                f"{outputs['branch']}; if it was merged, revert it."
            )
        return f"Revert the commit {result.external_reference} on {outputs['branch']}."


async def _propose(  # noqa: PLR0913 -- what a pull request is made of, each part named.
    client: GitHubClient,
    context: ActionContext,
    config: GitCommitConfig,
    place: CommitBranches,
    *,
    commit: GitHubCommit,
    pull: PullRequest | None,
) -> ActionResult:
    """Open the pull request of a commit where configured, and request reviews."""
    if not config.create_pull_request:
        return _result(commit, place)
    with _reporting_partial(_partial_commit(commit, place)):
        pull = pull or await _open_pull(client, context, config, place)
        await context.log.info("The pull request is open.", data={"url": pull.url})
    with _reporting_partial(_partial_commit(commit, place), _partial_pull(pull)):
        await _ask_reviewers(client, config, pull)
    return _result(commit, place, pull)


@contextmanager
def _reporting_partial(*partial: PartialResource) -> Iterator[None]:
    with adding_partial(*partial), as_action_errors():
        yield


async def _find_own_pull(
    client: GitHubClient, context: ActionContext, place: CommitBranches
) -> PullRequest | None:
    if place.base is None:
        return None
    for pull in await client.pull_requests(place.branch, place.base):
        if has_trailers(pull.body, context.mark) or place.branch == own_branch(context.mark):
            return pull
    return None


async def _open_pull(
    client: GitHubClient, context: ActionContext, config: GitCommitConfig, place: CommitBranches
) -> PullRequest:
    title = config.title or config.commit_message.strip().splitlines()[0][:256]
    body = f"{(config.body or '').strip()}\n\n{trailers(context)}".lstrip()
    return await client.create_pull_request(place.branch, place.base or "", title=title, body=body)


async def _ask_reviewers(client: GitHubClient, config: GitCommitConfig, pull: PullRequest) -> None:
    if pull.state == "open" and _lacks_reviewers(config, pull):
        await client.request_review(pull.number, users=config.users, teams=config.teams)


def _require_not_closed(pull: PullRequest | None) -> None:
    """Raise if people have closed the pull request without merging it."""
    if pull is not None and pull.state != "open" and not pull.merged:
        raise ActionFailedError(
            f"The pull request {pull.url} was closed without being merged: the change will not be "
            "made. Reopen it and retry, or abort the request.",
            partial=[_partial_pull(pull)],
            refused=True,
        )


def _require_complete(
    commit: GitHubCommit | None,
    pull: PullRequest | None,
    config: GitCommitConfig,
    place: CommitBranches,
) -> None:
    """Raise IncompleteError, with what exists, if a part is missing."""
    committed = [_partial_commit(commit, place)] if commit is not None else []
    if pull is None and commit is not None:
        raise IncompleteError(
            f"The commit {commit.sha} is there, but no pull request for it. A retry opens it "
            "without committing again.",
            partial=committed,
        )
    if pull is not None and pull.state == "open" and _lacks_reviewers(config, pull):
        raise IncompleteError(
            f"The pull request {pull.url} is open, but not all reviewers have been asked. A retry "
            "asks the others.",
            partial=[*committed, _partial_pull(pull)],
        )


def _lacks_reviewers(config: GitCommitConfig, pull: PullRequest) -> bool:
    users = {name.lower() for name in config.users} - pull.reviewers
    teams = {name.lower() for name in config.teams} - pull.teams
    return bool(users or teams)


def _partial_commit(commit: GitHubCommit, place: CommitBranches) -> PartialResource:
    return PartialResource(
        "git-commit",
        id=commit.sha,
        url=commit.url or None,
        cleanup=f"Delete the branch {place.branch}, or revert the commit {commit.sha} on it.",
    )


def _partial_pull(pull: PullRequest) -> PartialResource:
    return PartialResource(
        "pull-request",
        id=str(pull.number),
        url=pull.url,
        cleanup=f"Close the pull request {pull.number}.",
    )


def _result(
    commit: GitHubCommit, place: CommitBranches, pull: PullRequest | None = None
) -> ActionResult:
    url = pull.url if pull else commit.url or None
    return ActionResult(
        outputs={
            "commitSha": commit.sha,
            "commitUrl": commit.url or None,
            "branch": place.branch,
            "pullRequestNumber": pull.number if pull else None,
            "pullRequestUrl": pull.url if pull else None,
            "url": url,
        },
        external_reference=commit.sha,
        url=url,
    )


ACTION = GitCommitAction()
