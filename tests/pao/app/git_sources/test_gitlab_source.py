"""A catalog on GitLab: what is read, in how many calls, on good and on bad days."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress

import pytest

from catalog.ownership import OwnershipMode
from catalog.sources.source import (
    FilesTooLongError,
    FolderGoneError,
    Listing,
    ListingContext,
    PollSkippedError,
    SourceGoneError,
    SourceLimitedError,
    SourceRefusedError,
    SourceUnavailableError,
    Unchanged,
)
from catalog.sources.verdict import CHECK, Verdict
from catalog.validation import Finding, Severity
from pao.app.git_sources.blobs import MAX_UNLISTED
from pao.app.git_sources.branch_rules import BranchUnprotectedError
from pao.app.git_sources.gitlab import GitLabLocation, GitLabSource
from pao.app.git_sources.gitlab_reports import GitLabReporter
from tests.support.git_sources import Reader, items, loopback_calls
from tests.support.gitlab import GitLabSandbox

PROJECT = "acme/platform/catalog"
Open = Callable[..., Reader]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitLabSandbox]:
    with GitLabSandbox(tmp_path_factory.mktemp("gitlab")) as sandbox:
        yield sandbox


@pytest.fixture
def gitlab(stand_in: GitLabSandbox) -> GitLabSandbox:
    stand_in.tell("reset")
    files = {"catalog/database/a.yaml": "a: 1\n", "README.md": "# Catalog\n"}
    stand_in.tell("projects", name=PROJECT, files=files)
    return stand_in


@pytest.fixture
async def opened(gitlab: GitLabSandbox) -> AsyncIterator[Open]:
    readers: list[Reader] = []

    def open_source(
        *,
        token: str | None = None,
        ownership: str = "off",
        folder: str = "catalog",
        branch: str = "main",
        seconds: float = 20,
    ) -> Reader:
        place = GitLabLocation(
            project=PROJECT, branch=branch, folder=folder, ownership=OwnershipMode(ownership)
        )
        calls = loopback_calls("GitLab", seconds=seconds)
        reader = Reader(GitLabSource(gitlab.instance(token), place, calls))
        readers.append(reader)
        return reader

    yield open_source
    for reader in readers:
        await reader.source.close()


def push(gitlab: GitLabSandbox, files: dict[str, str | None], **more: str) -> str:
    return str(gitlab.tell("pushes", project=PROJECT, files=files, **more)["sha"])


async def counted(gitlab: GitLabSandbox, reader: Reader) -> tuple[type, int]:
    before = len(gitlab.calls())
    found = await reader.read()
    return type(found), len(gitlab.calls()) - before


async def test_a_folder_is_listed_in_few_calls(gitlab: GitLabSandbox, opened: Open) -> None:
    reader = opened()
    assert await counted(gitlab, reader) == (Listing, 4)
    assert reader.texts() == {"database/a.yaml": "a: 1\n"}
    assert await counted(gitlab, reader) == (Unchanged, 1)
    push(gitlab, {"README.md": "x"})
    assert await counted(gitlab, reader) == (Unchanged, 2)
    sha = push(gitlab, {"catalog/database/a.yaml": "a: 2\n"}, message="Raise a\n\nBecause")
    found = await reader.read()
    assert isinstance(found, Listing)
    assert found.commit is not None
    assert (found.commit.id, found.commit.subject, found.commit.author) == (sha, "Raise a", "ann")
    assert reader.texts() == {"database/a.yaml": "a: 2\n"}


async def test_a_large_folder_is_listed_page_by_page_and_read_as_an_archive(
    gitlab: GitLabSandbox, opened: Open
) -> None:
    files: dict[str, str | None] = dict(items(250))
    push(gitlab, {**files, ".gitattributes": "item-0007.yaml export-ignore\n"})
    reader = opened()
    # The branch, the root, three pages, the archive, and what it has left out.
    assert await counted(gitlab, reader) == (Listing, 7)
    assert reader.texts()["database/item-0007.yaml"] == files["catalog/database/item-0007.yaml"]
    assert len(reader.texts()) == 251


async def test_a_deep_folder_and_a_branch_with_a_slash_are_read(
    gitlab: GitLabSandbox, opened: Open
) -> None:
    push(gitlab, {"a/b/c/x.yaml": "x: 1\n", "a/b/c/l.yaml": "-> x.yaml"}, branch="release/1")
    reader = opened(folder="a/b", branch="release/1")
    await reader.read()
    modes = {path: entry.mode for path, entry in reader.entries.items()}
    assert modes == {"c/x.yaml": "100644", "c/l.yaml": "120000"}
    with pytest.raises(FolderGoneError, match="no folder nowhere/b"):
        await opened(folder="nowhere/b").read()


async def test_a_file_that_is_too_long_for_a_document_is_read_whole(
    gitlab: GitLabSandbox, opened: Open
) -> None:
    push(gitlab, {"catalog/long.yaml": "#" * 1_500_000})
    reader = opened()
    await reader.read()
    assert len(reader.texts()["long.yaml"]) == 1_500_000


async def test_a_file_that_nobody_should_have_in_memory_is_named(
    gitlab: GitLabSandbox, opened: Open
) -> None:
    push(gitlab, {"catalog/huge.yaml": "#" * (MAX_UNLISTED + 1), "catalog/x.yaml": "x: 1\n"})
    reader = opened()
    with pytest.raises(FilesTooLongError, match="longer than 10 MB") as told:
        await reader.read()
    assert told.value.blobs == {reader.entries["huge.yaml"].blob}


@pytest.mark.parametrize(
    ("what", "given", "kind", "message"),
    [
        ("projects", {"name": PROJECT, "moved": "x/y"}, SourceGoneError, "renamed or moved"),
        ("projects", {"name": PROJECT, "moved": None}, SourceGoneError, "may not see it"),
        (
            "branches",
            {"project": PROJECT, "branch": "main"},
            SourceGoneError,
            r"no branch main \(its default branch",
        ),
        ("rate", {"remaining": 0}, SourceLimitedError, "Retry later"),
    ],
)
async def test_a_source_that_is_gone_says_why(  # noqa: PLR0913, PLR0917 -- one case
    gitlab: GitLabSandbox,
    opened: Open,
    what: str,
    given: dict[str, str],
    kind: type[Exception],
    message: str,
) -> None:
    reader = opened()
    await reader.read()
    gitlab.tell(what, **given)
    with pytest.raises(kind, match=message):
        await reader.read()


async def test_a_bad_token_is_refused_and_never_shown(gitlab: GitLabSandbox, opened: Open) -> None:
    with pytest.raises(SourceRefusedError, match="replace GITLAB_TOKEN"):
        await opened(token="glpat-revoked0000000000").read()
    token = gitlab.settings.token
    message = f"trouble with {token}"
    gitlab.tell("faults", kind="status", path="/branches/", status=500, message=message)
    with pytest.raises(SourceUnavailableError) as told:
        await opened().read()
    assert token not in str(told.value)
    assert "********" in str(told.value)


@pytest.mark.parametrize("kind", ["garbage", "html", "cut", "huge", "drip", "status"])
@pytest.mark.parametrize("path", ["/branches/", "/tree", "/blobs/"])
async def test_no_broken_answer_becomes_a_catalog(
    gitlab: GitLabSandbox, opened: Open, path: str, kind: str
) -> None:
    gitlab.tell("faults", kind=kind, path=path, status=502, seconds=5)
    hasty, reader = opened(seconds=0.5 if kind == "drip" else 20), opened()
    with pytest.raises(SourceUnavailableError):
        await hasty.read()
    assert not hasty.stored
    # On a slow machine the hasty one may not have come to the fault.
    with suppress(SourceUnavailableError):
        await reader.read()
    await reader.read()
    assert reader.texts() == {"database/a.yaml": "a: 1\n"}


async def test_a_poll_leaves_the_last_tenth_of_the_calls_to_others(
    gitlab: GitLabSandbox, opened: Open
) -> None:
    gitlab.tell("rate", remaining=150)
    reader = opened()
    await reader.read()
    with pytest.raises(PollSkippedError, match="of 2000 calls"):
        await reader.read(is_poll=True)


async def test_owners_and_the_protection_of_the_branch_are_read(
    gitlab: GitLabSandbox, opened: Open
) -> None:
    push(gitlab, {".gitlab/CODEOWNERS": "* @acme/a\n"})
    reader = opened(ownership="report")
    assert "no code owner has approved" in str((await reader.read()).notice)
    assert list(reader.beside) == [".gitlab/CODEOWNERS"]
    protection = {"name": "ma*", "code_owner_approval_required": True}
    gitlab.tell("protections", project=PROJECT, branches=[protection])
    assert (await reader.read(is_poll=True)).notice is None
    push(gitlab, {"docs/CODEOWNERS": "* @acme/b\n"})
    assert isinstance(await reader.read(), Listing)
    assert list(reader.beside) == ["docs/CODEOWNERS"]
    gitlab.tell("protections", project=PROJECT, branches=[])
    push(gitlab, {"catalog/x.yaml": "x: 1\n"})
    with pytest.raises(BranchUnprotectedError):
        await opened(ownership="refuse").read()


async def test_a_token_that_may_not_read_the_protection_still_reads_the_catalog(
    gitlab: GitLabSandbox, opened: Open
) -> None:
    forbidden = {"kind": "status", "path": "/protected_branches", "status": 403}
    gitlab.tell("faults", **forbidden)
    reader = opened(ownership="report")
    assert "may not read the rules" in str((await reader.read()).notice)
    assert reader.texts() == {"database/a.yaml": "a: 1\n"}
    # Given the right, it is asked again at once.
    protection = {"name": "main", "code_owner_approval_required": True}
    gitlab.tell("protections", project=PROJECT, branches=[protection])
    assert (await reader.read()).notice is None
    gitlab.tell("faults", **forbidden)
    with pytest.raises(BranchUnprotectedError, match="may not read the rules"):
        await opened(ownership="refuse").read()


async def test_a_commit_gets_a_status_and_a_proposal_is_read_at_its_commit(
    gitlab: GitLabSandbox, opened: Open
) -> None:
    reader = opened()
    await reader.read()
    source = reader.source
    assert isinstance(source, GitLabSource)
    sha = push(gitlab, {"catalog/b.yaml": "b"}, branch="topic", parent=str(reader.revision))
    found = await source.at(sha, ListingContext(reader.revision, reader.memory))
    assert isinstance(found, Listing)
    assert "b.yaml" in {entry.path for entry in found.entries}
    left = str(reader.revision)
    push(gitlab, {"README.md": "moved on"})
    await reader.read()
    assert await source.fork_point(sha, ListingContext(reader.revision)) == left
    assert await source.fork_point("c" * 40, ListingContext(reader.revision)) is None
    assert await source.fork_point(sha, ListingContext()) is None
    finding = Finding("b.yaml", 1, 1, "$", "schema", Severity.ERROR, "no item")
    reporter = GitLabReporter(source, details="https://pao.example.com")
    await reporter.report(Verdict(sha, (finding,), 2))
    (status,) = gitlab.state()["status"]
    assert (status["state"], status["name"], status["sha"]) == ("failed", CHECK, sha)
    assert "catalog/b.yaml:1 no item" in status["description"]
    for _ in range(2):
        await reporter.report(Verdict(sha, (), 2, held="it removes 9 of 12"))
    (status,) = gitlab.state()["status"]
    assert (status["state"], status["target_url"]) == ("pending", "https://pao.example.com")


async def test_a_commit_of_a_fork_gets_its_status_by_the_merge_request(
    gitlab: GitLabSandbox, opened: Open
) -> None:
    """No branch of the project has it."""
    source = opened().source
    assert isinstance(source, GitLabSource)
    sha = push(gitlab, {"catalog/b.yaml": "b"}, branch="of-a-fork")
    gitlab.tell("branches", project=PROJECT, branch="of-a-fork")
    reporter = GitLabReporter(source)
    with pytest.raises(SourceUnavailableError, match="References for commit"):
        await reporter.untouched(sha)
    payload = {"object_attributes": {"iid": 7, "last_commit": {"id": sha}}}
    gitlab.tell("events", project=PROJECT, event="Merge Request Hook", payload=payload)
    await reporter.untouched(sha)
    (status,) = gitlab.state()["status"]
    assert (status["sha"], status["ref"]) == (sha, "refs/merge-requests/7/head")
