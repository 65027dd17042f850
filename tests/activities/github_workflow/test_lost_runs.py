"""A run whose start nobody was told of is found again, whatever has happened meanwhile."""

import pytest

from activities.action_errors import ActionFailedError, OutcomeUnknownError
from activities.actions.github_workflow import ACTION
from tests.support.github import GitHubSandbox
from tests.support.github_actions import about, again
from tests.support.github_runs import PROVISIONING, config, follow


async def start_others(github: GitHubSandbox, number: int) -> None:
    """Have other requests start runs of the same workflow."""
    await ACTION.execute(config(), about(github.options()))
    github.tell("runs", id=github.runs()[-1]["id"], copies=number - 1)


async def test_a_run_is_found_on_a_later_page_of_the_list(github: GitHubSandbox) -> None:
    context, given = about(github.options()), config()
    github.fault("cut-after", path="dispatches")
    with pytest.raises(OutcomeUnknownError):
        await ACTION.execute(given, context)
    await start_others(github, 101)
    found = await ACTION.look(given, again(context))
    assert found is not None
    assert found.external_reference == str(github.runs()[0]["id"])


async def test_no_run_is_started_where_there_are_too_many_to_look_through(
    github: GitHubSandbox,
) -> None:
    context, given = about(github.options()), config()
    await start_others(github, 1000)
    with pytest.raises(ActionFailedError, match="too many to look through"):
        await ACTION.look(given, again(context))


async def test_a_wait_that_cannot_look_through_the_runs_ends_in_doubt(
    enterprise: GitHubSandbox,
) -> None:
    context, given = about(enterprise.options()), config()
    started = await ACTION.execute(given, context)
    enterprise.tell("runs", id=enterprise.runs()[0]["id"], deleted=True)
    await start_others(enterprise, 1000)
    with pytest.raises(OutcomeUnknownError, match="too many to look through"):
        await follow(given, context, started)


async def test_a_run_is_found_after_another_branch_became_the_default(
    github: GitHubSandbox,
) -> None:
    context, given = about(github.options()), config(ref=None)
    github.fault("cut-after", path="dispatches")
    with pytest.raises(OutcomeUnknownError):
        await ACTION.execute(given, context)
    github.tell("pushes", repository=PROVISIONING, branch="trunk", files={"README.md": "New."})
    github.tell("repositories", name=PROVISIONING, default_branch="trunk")
    found = await ACTION.look(given, again(context))
    assert found is not None
    assert found.external_reference == str(github.runs()[0]["id"])
