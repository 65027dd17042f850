"""Commits that are proposed: their branch, their pull request, its reviewers."""

import pytest

from activities.action_errors import ActionFailedError, IncompleteError, OutcomeUnknownError
from activities.actions.git_commit import ACTION
from activities.github.commits import own_branch
from tests.support.git_commits import EMPTY, TENANTS, proposal
from tests.support.github import GitHubSandbox
from tests.support.github_actions import action_context, next_attempt


async def test_a_pull_request_gets_a_branch_of_its_own_and_its_reviewers(
    github: GitHubSandbox,
) -> None:
    context = action_context(github.options())
    given = proposal(title="A cart", body="Please.", reviewers=["@ann", "platform/team-platform"])
    result = await ACTION.execute(given, context)
    [pull] = github.pulls()
    assert (pull["head"]["ref"], pull["base"]["ref"]) == (own_branch(context.mark), "main")
    assert (pull["title"], pull["body"].partition("\n")[0]) == ("A cart", "Please.")
    assert [user["login"] for user in pull["requested_reviewers"]] == ["ann"]
    assert [team["slug"] for team in pull["requested_teams"]] == ["team-platform"]
    assert "tenants/cart.yaml" not in github.branch(TENANTS)["files"]
    assert result.outputs["branch"] == own_branch(context.mark)
    assert result.url == pull["html_url"]
    assert await ACTION.look(given, next_attempt(context)) is not None


async def test_a_branch_that_is_named_gets_the_commit_of_a_pull_request(
    github: GitHubSandbox,
) -> None:
    await ACTION.execute(proposal(branch="add-cart"), action_context(github.options()))
    [pull] = github.pulls()
    assert (pull["head"]["ref"], pull["base"]["ref"]) == ("add-cart", "main")
    assert pull["title"] == "Add the tenant cart"


@pytest.mark.parametrize("kind", ["cut-after", "garbage"])
async def test_a_pull_request_whose_answer_was_lost_is_adopted(
    github: GitHubSandbox, kind: str
) -> None:
    context, given = action_context(github.options()), proposal()
    github.fault(kind, method="POST", path="/pulls$")
    with pytest.raises(OutcomeUnknownError) as caught:
        await ACTION.execute(given, context)
    assert [left.type for left in caught.value.partial] == ["git-commit"]
    found = await ACTION.look(given, next_attempt(context))
    assert found is not None
    assert found.outputs["pullRequestNumber"] == 1
    assert found.outputs["commitSha"] == github.branch(TENANTS, own_branch(context.mark))["sha"]


async def test_a_retry_completes_what_is_half_done(github: GitHubSandbox) -> None:
    context, given = action_context(github.options()), proposal(reviewers=["ann"])
    github.fault("status", method="POST", path="/pulls$", status=403)
    with pytest.raises(ActionFailedError):
        await ACTION.execute(given, context)
    with pytest.raises(IncompleteError, match="no pull request for it") as half:
        await ACTION.look(given, next_attempt(context))
    assert [left.type for left in half.value.partial] == ["git-commit"]
    github.fault("status", method="POST", path="requested_reviewers", status=503)
    with pytest.raises(OutcomeUnknownError) as caught:
        await ACTION.execute(given, next_attempt(context))
    assert [left.type for left in caught.value.partial] == ["git-commit", "pull-request"]
    with pytest.raises(IncompleteError, match="not all reviewers have been asked") as half:
        await ACTION.look(given, next_attempt(context))
    assert half.value.partial == caught.value.partial
    result = await ACTION.execute(given, next_attempt(context))
    assert result.outputs["pullRequestNumber"] == 1
    assert len(github.branch(TENANTS, own_branch(context.mark))["messages"]) == 2
    assert len(github.pulls()) == 1


async def test_a_merged_pull_request_is_found_without_its_branch(github: GitHubSandbox) -> None:
    context, given = action_context(github.options()), proposal()
    made = await ACTION.execute(given, context)
    github.tell("merges", repository=TENANTS, number=1, delete_branch=True)
    found = await ACTION.look(given, next_attempt(context))
    assert found is not None
    assert found.outputs["commitSha"] == made.outputs["commitSha"]


async def test_a_pull_request_that_was_closed_unmerged_is_a_refusal(github: GitHubSandbox) -> None:
    context, given = action_context(github.options()), proposal()
    made = await ACTION.execute(given, context)
    github.tell("merges", repository=TENANTS, number=1, merged=False)
    with pytest.raises(ActionFailedError, match="closed without being merged") as caught:
        await ACTION.look(given, next_attempt(context))
    assert caught.value.refused
    assert [left.url for left in caught.value.partial] == [made.url]


async def test_a_reviewer_who_cannot_be_asked_is_told(github: GitHubSandbox) -> None:
    with pytest.raises(ActionFailedError, match="only be requested from collaborators"):
        await ACTION.execute(proposal(reviewers=["nobody"]), action_context(github.options()))


async def test_a_pull_request_in_an_empty_repository_goes_into_the_branch_it_was_begun_by(
    github: GitHubSandbox,
) -> None:
    github.tell("repositories", name=EMPTY)
    context = action_context(github.options())
    result = await ACTION.execute(proposal(repository=EMPTY), context)
    assert result.outputs["branch"] == own_branch(context.mark)
    assert github.pulls()[-1]["base"]["ref"] == "main"
