"""Commits to a branch that others push to, and first commits of an empty repository."""

import asyncio
from typing import Any

import pytest

from activities.action_errors import ActionFailedError, NothingToAdoptError
from activities.actions.git_commit import ACTION
from activities.github.commits import has_trailers
from tests.support.git_commits import EMPTY, NEW, TENANTS, config
from tests.support.github import GitHubSandbox
from tests.support.github_actions import action_context, next_attempt


async def test_a_push_in_between_is_built_upon(github: GitHubSandbox) -> None:
    context = action_context(github.options())
    github.fault(
        "overtaken", method="PATCH", times=3, repository=TENANTS, files={"theirs.txt": "theirs"}
    )
    result = await ACTION.execute(config(), context)
    branch = github.branch(TENANTS)
    assert result.outputs["commitSha"] == branch["sha"]
    assert {"theirs.txt", "tenants/cart.yaml", "README.md"} <= set(branch["files"])
    assert sum(has_trailers(text, context.mark) for text in branch["messages"]) == 1
    assert len(branch["messages"]) == 5


async def test_a_branch_that_never_rests_is_given_up_and_keeps_the_other_ones_work(
    github: GitHubSandbox,
) -> None:
    context = action_context(github.options(), seconds=60)
    github.fault(
        "overtaken", method="PATCH", times=None, repository=TENANTS, files={"theirs.txt": "theirs"}
    )
    with pytest.raises(ActionFailedError, match="retry later") as caught:
        await ACTION.execute(config(), context)
    assert caught.value.retryable
    assert "tenants/cart.yaml" not in github.branch(TENANTS)["files"]
    github.clear_faults()
    await ACTION.execute(config(), next_attempt(context))
    assert {"theirs.txt", "tenants/cart.yaml"} <= set(github.branch(TENANTS)["files"])


async def test_a_branch_whose_rules_refuse_the_commit_is_not_asked_again(
    github: GitHubSandbox,
) -> None:
    said = "Changes must be made through a pull request"
    github.fault("status", method="PATCH", times=None, status=422, message=said)
    with pytest.raises(ActionFailedError, match=said):
        await ACTION.execute(config(), action_context(github.options()))
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
        await ACTION.execute(config(files=[file]), action_context(github.options()))
    there = github.branch(TENANTS)["files"]
    assert {path: there.get(path) for path in theirs} == theirs


async def test_six_commits_at_once_to_one_branch_are_all_made_once(github: GitHubSandbox) -> None:
    names = [f"tenant-{number}" for number in range(6)]
    contexts = [action_context(github.options(), seconds=60) for _ in names]
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
        assert sum(has_trailers(text, context.mark) for text in branch["messages"]) == 1


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
    await ACTION.execute(given, action_context(github.options()))
    assert {"theirs.txt", "tenants/cart.yaml"} <= set(github.branch(TENANTS, "next")["files"])


async def test_a_branch_that_is_missing_is_begun_only_if_told_from_which(
    github: GitHubSandbox,
) -> None:
    with pytest.raises(ActionFailedError, match="has no branch mian"):
        await ACTION.execute(config(branch="mian"), action_context(github.options()))
    await ACTION.execute(config(branch="next", baseBranch="main"), action_context(github.options()))
    assert "tenants/cart.yaml" in github.branch(TENANTS, "next")["files"]


TWO = [NEW, {"path": "run.sh", "contentTemplate": "#!/bin/sh\n", "mode": "executable"}]


async def test_the_first_commit_of_an_empty_repository_is_whole(github: GitHubSandbox) -> None:
    github.tell("repositories", name=EMPTY)
    context = action_context(github.options())
    result = await ACTION.execute(config(repository=EMPTY, files=TWO), context)
    branch = github.branch(EMPTY)
    assert branch["files"] == {"tenants/cart.yaml": "name: cart\n", "run.sh": "#!/bin/sh\n"}
    assert branch["modes"]["run.sh"] == "100755"
    assert result.outputs["commitSha"] == branch["sha"]
    assert await ACTION.look(config(repository=EMPTY), next_attempt(context)) is not None


async def test_two_first_commits_at_once_are_both_made(github: GitHubSandbox) -> None:
    github.tell("repositories", name=EMPTY)
    files = [{"path": f"{name}.txt", "contentTemplate": name} for name in "ab"]
    await asyncio.gather(
        *(
            ACTION.execute(config(repository=EMPTY, files=[file]), action_context(github.options()))
            for file in files
        )
    )
    assert github.branch(EMPTY)["files"] == {"a.txt": "a", "b.txt": "b"}


async def test_what_an_empty_repository_was_begun_with_is_told_and_goes_with_the_retry(
    github: GitHubSandbox,
) -> None:
    github.tell("repositories", name=EMPTY)
    context = action_context(github.options())
    github.fault("status", method="PATCH", status=403)
    with pytest.raises(ActionFailedError) as caught:
        await ACTION.execute(config(repository=EMPTY), context)
    [left] = caught.value.partial
    assert left.id == github.branch(EMPTY)["sha"]
    assert "Remove .pao-begin from main" in str(left.cleanup)

    with pytest.raises(NothingToAdoptError) as seen:
        await ACTION.look(config(repository=EMPTY), next_attempt(context))
    assert seen.value.partial == (left,)
    assert await ACTION.look(config(repository=EMPTY), action_context(github.options())) is None

    await ACTION.execute(config(repository=EMPTY), next_attempt(context))
    assert github.branch(EMPTY)["files"] == {"tenants/cart.yaml": "name: cart\n"}


async def test_another_branch_of_an_empty_repository_is_refused(github: GitHubSandbox) -> None:
    github.tell("repositories", name=EMPTY)
    with pytest.raises(ActionFailedError, match="has no branch other"):
        await ACTION.execute(
            config(repository=EMPTY, branch="other"), action_context(github.options())
        )
