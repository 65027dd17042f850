"""One commit: its files, its mark, and what GitHub may answer."""

import base64
import hashlib
import re
from typing import Any

import pytest
from pydantic import ValidationError

from activities.action_errors import ActionFailedError, OutcomeUnknownError
from activities.actions.git_commit import ACTION
from activities.github.commits import has_trailers
from pao.core.failure_classes import Cause
from tests.support.actions import ActionRunner
from tests.support.git_commits import NEW, TENANTS, config, proposal
from tests.support.github import GitHubSandbox
from tests.support.github_actions import (
    SERVER,
    action_context,
    assert_fits_published_api,
    github_sandbox,
    next_attempt,
)


async def test_creating_updating_and_deleting_is_one_commit(github: GitHubSandbox) -> None:
    context = action_context(github.options())
    github.tell("pushes", repository=TENANTS, files={"old/a.txt": "a", "old/b.txt": "b"})
    before = len(github.branch(TENANTS)["messages"])
    files = [
        NEW,
        {"path": "README.md", "operation": "update", "contentTemplate": "# Ours\n"},
        {"path": "old/a.txt", "operation": "delete"},
    ]
    result = await ACTION.execute(config(files=files), context)
    branch = github.branch(TENANTS)
    assert len(branch["messages"]) == before + 1
    assert branch["messages"][0] == (
        f"Add the tenant cart\n\nPAO-Request: {context.request.request_id}\n"
        f"PAO-Action: {context.mark}\n"
    )
    assert branch["files"] == {
        "README.md": "# Ours\n",
        "old/b.txt": "b",
        "tenants/cart.yaml": "name: cart\n",
        "tenants/shop.yaml": "name: shop\nowner: team-shop\nquota: 4\n",
    }
    assert result.outputs["commitSha"] == branch["sha"]
    assert result.url == f"{github.url}/{TENANTS}/commit/{branch['sha']}"
    ACTION.outputs.model_validate(result.outputs)


async def test_an_older_server_takes_the_same_calls(tmp_path: Any) -> None:
    with github_sandbox(tmp_path, flavour=SERVER) as enterprise:
        given = proposal(reviewers=["ann"])
        result = await ACTION.execute(given, action_context(enterprise.options()))
        assert result.outputs["pullRequestNumber"] == 1
        assert_fits_published_api(enterprise)


async def test_a_commit_whose_answer_was_lost_is_adopted_with_the_same_outputs(
    github: GitHubSandbox,
) -> None:
    context = action_context(github.options())
    github.fault("cut-after", method="PATCH")
    with pytest.raises(OutcomeUnknownError, match="may or may not"):
        await ACTION.execute(config(), context)
    found = await ACTION.look(config(), next_attempt(context))
    assert found is not None
    assert found.outputs == (await ACTION.execute(config(), next_attempt(context))).outputs
    assert found.outputs["commitSha"] == github.branch(TENANTS)["sha"]
    assert len(github.branch(TENANTS)["messages"]) == 2


@pytest.mark.parametrize("path", ["git/blobs", "git/trees$", "git/commits$"])
@pytest.mark.parametrize("kind", ["cut-after", "garbage", "huge", "status"])
async def test_a_step_without_an_answer_leaves_the_outcome_unknown_and_is_made_again(
    github: GitHubSandbox, path: str, kind: str
) -> None:
    context = action_context(github.options())
    fault = {"kind": "status", "status": 503} if kind == "status" else {"kind": kind}
    github.fault(**fault, method="POST", path=path)
    with pytest.raises(OutcomeUnknownError) as caught:
        await ACTION.execute(config(), context)
    assert caught.value.retryable
    assert await ACTION.look(config(), next_attempt(context)) is None
    await ACTION.execute(config(), next_attempt(context))
    assert len(github.branch(TENANTS)["messages"]) == 2


