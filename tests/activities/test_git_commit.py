"""git-commit against the stand-in: one atomic commit, a pull request, and nothing made twice."""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from activities.action_errors import ActionFailedError, IncompleteError, OutcomeUnknownError
from activities.actions.git_commit import ACTION
from activities.github.commit_config import GitCommitConfig
from activities.github.commits import carries, own_branch
from pao.core.judgement import Cause
from tests.support.actions import Stage
from tests.support.github import GitHubSandbox
from tests.support.github_actions import (
    SERVER,
    about,
    again,
    close_network,
    fits_the_published_api,
    github_sandbox,
)

TENANTS = "platform/tenants"
NEW = {"path": "tenants/cart.yaml", "contentTemplate": "name: cart\n"}


@pytest.fixture(autouse=True)
async def _network() -> AsyncIterator[None]:
    yield
    await close_network()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubSandbox]:
    with github_sandbox(tmp_path_factory.mktemp("github")) as sandbox:
        yield sandbox


@pytest.fixture
def github(server: GitHubSandbox) -> Iterator[GitHubSandbox]:
    server.reset()
    yield server
    fits_the_published_api(server)


def config(**values: Any) -> GitCommitConfig:
    usual: dict[str, Any] = {
        "repository": TENANTS,
        "branch": "main",
        "files": [NEW],
        "commitMessage": "Add the tenant cart",
    }
    return GitCommitConfig.model_validate(usual | values)


def proposal(**values: Any) -> GitCommitConfig:
    return config(createPullRequest=True, **values)


async def test_creating_updating_and_deleting_is_one_commit(github: GitHubSandbox) -> None:
    context = about(github.options())
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
        result = await ACTION.execute(given, about(enterprise.options()))
        assert result.outputs["pullRequestNumber"] == 1
        fits_the_published_api(enterprise)


async def test_a_commit_whose_answer_was_lost_is_adopted_with_the_same_outputs(
    github: GitHubSandbox,
) -> None:
    context = about(github.options())
    github.fault("cut-after", method="PATCH")
    with pytest.raises(OutcomeUnknownError, match="may or may not"):
        await ACTION.execute(config(), context)
    found = await ACTION.look(config(), again(context))
    assert found is not None
    assert found.outputs == (await ACTION.execute(config(), again(context))).outputs
    assert found.outputs["commitSha"] == github.branch(TENANTS)["sha"]
    assert len(github.branch(TENANTS)["messages"]) == 2


@pytest.mark.parametrize("path", ["git/blobs", "git/trees$", "git/commits$"])
@pytest.mark.parametrize("kind", ["cut-after", "garbage", "huge", "status"])
async def test_a_step_without_an_answer_leaves_the_outcome_unknown_and_is_made_again(
    github: GitHubSandbox, path: str, kind: str
) -> None:
    context = about(github.options())
    fault = {"kind": "status", "status": 503} if kind == "status" else {"kind": kind}
    github.fault(**fault, method="POST", path=path)
    with pytest.raises(OutcomeUnknownError) as caught:
        await ACTION.execute(config(), context)
    assert caught.value.retryable
    assert await ACTION.look(config(), again(context)) is None
    await ACTION.execute(config(), again(context))
    assert len(github.branch(TENANTS)["messages"]) == 2


async def test_a_push_in_between_is_built_upon(github: GitHubSandbox) -> None:
    context = about(github.options())
    github.fault(
        "overtaken", method="PATCH", times=3, repository=TENANTS, files={"theirs.txt": "theirs"}
    )
    result = await ACTION.execute(config(), context)
    branch = github.branch(TENANTS)
    assert result.outputs["commitSha"] == branch["sha"]
    assert {"theirs.txt", "tenants/cart.yaml", "README.md"} <= set(branch["files"])
    assert sum(carries(text, context.mark) for text in branch["messages"]) == 1
    assert len(branch["messages"]) == 5


