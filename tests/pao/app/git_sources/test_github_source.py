"""A catalog on GitHub: what is read, in how many calls, and that contents are what was listed."""

from contextlib import suppress

import pytest

from catalog.sources.source import (
    LINK,
    SUBMODULE,
    Listing,
    ListingContext,
    PollSkippedError,
    SourceLimitedError,
    SourceUnavailableError,
    Unchanged,
)
from pao.app.git_sources.github import GitHubLocation, GitHubSource
from sandbox.github.settings import Flavour, GitHubSandboxSettings
from tests.pao.app.git_sources.conftest import REPOSITORY, Open
from tests.support.git_sources import Reader, items, loopback_calls
from tests.support.github import GitHubSandbox
from tests.support.github_keys import app_auth


def push(github: GitHubSandbox, **more: object) -> str:
    return str(github.tell("pushes", **{"repository": REPOSITORY, **more})["sha"])


async def counted(github: GitHubSandbox, reader: Reader) -> tuple[type, int]:
    before = len(github.calls())
    found = await reader.read()
    return type(found), len(github.calls()) - before


async def test_a_folder_is_listed_with_its_commit(github: GitHubSandbox, opened: Open) -> None:
    sha = push(github, files={"catalog/web/b.yaml": "b: 2\n"}, message="Add b\n\nAnd say why")
    reader = opened()
    found = await reader.read()
    assert isinstance(found, Listing)
    assert (found.revision, reader.source.name) == (sha, "GitHub acme/catalog")
    assert reader.texts() == {"database/a.yaml": "a: 1\n", "web/b.yaml": "b: 2\n"}
    commit = found.commit
    assert commit is not None
    assert (commit.id, commit.subject, commit.author) == (sha, "Add b", "ann")
    assert commit.url == f"{github.url}/acme/catalog/commit/{sha}"
    assert commit.files == f"{github.url}/acme/catalog/blob/{sha}/catalog"
    assert commit.at is not None


async def test_calls_are_few(github: GitHubSandbox, opened: Open) -> None:
    reader = opened()
    await reader.read()
    assert await counted(github, reader) == (Unchanged, 1)

    push(github, files={"README.md": "# Another\n"})
    assert await counted(github, reader) == (Unchanged, 3)
    assert await counted(github, reader) == (Unchanged, 1)

    push(github, files={"catalog/database/a.yaml": "a: 2\n"})
    assert await counted(github, reader) == (Listing, 5)

    first = github.branch(REPOSITORY)["sha"]
    push(github, files={"catalog/x.yaml": "x: 1\n"})
    await reader.read()
    push(github, files={"catalog/database/a.yaml": "a: 3\n"}, parent=first)
    assert await counted(github, reader) == (Listing, 5)
    assert reader.texts() == {"database/a.yaml": "a: 3\n"}

    # A commit without a change: its tree is known.
    push(github, files={})
    assert await counted(github, reader) == (Unchanged, 2)


async def test_what_has_not_changed_costs_none_of_the_allowance(
    github: GitHubSandbox, opened: Open
) -> None:
    reader = opened()
    await reader.read()
    left = reader.source.outgoing.allowance.remaining  # type: ignore[attr-defined]
    await reader.read()
    assert [call["status"] for call in github.calls()][-1] == 304
    assert reader.source.outgoing.allowance.remaining == left  # type: ignore[attr-defined]


async def test_many_files_come_as_one_archive(github: GitHubSandbox, opened: Open) -> None:
    files = items(2000)
    push(github, files=files)
    reader = opened()
    assert await counted(github, reader) == (Listing, 6)
    assert len(reader.texts()) == 2001
    assert reader.texts()["database/item-0007.yaml"] == files["catalog/database/item-0007.yaml"]


async def test_what_an_archive_changes_or_leaves_out_is_fetched_singly(
    github: GitHubSandbox, opened: Open
) -> None:
    files = items(60)
    attributes = "item-0001.yaml export-ignore\nitem-0002.yaml export-subst\n"
    files["catalog/database/item-0002.yaml"] = "# $Format:%H$\n"
    push(github, files={**files, ".gitattributes": attributes})
    reader = opened()
    assert await counted(github, reader) == (Listing, 8)
    texts = reader.texts()
    assert texts["database/item-0002.yaml"] == "# $Format:%H$\n"
    assert texts["database/item-0001.yaml"] == files["catalog/database/item-0001.yaml"]