async def test_bytes_and_the_right_to_run_are_written(github: GitHubSandbox) -> None:
    content = bytes(range(256))
    encoded = base64.b64encode(content).decode()
    files = [
        {"path": "a.bin", "contentTemplate": encoded, "encoding": "base64"},
        {
            "path": "b.bin",
            "contentTemplate": f"data:application/octet-stream;base64,{encoded}",
            "encoding": "base64",
        },
        {"path": "run.sh", "contentTemplate": "#!/bin/sh\n", "mode": "executable"},
        {
            "path": "README.md",
            "operation": "update",
            "contentTemplate": "x",
            "mode": "executable",
        },
    ]
    await ACTION.execute(config(files=files), action_context(github.options()))
    branch = github.branch(TENANTS)
    blob = hashlib.sha1(b"blob 256\0" + content, usedforsecurity=False).hexdigest()
    assert branch["hashes"]["a.bin"] == branch["hashes"]["b.bin"] == blob
    assert branch["modes"]["a.bin"] == "100644"
    assert branch["modes"]["run.sh"] == branch["modes"]["README.md"] == "100755"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ({"path": "README.md", "contentTemplate": "x"}, "README.md exists already"),
        ({"path": "no.md", "operation": "update", "contentTemplate": "x"}, "no no.md to update"),
        ({"path": "tenants/no.yaml", "operation": "delete"}, "no tenants/no.yaml to delete"),
        ({"path": "README.md/x", "contentTemplate": "x"}, "through README.md, which is a file"),
        ({"path": "link/x", "contentTemplate": "x"}, "through link, which is a symbolic link"),
        ({"path": "link", "operation": "update", "contentTemplate": "x"}, "is not a regular file"),
        ({"path": "folder", "operation": "delete"}, "is not a regular file but a directory"),
    ],
)
async def test_a_file_that_does_not_fit_what_is_there_is_told(
    github: GitHubSandbox, file: dict[str, Any], text: str
) -> None:
    github.tell("pushes", repository=TENANTS, files={"link": "-> /etc", "folder/x": ""})
    sha = github.branch(TENANTS)["sha"]
    with pytest.raises(ActionFailedError, match=text):
        await ACTION.execute(config(files=[NEW, file]), action_context(github.options()))
    assert github.branch(TENANTS)["sha"] == sha


async def test_an_updated_script_stays_executable(github: GitHubSandbox) -> None:
    github.tell("pushes", repository=TENANTS, files={"run.sh": "#!/bin/sh"}, mode="100755")
    file = {"path": "run.sh", "operation": "update", "contentTemplate": "#!/bin/sh\n"}
    await ACTION.execute(config(files=[file]), action_context(github.options()))
    assert github.branch(TENANTS)["modes"]["run.sh"] == "100755"


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"branch": "nowhere"}, Cause.INPUT),
        ({"files": [{"path": "README.md", "contentTemplate": "x"}]}, Cause.CONFLICT),
        ({"files": [{"path": "none.md", "operation": "delete"}]}, Cause.CONFLICT),
    ],
)
async def test_what_does_not_fit_the_repository_has_its_cause(
    github: GitHubSandbox, values: dict[str, Any], cause: Cause
) -> None:
    github.tell("pushes", repository=TENANTS, files={"README.md": "read"})
    with pytest.raises(ActionFailedError) as caught:
        await ACTION.execute(config(**values), action_context(github.options()))
    assert caught.value.cause is cause


async def test_a_repository_that_may_not_be_seen_is_not_taken_for_one_without_the_branch(
    github: GitHubSandbox,
) -> None:
    context = action_context(github.options())
    await ACTION.execute(config(), context)
    github.fault("status", status=404, path=f"/repos/{TENANTS}", times=None)
    for attempt in (
        ACTION.execute(config(), context),
        ACTION.look(config(), next_attempt(context)),
    ):
        with pytest.raises(ActionFailedError, match="may not see it") as caught:
            await attempt
        assert caught.value.cause == Cause.ACCESS


