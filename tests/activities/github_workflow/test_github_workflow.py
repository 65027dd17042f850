"""Starting a workflow on GitHub: what is sent, and what GitHub may answer."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from activities.action_errors import ActionFailedError, OutcomeUnknownError
from activities.actions.github_workflow import ACTION
from activities.options import ActionOptions, GitHubOptions
from pao.clients.github import GitHubInstance, GitHubInstances, TokenAuth
from pao.core.failure_classes import Cause
from tests.support.github import GitHubSandbox
from tests.support.github_actions import action_context, next_attempt
from tests.support.github_runs import PROVISIONING, add_plain, config, follow, plain


async def test_github_com_tells_the_run_in_its_answer(github: GitHubSandbox) -> None:
    await ACTION.execute(config(), action_context(github.options()))
    [dispatch] = [call for call in github.calls() if call["method"] == "POST"]
    assert dispatch["body"]["return_run_details"] is True
    assert not [call for call in github.calls() if call["path"].endswith("/runs")]


async def test_an_older_server_is_sent_only_what_it_knows_and_the_mark_finds_the_run(
    enterprise: GitHubSandbox,
) -> None:
    context, given = action_context(enterprise.options()), config()
    started = await ACTION.execute(given, context)
    assert started.outputs == {"status": "requested"}
    [dispatch] = [call for call in enterprise.calls() if call["method"] == "POST"]
    assert dispatch["path"].startswith("/api/v3/repos/")
    assert set(dispatch["body"]) == {"ref", "inputs"}
    [run] = enterprise.runs()
    assert context.mark in run["title"]
    enterprise.end(run["id"])
    ended = await follow(given, context, started)
    assert ended.outputs["runId"] == str(run["id"])
    assert context.progress.details == {"runId": run["id"]}


async def test_an_older_server_gets_nothing_started_that_could_not_be_found(
    enterprise: GitHubSandbox,
) -> None:
    add_plain(enterprise)
    with pytest.raises(ActionFailedError, match="declare the input pao_mark"):
        await ACTION.execute(plain(), action_context(enterprise.options()))
    assert enterprise.runs() == []


async def test_a_run_that_was_only_to_be_started_is_done_once_it_is_known(
    enterprise: GitHubSandbox, github: GitHubSandbox
) -> None:
    given = config(waitForCompletion=False)
    at_once = await ACTION.execute(given, action_context(github.options()))
    assert (at_once.pending, at_once.outputs["status"]) == (None, "queued")
    context = action_context(enterprise.options())
    later = await follow(given, context, await ACTION.execute(given, context))
    assert later.outputs["runId"] == str(enterprise.runs()[0]["id"])


@pytest.mark.parametrize("moved", ["platform/elsewhere", None])
async def test_nothing_is_started_in_a_repository_that_was_renamed_or_deleted(
    github: GitHubSandbox, moved: str | None
) -> None:
    github.tell("repositories", name=PROVISIONING, moved=moved)
    with pytest.raises(ActionFailedError) as caught:
        await ACTION.execute(config(), action_context(github.options()))
    assert caught.value.cause in {Cause.OURS, Cause.ACCESS}
    assert github.runs() == []


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        ({"kind": "status", "status": 401}, ActionFailedError, "credentials"),
        ({"kind": "status", "status": 403}, ActionFailedError, "no right"),
        ({"kind": "status", "status": 404}, ActionFailedError, "does not exist"),
        ({"kind": "status", "status": 422}, ActionFailedError, "HTTP 422"),
        ({"kind": "status", "status": 500}, OutcomeUnknownError, "Retry later"),
        ({"kind": "status", "status": 503}, OutcomeUnknownError, "It may have done it"),
        ({"kind": "status", "status": 408}, OutcomeUnknownError, "HTTP 408"),
        ({"kind": "status", "status": 302}, OutcomeUnknownError, "check GITHUB_API_URL"),
        ({"kind": "status", "status": 307}, OutcomeUnknownError, "renamed or moved"),
        ({"kind": "rate-limit"}, ActionFailedError, "rate limit"),
        ({"kind": "secondary-limit"}, ActionFailedError, "retry in 30 s"),
        ({"kind": "cut-before"}, OutcomeUnknownError, "may or may not"),
        ({"kind": "html", "status": 502}, OutcomeUnknownError, "HTTP 502"),
        ({"kind": "html"}, OutcomeUnknownError, "not a response of GitHub"),
    ],
)
async def test_each_bad_answer_to_a_dispatch_is_told_apart(
    github: GitHubSandbox, fault: dict[str, Any], error: type[Exception], text: str
) -> None:
    github.fault(**fault, path="dispatches")
    with pytest.raises(error, match=text) as caught:
        await ACTION.execute(config(), action_context(github.options()))
    assert github.settings.token not in f"{caught.value} {caught.value.__dict__}"


@pytest.mark.parametrize("kind", ["slow", "drip"])
async def test_a_dispatch_answered_too_slowly_leaves_its_outcome_unknown(
    github: GitHubSandbox, kind: str
) -> None:
    github.fault(kind, path="dispatches", seconds=30)
    context = action_context(github.options(), seconds=0.7)
    with pytest.raises(OutcomeUnknownError):
        await ACTION.execute(config(), context)
    assert await ACTION.look(config(), next_attempt(context)) is not None


async def test_a_refused_connection_is_a_failure_without_effect() -> None:
    nowhere = GitHubInstance("main", "http://127.0.0.1:9", TokenAuth(SecretStr("token")))
    options = ActionOptions(github=GitHubOptions(instances=GitHubInstances([nowhere])))
    with pytest.raises(ActionFailedError, match="Nothing was changed") as caught:
        await ACTION.execute(config(), action_context(options))
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"inputs": {f"i{n}": "x" for n in range(26)}}, "at most 25"),
        ({"inputs": {"pao_mark": "mine"}}, "gets the mark"),
        ({"repository": "nobody"}, "owner/name"),
        ({"repository": "a/.."}, "owner/name"),
        ({"workflowFile": "../../x.yml"}, "name of a file"),
        ({"ref": "a..b"}, "not a valid name of a branch"),
        ({"timeout": "soon"}, "write seconds"),
        ({"timeout": 0}, "write seconds"),
    ],
)
def test_what_github_would_not_take_is_refused_before(values: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        config(**values)


async def test_more_inputs_than_an_older_server_takes_are_refused_before_anything_is_sent(
    enterprise: GitHubSandbox,
) -> None:
    given = config(inputs={f"i{number}": "x" for number in range(10)})
    with pytest.raises(ActionFailedError, match="takes 10 at most"):
        await ACTION.execute(given, action_context(enterprise.options()))
    assert not [call for call in enterprise.calls() if call["method"] == "POST"]


async def test_an_undeclared_input_is_told_with_githubs_own_words(github: GitHubSandbox) -> None:
    with pytest.raises(ActionFailedError, match="Unexpected inputs provided"):
        await ACTION.execute(
            config(inputs={"namespace": "x", "nonsense": "y"}), action_context(github.options())
        )


async def test_the_default_branch_is_taken_where_no_ref_is_given(github: GitHubSandbox) -> None:
    await ACTION.execute(config(ref=None), action_context(github.options()))
    assert github.runs()[0]["ref"] == "main"


async def test_a_workflow_without_the_trigger_is_told_so(github: GitHubSandbox) -> None:
    files = {".github/workflows/push.yml": "on: push\njobs: {}\n"}
    github.tell("pushes", repository=PROVISIONING, files=files)
    with pytest.raises(ActionFailedError, match="add the trigger workflow_dispatch"):
        await ACTION.execute(config(workflowFile="push.yml"), action_context(github.options()))