@pytest.mark.parametrize("kind", ["garbage", "html", "cut-after", "huge"])
async def test_a_bad_archive_costs_calls_or_an_error_never_a_wrong_content(
    github: GitHubSandbox, opened: Open, kind: str
) -> None:
    files = items(55)
    push(github, files=files)
    github.fault(kind, path="/codeload/", times=1)
    reader = opened()
    with suppress(SourceUnavailableError):
        await reader.read()
    await reader.read()
    assert reader.texts()["database/item-0054.yaml"] == files["catalog/database/item-0054.yaml"]


async def test_what_was_read_before_the_calls_were_used_up_is_not_lost(
    github: GitHubSandbox, opened: Open
) -> None:
    push(github, files=items(30))
    reader = opened()
    found = await reader.source.listing(ListingContext())
    assert isinstance(found, Listing)
    github.tell("rate", remaining=10, seconds=600)
    with pytest.raises(SourceLimitedError) as told:
        await reader.source.contents(found.revision, found.entries)
    assert 0 < len(told.value.found) <= 10
    assert told.value.found.keys() <= {entry.blob for entry in found.entries}


async def test_a_folder_may_be_deep_and_files_of_every_mode(
    github: GitHubSandbox, opened: Open
) -> None:
    push(github, files={"platform/pao/items/a.yaml": "a: 1\n"})
    push(github, files={"platform/pao/items/run.yaml": "r: 1\n"}, mode="100755")
    push(github, files={"platform/pao/items/link.yaml": "-> a.yaml"})
    push(github, files={"platform/pao/items/sub": "1" * 40}, mode=SUBMODULE)
    reader = opened(folder="platform/pao")
    await reader.read()
    modes = {path: entry.mode for path, entry in reader.entries.items()}
    assert modes == {
        "items/a.yaml": "100644",
        "items/run.yaml": "100755",
        "items/link.yaml": LINK,
        "items/sub": SUBMODULE,
    }


async def test_a_file_that_is_too_long_is_told_and_never_fetched(
    github: GitHubSandbox, opened: Open
) -> None:
    push(github, files={"catalog/long.yaml": "#" * 1_000_001})
    reader = opened()
    await reader.read()
    assert "1,000,001 bytes" in str(reader.entries["long.yaml"].problem)
    assert list(reader.texts()) == ["database/a.yaml"]


async def test_a_replica_that_lags_answers_what_it_knows(
    github: GitHubSandbox, opened: Open
) -> None:
    old = github.branch(REPOSITORY)["sha"]
    reader = opened()
    await reader.read()
    github.tell("lags", repository=REPOSITORY, calls=1)
    new = push(github, files={"catalog/b.yaml": "b: 1\n"})
    assert (await reader.read()).revision == old
    assert (await reader.read()).revision == new


async def test_a_poll_leaves_the_last_tenth_of_the_calls_to_others(
    github: GitHubSandbox, opened: Open
) -> None:
    reader = opened()
    await reader.read(is_poll=True)
    github.tell("rate", remaining=499, seconds=600)
    await reader.read()
    calls = len(github.calls())
    with pytest.raises(PollSkippedError, match="499 of 5000 calls"):
        await reader.read(is_poll=True)
    assert len(github.calls()) == calls
    # Whoever waits for it is served.
    await reader.read()


async def test_memory_of_another_place_is_of_no_use(github: GitHubSandbox, opened: Open) -> None:
    push(github, files={"other/z.yaml": "z: 1\n"})
    reader = opened()
    await reader.read()
    other = opened(folder="other")
    found = await other.source.listing(ListingContext(reader.revision, reader.memory))
    assert isinstance(found, Listing)
    lost = await reader.source.listing(ListingContext("another", reader.memory))
    assert isinstance(lost, Listing)


async def test_an_app_reads_with_its_own_tokens(github: GitHubSandbox, opened: Open) -> None:
    reader = opened(auth=app_auth())
    await reader.read()
    github.tell("tokens/expire")
    push(github, files={"catalog/b.yaml": "b: 1\n"})
    await reader.read()
    assert sorted(reader.texts()) == ["b.yaml", "database/a.yaml"]


async def test_an_enterprise_server_is_read_in_the_same_way(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("ghes")
    settings = GitHubSandboxSettings(flavour=Flavour.SERVER, seeds={REPOSITORY: items(60)})
    with GitHubSandbox(folder, settings=settings) as server:
        place = GitHubLocation(repository=REPOSITORY)
        reader = Reader(GitHubSource(server.instance(), place, loopback_calls()))
        await reader.read()
        assert len(reader.texts()) == 60
        assert server.calls()[0]["path"].startswith("/api/v3/repos/")
        await reader.source.close()