async def test_a_branch_that_never_rests_is_given_up_and_keeps_the_other_ones_work(
    github: GitHubSandbox,
) -> None:
    context = about(github.options(), seconds=60)
    github.fault(
        "overtaken", method="PATCH", times=None, repository=TENANTS, files={"theirs.txt": "theirs"}
    )
    with pytest.raises(ActionFailedError, match="retry later") as caught:
        await ACTION.execute(config(), context)
    assert caught.value.retryable
    assert "tenants/cart.yaml" not in github.branch(TENANTS)["files"]
    github.clear_faults()
    await ACTION.execute(config(), again(context))
    assert {"theirs.txt", "tenants/cart.yaml"} <= set(github.branch(TENANTS)["files"])


async def test_a_branch_whose_rules_refuse_the_commit_is_not_asked_again(
    github: GitHubSandbox,
) -> None:
    said = "Changes must be made through a pull request"
    github.fault("status", method="PATCH", times=None, status=422, message=said)
    with pytest.raises(ActionFailedError, match=said):
        await ACTION.execute(config(), about(github.options()))
    assert [call["method"] for call in github.calls()].count("PATCH") <= 1


@pytest.mark.parametrize(
    ("file", "theirs", "text"),
    [
        (NEW, {"tenants/cart.yaml": "theirs"}, "was just created by somebody else"),
        (
            {"path": "README.md", "operation": "update", "contentTemplate": "ours"},
            {"README.md": "theirs"},
            "was changed by somebody else",
        ),
        ({"path": "README.md", "operation": "delete"}, {"README.md": "t"}, "was changed by"),
        ({"path": "README.md", "operation": "delete"}, {"README.md": None}, "no longer a README"),
    ],
)
async def test_what_somebody_else_did_to_the_same_file_is_not_undone(
    github: GitHubSandbox, file: dict[str, Any], theirs: dict[str, Any], text: str
) -> None:
    github.fault("overtaken", method="PATCH", repository=TENANTS, files=theirs)
    with pytest.raises(ActionFailedError, match=text):
        await ACTION.execute(config(files=[file]), about(github.options()))
    there = github.branch(TENANTS)["files"]
    assert {path: there.get(path) for path in theirs} == theirs


async def test_six_commits_at_once_to_one_branch_are_all_made_once(github: GitHubSandbox) -> None:
    names = [f"tenant-{number}" for number in range(6)]
    contexts = [about(github.options(), seconds=60) for _ in names]
    files = [{"path": f"tenants/{name}.yaml", "contentTemplate": name} for name in names]
    ends = await asyncio.gather(
        *(
            ACTION.execute(config(files=[file]), context)
            for file, context in zip(files, contexts, strict=True)
        )
    )
    branch = github.branch(TENANTS)
    assert {file["path"]: file["contentTemplate"] for file in files}.items() <= branch[
        "files"
    ].items()
    assert len(branch["messages"]) == 7
    assert len({end.outputs["commitSha"] for end in ends}) == 6
    for context in contexts:
        assert sum(carries(text, context.mark) for text in branch["messages"]) == 1


async def test_a_new_branch_that_somebody_else_has_just_begun_is_built_upon(
    github: GitHubSandbox,
) -> None:
    github.fault(
        "overtaken",
        method="POST",
        path="git/refs$",
        repository=TENANTS,
        branch="next",
        files={"theirs.txt": "theirs"},
    )
    given = config(branch="next", baseBranch="main")
    await ACTION.execute(given, about(github.options()))
    assert {"theirs.txt", "tenants/cart.yaml"} <= set(github.branch(TENANTS, "next")["files"])


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
    await ACTION.execute(config(files=files), about(github.options()))
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
        await ACTION.execute(config(files=[NEW, file]), about(github.options()))
    assert github.branch(TENANTS)["sha"] == sha


async def test_an_updated_script_stays_executable(github: GitHubSandbox) -> None:
    github.tell("pushes", repository=TENANTS, files={"run.sh": "#!/bin/sh"}, mode="100755")
    file = {"path": "run.sh", "operation": "update", "contentTemplate": "#!/bin/sh\n"}
    await ACTION.execute(config(files=[file]), about(github.options()))
    assert github.branch(TENANTS)["modes"]["run.sh"] == "100755"