async def test_another_persons_word_is_no_mark(github: GitHubSandbox) -> None:
    victim = action_context(github.options())
    forged = f"Hello\n\nPAO-Action: {victim.mark}"
    await ACTION.execute(config(commitMessage=forged), action_context(github.options()))
    assert await ACTION.look(config(), victim) is None
    assert has_trailers(f"text\r\n\r\nPAO-Request: x\r\nPAO-Action: {victim.mark}\r\n", victim.mark)


async def test_workflow_files_need_the_catalogs_word_and_githubs_permission(
    tmp_path: Any,
) -> None:
    file = {"path": ".github/workflows/x.yml", "contentTemplate": "on: push\n"}
    with pytest.raises(ValidationError, match="allowWorkflowFiles"):
        config(files=[file])
    allowed = config(files=[file], allowWorkflowFiles=True)
    with (
        github_sandbox(tmp_path, may_write_workflows=False) as strict,
        pytest.raises(ActionFailedError, match="permission workflows of an App"),
    ):
        await ACTION.execute(allowed, action_context(strict.options()))


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        ({"kind": "status", "status": 401}, ActionFailedError, "credentials"),
        ({"kind": "status", "status": 403}, ActionFailedError, "no right"),
        ({"kind": "status", "status": 404}, ActionFailedError, "does not exist"),
        ({"kind": "status", "status": 429}, ActionFailedError, "rate limit"),
        ({"kind": "status", "status": 500}, OutcomeUnknownError, "Retry later"),
        ({"kind": "status", "status": 302}, OutcomeUnknownError, "check GITHUB_API_URL"),
        (
            {"kind": "status", "status": 422, "message": "Protected branch update failed"},
            ActionFailedError,
            "The branch is protected",
        ),
        ({"kind": "status", "status": 502}, OutcomeUnknownError, "HTTP 502"),
        ({"kind": "secondary-limit"}, ActionFailedError, "in 30 s"),
        ({"kind": "html"}, OutcomeUnknownError, "not a response of GitHub"),
        ({"kind": "huge"}, OutcomeUnknownError, "too long to read"),
        ({"kind": "cut-before"}, OutcomeUnknownError, "may or may not"),
    ],
)
async def test_each_bad_answer_to_the_last_step_is_told_apart(
    github: GitHubSandbox, fault: dict[str, Any], error: type[Exception], text: str
) -> None:
    github.fault(**fault, method="PATCH")
    with pytest.raises(error, match=text) as caught:
        await ACTION.execute(config(), action_context(github.options()))
    assert github.settings.token not in f"{caught.value} {caught.value.__dict__}"


@pytest.mark.parametrize("kind", ["slow", "drip"])
async def test_a_push_answered_too_slowly_leaves_its_outcome_unknown(
    github: GitHubSandbox, kind: str
) -> None:
    github.fault(kind, method="PATCH", seconds=30)
    context = action_context(github.options(), seconds=1.5)
    with pytest.raises(OutcomeUnknownError):
        await ACTION.execute(config(), context)
    assert await ACTION.look(config(), next_attempt(context)) is not None


async def test_a_value_mentions_closes_and_adds_nothing(github: GitHubSandbox) -> None:
    stage = ActionRunner(ACTION, options=github.options())
    value = "@platform/all closes #1\n\nCo-authored-by: Eve <e@example.com> [skip ci] <img src=x>"
    given = {
        "repository": TENANTS,
        "branch": "main",
        "files": [NEW],
        "commitMessage": "Add {{fields.title}} (closes #7)",
        "createPullRequest": True,
        "title": "New: {{fields.title}}",
        "body": "Asked for: {{fields.title}}\n\ncc @ann",
    }
    result = await stage.execute(stage.request(given, title=value))
    await stage.close()
    [pull] = github.pulls()
    message = github.branch(TENANTS, str(result.outputs["branch"]))["messages"][0]
    for told in (pull["title"], pull["body"], message):
        assert "platform/all" in told
        assert not re.search(r"@platform|#1\b|authored-by:|\[skip ci\]", told), told
    assert message.startswith("Add @\u200bplatform/all")
    assert "(closes #7)" in message
    assert "cc @ann" in pull["body"]
    assert "<img" not in pull["body"]
