"""A stand-in for GitHub that the tests of a file share, begun anew for each of them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.github import GitHubSandbox
from tests.support.github_actions import clean_github, close_network, github_sandbox


@pytest.fixture(autouse=True)
async def _network() -> AsyncIterator[None]:
    yield
    await close_network()


@pytest.fixture(scope="module")
def github_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubSandbox]:
    with github_sandbox(tmp_path_factory.mktemp("github")) as sandbox:
        yield sandbox


@pytest.fixture
def github(github_server: GitHubSandbox) -> Iterator[GitHubSandbox]:
    with clean_github(github_server):
        yield github_server