async def test_a_pull_request_gets_a_branch_of_its_own_and_its_reviewers(
    github: GitHubSandbox,
) -> None:
    context = about(github.options())
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
    assert await ACTION.look(given, again(context)) is not None


async def test_a_branch_that_is_named_gets_the_commit_of_a_pull_request(
    github: GitHubSandbox,
) -> None:
    await ACTION.execute(proposal(branch="add-cart"), about(github.options()))
    [pull] = github.pulls()
    assert (pull["head"]["ref"], pull["base"]["ref"]) == ("add-cart", "main")
    assert pull["title"] == "Add the tenant cart"


@pytest.mark.parametrize("kind", ["cut-after", "garbage"])
async def test_a_pull_request_whose_answer_was_lost_is_adopted(
    github: GitHubSandbox, kind: str
) -> None:
    context, given = about(github.options()), proposal()
    github.fault(kind, method="POST", path="/pulls$")
    with pytest.raises(OutcomeUnknownError) as caught:
        await ACTION.execute(given, context)
    assert [left.type for left in caught.value.partial] == ["git-commit"]
    found = await ACTION.look(given, again(context))
    assert found is not None
    assert found.outputs["pullRequestNumber"] == 1
    assert found.outputs["commitSha"] == github.branch(TENANTS, own_branch(context.mark))["sha"]


async def test_a_retry_completes_what_is_half_done(github: GitHubSandbox) -> None:
    context, given = about(github.options()), proposal(reviewers=["ann"])
    github.fault("status", method="POST", path="/pulls$", status=403)
    with pytest.raises(ActionFailedError):
        await ACTION.execute(given, context)
    with pytest.raises(IncompleteError, match="no pull request for it"):
        await ACTION.look(given, again(context))
    github.fault("status", method="POST", path="requested_reviewers", status=503)
    with pytest.raises(OutcomeUnknownError) as caught:
        await ACTION.execute(given, again(context))
    assert [left.type for left in caught.value.partial] == ["git-commit", "pull-request"]
    with pytest.raises(IncompleteError, match="not all reviewers have been asked"):
        await ACTION.look(given, again(context))
    result = await ACTION.execute(given, again(context))
    assert result.outputs["pullRequestNumber"] == 1
    assert len(github.branch(TENANTS, own_branch(context.mark))["messages"]) == 2
    assert len(github.pulls()) == 1


async def test_a_merged_pull_request_is_found_without_its_branch(github: GitHubSandbox) -> None:
    context, given = about(github.options()), proposal()
    made = await ACTION.execute(given, context)
    github.tell("merges", repository=TENANTS, number=1, delete_branch=True)
    found = await ACTION.look(given, again(context))
    assert found is not None
    assert found.outputs["commitSha"] == made.outputs["commitSha"]


async def test_a_reviewer_who_cannot_be_asked_is_told(github: GitHubSandbox) -> None:
    with pytest.raises(ActionFailedError, match="only be requested from collaborators"):
        await ACTION.execute(proposal(reviewers=["nobody"]), about(github.options()))


async def test_a_branch_that_is_missing_is_begun_only_if_told_from_which(
    github: GitHubSandbox,
) -> None:
    with pytest.raises(ActionFailedError, match="has no branch mian"):
        await ACTION.execute(config(branch="mian"), about(github.options()))
    await ACTION.execute(config(branch="next", baseBranch="main"), about(github.options()))
    assert "tenants/cart.yaml" in github.branch(TENANTS, "next")["files"]


TWO = [NEW, {"path": "run.sh", "contentTemplate": "#!/bin/sh\n", "mode": "executable"}]
EMPTY = "platform/empty"


async def test_the_first_commit_of_an_empty_repository_is_whole(github: GitHubSandbox) -> None:
    github.tell("repositories", name=EMPTY)
    context = about(github.options())
    result = await ACTION.execute(config(repository=EMPTY, files=TWO), context)
    branch = github.branch(EMPTY)
    assert branch["files"] == {"tenants/cart.yaml": "name: cart\n", "run.sh": "#!/bin/sh\n"}
    assert branch["modes"]["run.sh"] == "100755"
    assert result.outputs["commitSha"] == branch["sha"]
    assert await ACTION.look(config(repository=EMPTY), again(context)) is not None


