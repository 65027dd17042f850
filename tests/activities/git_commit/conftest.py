"""The stand-in for GitHub that commits are made on."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.github import GitHubSandbox
from tests.support.github_actions import close_network, fits_the_published_api, github_sandbox


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
