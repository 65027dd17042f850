"""A run whose start nobody was told of is found again, whatever has happened meanwhile."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from activities.action_errors import ActionFailedError, OutcomeUnknownError
from activities.actions.github_workflow import ACTION
from activities.github.commits import MOST_PAGES
from pao.core.timestamps import timestamp
from tests.support.github import GitHubSandbox
from tests.support.github_actions import action_context, next_attempt
from tests.support.github_runs import PROVISIONING, config, follow
from tests.support.worker import eventually


async def start_others(github: GitHubSandbox, number: int) -> None:
    """Have other requests start runs of the same workflow."""
    await ACTION.execute(config(), action_context(github.options()))
    github.tell("runs", id=github.runs()[-1]["id"], copies=number - 1)


def list_late(github: GitHubSandbox) -> int:
    """Keep the newest run off the list until it is told when it was started."""
    number = int(github.runs()[-1]["id"])
    github.tell("runs", id=number, at=time.time() + 3600)
    return number


def pages_read(github: GitHubSandbox) -> list[str]:
    """Return the pages of lists of runs that were read."""
    return [
        call["query"]["page"]
        for call in github.calls()
        if call["method"] == "GET" and call["path"].endswith("/provision.yml/runs")
    ]


async def test_a_run_is_found_on_a_later_page_of_the_list(github: GitHubSandbox) -> None:
    context, given = action_context(github.options()), config()
    github.fault("cut-after", path="dispatches")
    with pytest.raises(OutcomeUnknownError):
        await ACTION.execute(given, context)
    await start_others(github, 101)
    found = await ACTION.look(given, next_attempt(context))
    assert found is not None
    assert found.external_reference == str(github.runs()[0]["id"])


async def test_no_run_is_started_where_there_are_too_many_to_look_through(
    github: GitHubSandbox,
) -> None:
    context, given = action_context(github.options()), config()
    await start_others(github, 1000)
    with pytest.raises(ActionFailedError, match="too many to look through"):
        await ACTION.look(given, next_attempt(context))


async def test_a_run_that_is_listed_late_is_waited_for_among_a_thousand_others(
    enterprise: GitHubSandbox,
) -> None:
    context, given = action_context(enterprise.options(), seconds=60), config()
    await start_others(enterprise, 1000)
    started = await ACTION.execute(given, context)
    number = list_late(enterprise)
    waiting = asyncio.create_task(follow(given, context, started))
    await eventually(lambda: waiting.done() or len(pages_read(enterprise)) > MOST_PAGES)
    enterprise.end(number, at=time.time())
    assert (await waiting).outputs["runId"] == str(number)


async def test_a_wait_reads_only_the_runs_since_its_own_was_started(
    enterprise: GitHubSandbox,
) -> None:
    context, given = action_context(enterprise.options(), seconds=60), config()
    submitted = datetime.now(UTC) - timedelta(days=20)
    request = replace(context.request, submitted_at=timestamp(submitted))
    context = replace(context, request=request)
    await ACTION.execute(given, action_context(enterprise.options()))
    old = enterprise.runs()[0]["id"]
    enterprise.tell("runs", id=old, at=(submitted + timedelta(days=1)).timestamp())
    enterprise.tell("runs", id=old, copies=150)
    started = await ACTION.execute(given, context)
    number = list_late(enterprise)
    waiting = asyncio.create_task(follow(given, context, started))
    await eventually(lambda: len(pages_read(enterprise)) > 2)
    enterprise.end(number, at=time.time())
    assert (await waiting).outputs["runId"] == str(number)
    assert set(pages_read(enterprise)) == {"1"}


async def test_a_run_is_found_after_another_branch_became_the_default(
    github: GitHubSandbox,
) -> None:
    context, given = action_context(github.options()), config(ref=None)
    github.fault("cut-after", path="dispatches")
    with pytest.raises(OutcomeUnknownError):
        await ACTION.execute(given, context)
    github.tell("pushes", repository=PROVISIONING, branch="trunk", files={"README.md": "New."})
    github.tell("repositories", name=PROVISIONING, default_branch="trunk")
    found = await ACTION.look(given, next_attempt(context))
    assert found is not None
    assert found.external_reference == str(github.runs()[0]["id"])
