"""One GitHub stand-in for all tests of sources, begun anew for each."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from catalog.ownership import OwnershipMode
from pao.app.git_sources.github import GitHubLocation, GitHubSource
from pao.clients.github import GitHubAuth
from sandbox.github.settings import GitHubSandboxSettings
from tests.support.git_sources import Reader, loopback_calls
from tests.support.github import GitHubSandbox
from tests.support.github_actions import assert_fits_published_api
from tests.support.github_keys import PUBLIC

REPOSITORY = "acme/catalog"
Open = Callable[..., Reader]


@pytest.fixture(scope="package")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubSandbox]:
    folder = tmp_path_factory.mktemp("catalog-github")
    settings = GitHubSandboxSettings(seeds={}, app_key=PUBLIC, most_entries=3000)
    with GitHubSandbox(folder, settings=settings) as sandbox:
        yield sandbox


@pytest.fixture
def github(stand_in: GitHubSandbox) -> Iterator[GitHubSandbox]:
    stand_in.reset()
    files = {"catalog/database/a.yaml": "a: 1\n", "README.md": "# Catalog\n"}
    stand_in.tell("repositories", name=REPOSITORY, files=files)
    yield stand_in
    assert_fits_published_api(stand_in)


@pytest.fixture
async def opened(github: GitHubSandbox) -> AsyncIterator[Open]:
    """Return a function that opens a source of the stand-in's repository."""
    readers: list[Reader] = []

    def open_source(  # noqa: PLR0913 -- what a test may choose
        *,
        auth: GitHubAuth | None = None,
        ownership: str = "off",
        folder: str = "catalog",
        branch: str = "main",
        repository: str = REPOSITORY,
        seconds: float = 20.0,
    ) -> Reader:
        place = GitHubLocation(
            repository=repository,
            branch=branch,
            folder=folder,
            ownership=OwnershipMode(ownership),
        )
        reader = Reader(GitHubSource(github.instance(auth), place, loopback_calls(seconds=seconds)))
        readers.append(reader)
        return reader

    yield open_source
    for reader in readers:
        await reader.source.close()
