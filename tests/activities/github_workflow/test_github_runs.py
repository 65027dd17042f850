"""Runs that are waited for: their end, their loss, and what comes between."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from activities.action_errors import ActionFailedError, NothingToAdoptError, OutcomeUnknownError
from activities.actions.github_workflow import ACTION
from activities.progress import ActionProgress
from pao.core.failure_classes import Cause
from pao.core.payloads.waits import Pending
from tests.support.github import GitHubSandbox
from tests.support.github_actions import (
    action_context,
    github_sandbox,
    next_attempt,
)
from tests.support.github_runs import PROVISIONING, add_plain, config, follow, plain


async def test_a_run_is_started_and_waited_for(github: GitHubSandbox) -> None:
    context, given = (
        action_context(github.options()),
        config(inputs={"namespace": "shop", "environment": 1}),
    )
    started = await ACTION.execute(given, context)
    [run] = github.runs()
    expected = {"namespace": "shop", "environment": "1", "pao_mark": context.mark}
    assert run["inputs"] == expected
    assert started.pending == Pending("follow", {**(started.pending or Pending("")).state})
    assert started.outputs["runId"] == str(run["id"])
    waiting = asyncio.create_task(follow(given, context, started))
    github.tell("runs", id=run["id"], status="in_progress")
    github.end(run["id"])
    ended = await waiting
    assert ended.pending is None
    assert ended.outputs == {
        "runId": str(run["id"]),
        "url": f"{github.url}/{PROVISIONING}/actions/runs/{run['id']}",
        "status": "completed",
        "conclusion": "success",
    }
    ACTION.outputs.model_validate(ended.outputs)


async def test_a_failed_run_names_its_job_and_step_and_is_told_as_left_behind(
    github: GitHubSandbox,
) -> None:
    context, given = action_context(github.options()), config()
    started = await ACTION.execute(given, context)
    number = github.runs()[0]["id"]
    github.end(number, "failure", failed={"job": "provision", "step": "Apply the manifests"})
    with pytest.raises(ActionFailedError) as caught:
        await follow(given, context, started)
    assert 'ended with failure: job "provision", step "Apply the manifests".' in str(caught.value)
    assert str(started.url) in caught.value.message
    [left] = caught.value.partial
    assert (left.type, left.id, left.url) == ("github-workflow-run", str(number), started.url)


async def test_a_failed_run_may_be_no_failure(github: GitHubSandbox) -> None:
    context, given = action_context(github.options()), config(failOnWorkflowFailure=False)
    started = await ACTION.execute(given, context)
    github.end(github.runs()[0]["id"], "failure")
    ended = await follow(given, context, started)
    assert ended.outputs["conclusion"] == "failure"


async def test_a_retry_starts_a_failed_run_anew_and_waits_for_the_new_one(
    enterprise: GitHubSandbox,
) -> None:
    first, given = action_context(enterprise.options()), config()
    await ACTION.execute(given, first)
    old = enterprise.runs()[0]["id"]
    enterprise.end(old, "failure")
    second = next_attempt(first)
    with pytest.raises(NothingToAdoptError, match=f"left by earlier attempts: {old}") as caught:
        await ACTION.look(given, second)
    started = await ACTION.execute(given, second)
    assert [one.id for one in started.partial] == [str(old)]
    assert started.partial == [*caught.value.partial]
    new = enterprise.runs()[1]["id"]
    enterprise.end(new)
    assert (await follow(given, second, started)).outputs["runId"] == str(new)


@pytest.mark.parametrize("kind", ["cut-after", "garbage", "huge"])
async def test_a_run_whose_answer_was_lost_is_found_by_its_mark(
    github: GitHubSandbox, kind: str
) -> None:
    context, given = action_context(github.options()), config()
    github.fault(kind, path="dispatches")
    with pytest.raises(OutcomeUnknownError):
        await ACTION.execute(given, context)
    found = await ACTION.look(given, next_attempt(context))
    assert found is not None
    [run] = github.runs()
    assert found.outputs["runId"] == str(run["id"])
    assert found.pending is not None
    assert found.pending.state["runId"] == run["id"]


async def test_a_run_that_is_listed_late_is_waited_for(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with github_sandbox(tmp_path_factory.mktemp("late"), listing_lag=0.4) as late:
        context, given = action_context(late.options(listing_lag=3.0)), config()
        await ACTION.execute(given, context)
        assert await ACTION.look(given, next_attempt(context)) is not None


async def test_nothing_is_found_for_another_request(github: GitHubSandbox) -> None:
    await ACTION.execute(config(), action_context(github.options()))
    assert await ACTION.look(config(), action_context(github.options())) is None


async def test_without_a_mark_a_lost_answer_is_not_guessed_about(github: GitHubSandbox) -> None:
    add_plain(github)
    context = action_context(github.options())
    assert await ACTION.look(plain(), context) is None
    github.fault("cut-after", path="dispatches")
    with pytest.raises(OutcomeUnknownError):
        await ACTION.execute(plain(), context)
    with pytest.raises(ActionFailedError, match="it is unknown whether"):
        await ACTION.look(plain(), next_attempt(context))
    github.end(github.runs()[0]["id"], "failure")
    assert await ACTION.look(plain(), next_attempt(context)) is None


async def test_a_wait_ends_with_its_timeout_and_a_retry_waits_again(github: GitHubSandbox) -> None:
    context, given = action_context(github.options()), config(timeout=1)
    started = await ACTION.execute(given, context)
    assert started.pending is not None
    started.pending.state["until"] = context.request.submitted_at
    with pytest.raises(
        OutcomeUnknownError, match="did not finish within 1 s and is still running"
    ) as caught:
        await follow(given, context, started)
    assert caught.value.retryable
    adopted = await ACTION.look(given, next_attempt(context))
    assert adopted is not None
    assert adopted.pending is not None
    assert adopted.pending.state["until"] > context.request.submitted_at


async def test_a_run_that_was_waited_for_is_found_again_although_its_name_shows_no_mark(
    github: GitHubSandbox,
) -> None:
    add_plain(github)
    context, given = action_context(github.options()), plain(waitForCompletion=True)
    started = await ACTION.execute(given, context)
    retried = next_attempt(context)
    with pytest.raises(ActionFailedError, match="it is unknown whether"):
        await ACTION.look(given, retried)
    found = await ACTION.look(given, replace(retried, earlier=started.pending))
    assert found is not None
    assert found.url == started.url
    assert found.pending is not None


async def test_another_worker_carries_a_wait_on(enterprise: GitHubSandbox) -> None:
    context, given = action_context(enterprise.options()), config()
    started = await ACTION.execute(given, context)
    number = enterprise.runs()[0]["id"]
    elsewhere = action_context(
        enterprise.options(),
        request_id=context.request.request_id,
        progress=ActionProgress({"runId": number}),
    )
    enterprise.end(number)
    ended = await follow(given, elsewhere, started)
    assert ended.outputs["conclusion"] == "success"
    assert len(enterprise.runs()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503},
        {"kind": "cut-before"},
        {"kind": "garbage"},
        {"kind": "huge"},
        {"kind": "secondary-limit", "retry_after": "0"},
        {"kind": "rate-limit", "retry_after": "1"},
        {"kind": "html"},
        {"kind": "status", "status": 401},
        {"kind": "status", "status": 403},
        {"kind": "status", "status": 404},
    ],
)
async def test_a_wait_outlasts_a_bad_moment_of_github(
    github: GitHubSandbox, fault: dict[str, Any]
) -> None:
    context, given = action_context(github.options()), config()
    started = await ACTION.execute(given, context)
    github.fault(**fault, path=r"/runs/\d+$", times=2)
    github.end(github.runs()[0]["id"])
    assert (await follow(given, context, started)).outputs["conclusion"] == "success"


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_wait_ends_in_doubt_where_github_keeps_refusing(
    github: GitHubSandbox, status: int
) -> None:
    context, given = action_context(github.options()), config()
    started = await ACTION.execute(given, context)
    github.fault("status", status=status, path=r"/runs/\d+$", times=None)
    with pytest.raises(OutcomeUnknownError, match="can no longer be read") as caught:
        await follow(given, context, started)
    assert caught.value.http_status == status
    assert [left.url for left in caught.value.partial] == [started.url]


async def test_a_run_that_is_gone_is_not_started_a_second_time(github: GitHubSandbox) -> None:
    context, given = action_context(github.options()), config()
    started = await ACTION.execute(given, context)
    github.tell("runs", id=github.runs()[0]["id"], deleted=True)
    with pytest.raises(OutcomeUnknownError, match="can no longer be read"):
        await follow(given, context, started)
    with pytest.raises(ActionFailedError, match="is gone from GitHub") as caught:
        await ACTION.look(given, replace(next_attempt(context), earlier=started.pending))
    assert caught.value.askable is False
    assert github.runs() == []


@pytest.mark.parametrize(
    ("moved", "cause", "text"),
    [
        ("platform/elsewhere", Cause.OURS, "renamed or moved to http"),
        (None, Cause.ACCESS, "may not see it"),
    ],
)
async def test_a_repository_that_was_renamed_or_deleted_ends_a_wait_in_doubt(
    github: GitHubSandbox, moved: str | None, cause: Cause, text: str
) -> None:
    context, given = action_context(github.options()), config()
    started = await ACTION.execute(given, context)
    github.tell("repositories", name=PROVISIONING, moved=moved)
    with pytest.raises(OutcomeUnknownError, match=text) as caught:
        await follow(given, context, started)
    assert caught.value.cause is cause
    assert [left.url for left in caught.value.partial] == [started.url]
    with pytest.raises(ActionFailedError, match=text) as refused:
        await ACTION.look(given, replace(next_attempt(context), earlier=started.pending))
    assert refused.value.cause is cause
    assert len(github.runs()) == 1


async def test_cancelling_a_wait_cancels_the_run(github: GitHubSandbox) -> None:
    context, given = action_context(github.options()), config()
    started = await ACTION.execute(given, context)
    assert started.pending is not None
    for _ in range(2):
        await ACTION.cancel(given, context, started.pending)
    [run] = github.runs()
    assert (run["status"], run["conclusion"]) == ("completed", "cancelled")
