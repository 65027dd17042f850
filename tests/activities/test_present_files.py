"""What stands at the paths of a commit is read before a request is submitted; nothing is made."""

from collections.abc import Iterator
from typing import Any

import pytest

from activities.action_errors import ActionError
from activities.github.commit_config import GitCommitConfig
from activities.github.current_files import (
    MOST_BYTES,
    MOST_FILES,
    MOST_KEPT,
    FileCache,
    FileContent,
    read_current_files,
)
from pao.core.payloads.files import FilesAnswer
from tests.support.github import GitHubSandbox
from tests.support.github_actions import action_context

TENANTS = "platform/tenants"


@pytest.fixture
def github(github: GitHubSandbox) -> Iterator[GitHubSandbox]:
    files = {"old/a.txt": "a\n", "old/large.txt": "x" * (MOST_BYTES + 1), "old/b": "a\0b"}
    github.tell("pushes", repository=TENANTS, files=files)
    yield github
    assert {one["method"] for one in github.calls()} <= {"GET"}


async def read(
    github: GitHubSandbox,
    *paths: str,
    shown: bool = True,
    kept: FileCache | None = None,
    **more: Any,
) -> FilesAnswer:
    more |= {"showChanges": True} if shown else {}
    files = [{"path": path, "contentTemplate": "new"} for path in paths]
    given = {"repository": TENANTS, "branch": "main", "files": files, "commitMessage": "Change"}
    config = GitCommitConfig.model_validate(given | more)
    kept = FileCache() if kept is None else kept
    return await read_current_files(config, action_context(github.options()), kept)


def reads(github: GitHubSandbox) -> int:
    """Return how many contents were read."""
    return sum("/contents/" in one["path"] for one in github.calls())


async def test_texts_are_read_and_what_is_none_is_named(github: GitHubSandbox) -> None:
    found = await read(github, "old/a.txt", "old/new.txt", "old/large.txt", "old/b")
    assert found.texts == {"old/a.txt": "a\n", "old/new.txt": None}
    assert sorted(found.unread) == ["old/b", "old/large.txt"]
    assert found.problem is None


async def test_what_a_commit_holds_is_read_once(github: GitHubSandbox) -> None:
    kept, paths = FileCache(), ("old/a.txt", "old/large.txt", "old/b")
    first = await read(github, *paths, kept=kept)
    before = reads(github)
    assert await read(github, *paths, kept=kept) == first
    assert reads(github) == before
    # The branch is asked each time: another commit holds something else.
    github.tell("pushes", repository=TENANTS, files={"old/a.txt": "b\n"})
    assert (await read(github, "old/a.txt", kept=kept)).texts == {"old/a.txt": "b\n"}
    # Whoever may not read the repository is told nothing that others have read.
    github.fault("status", status=404, times=None)
    with pytest.raises(ActionError):
        await read(github, "old/a.txt", kept=kept, createPullRequest=True)
    github.clear_faults()


async def test_what_was_not_found_is_asked_for_again(github: GitHubSandbox) -> None:
    kept = FileCache()
    for number in (1, 2):
        assert (await read(github, "old/new.txt", kept=kept)).texts == {"old/new.txt": None}
        assert reads(github) == number


def test_the_least_recently_used_files_are_dropped() -> None:
    kept, text = FileCache(), FileContent("x" * MOST_BYTES)
    for number in range(MOST_KEPT // MOST_BYTES):
        kept["server", "repository", "commit", str(number)] = text
        assert kept["server", "repository", "commit", "0"] is text
    assert ("server", "repository", "commit", "1") not in kept
    assert kept.currsize <= MOST_KEPT


async def test_a_proposal_is_read_where_it_starts_from(github: GitHubSandbox) -> None:
    assert (await read(github, "old/a.txt", createPullRequest=True)).texts == {"old/a.txt": "a\n"}
    new = await read(github, "old/a.txt", branch="new", baseBranch="main")
    assert new.texts == {"old/a.txt": "a\n"}
    assert (await read(github, "old/a.txt", branch="nowhere")).texts == {"old/a.txt": None}


async def test_of_many_files_the_first_are_read(github: GitHubSandbox) -> None:
    found = await read(github, *(f"many/{number}" for number in range(MOST_FILES + 1)))
    assert len(found.texts) == MOST_FILES
    assert found.unread == [f"many/{MOST_FILES}"]


async def test_what_a_repository_holds_is_read_only_where_its_item_says_so(
    github: GitHubSandbox,
) -> None:
    before = len(github.calls())
    found = await read(github, "old/a.txt", shown=False)
    assert found == FilesAnswer(problem="The service does not show what its repository holds.")
    assert len(github.calls()) == before


async def test_an_unknown_repository_is_an_error_of_the_action(github: GitHubSandbox) -> None:
    with pytest.raises(ActionError, match="platform/none"):
        await read(github, "old/a.txt", repository="platform/none")