async def test_two_first_commits_at_once_are_both_made(github: GitHubSandbox) -> None:
    github.tell("repositories", name=EMPTY)
    files = [{"path": f"{name}.txt", "contentTemplate": name} for name in "ab"]
    await asyncio.gather(
        *(
            ACTION.execute(config(repository=EMPTY, files=[file]), about(github.options()))
            for file in files
        )
    )
    assert github.branch(EMPTY)["files"] == {"a.txt": "a", "b.txt": "b"}


async def test_what_an_empty_repository_was_begun_with_is_told_and_goes_with_the_retry(
    github: GitHubSandbox,
) -> None:
    github.tell("repositories", name=EMPTY)
    context = about(github.options())
    github.fault("status", method="PATCH", status=403)
    with pytest.raises(ActionFailedError) as caught:
        await ACTION.execute(config(repository=EMPTY), context)
    [left] = caught.value.partial
    assert left.id == github.branch(EMPTY)["sha"]
    assert "Remove .pao-begin from main" in str(left.cleanup)

    await ACTION.execute(config(repository=EMPTY), again(context))
    assert github.branch(EMPTY)["files"] == {"tenants/cart.yaml": "name: cart\n"}


async def test_a_pull_request_in_an_empty_repository_goes_into_the_branch_it_was_begun_by(
    github: GitHubSandbox,
) -> None:
    github.tell("repositories", name=EMPTY)
    context = about(github.options())
    result = await ACTION.execute(proposal(repository=EMPTY), context)
    assert result.outputs["branch"] == own_branch(context.mark)
    assert github.pulls()[-1]["base"]["ref"] == "main"


async def test_another_branch_of_an_empty_repository_is_refused(github: GitHubSandbox) -> None:
    github.tell("repositories", name=EMPTY)
    with pytest.raises(ActionFailedError, match="has no branch other"):
        await ACTION.execute(config(repository=EMPTY, branch="other"), about(github.options()))


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
        await ACTION.execute(config(**values), about(github.options()))
    assert caught.value.cause is cause


async def test_a_repository_that_may_not_be_seen_is_not_taken_for_one_without_the_branch(
    github: GitHubSandbox,
) -> None:
    context = about(github.options())
    await ACTION.execute(config(), context)
    github.fault("status", status=404, path=f"/repos/{TENANTS}", times=None)
    for attempt in (ACTION.execute(config(), context), ACTION.look(config(), again(context))):
        with pytest.raises(ActionFailedError, match="may not see it") as caught:
            await attempt
        assert caught.value.cause == Cause.ACCESS


async def test_another_persons_word_is_no_mark(github: GitHubSandbox) -> None:
    victim = about(github.options())
    forged = f"Hello\n\nPAO-Action: {victim.mark}"
    await ACTION.execute(config(commitMessage=forged), about(github.options()))
    assert await ACTION.look(config(), victim) is None
    assert carries(f"text\r\n\r\nPAO-Request: x\r\nPAO-Action: {victim.mark}\r\n", victim.mark)


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
        await ACTION.execute(allowed, about(strict.options()))


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
        await ACTION.execute(config(), about(github.options()))
    assert github.settings.token not in f"{caught.value} {caught.value.__dict__}"


@pytest.mark.parametrize("kind", ["slow", "drip"])
async def test_a_push_answered_too_slowly_leaves_its_outcome_unknown(
    github: GitHubSandbox, kind: str
) -> None:
    github.fault(kind, method="PATCH", seconds=30)
    context = about(github.options(), seconds=1.5)
    with pytest.raises(OutcomeUnknownError):
        await ACTION.execute(config(), context)
    assert await ACTION.look(config(), again(context)) is not None


async def test_a_value_mentions_closes_and_adds_nothing(github: GitHubSandbox) -> None:
    stage = Stage(ACTION, options=github.options())
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
