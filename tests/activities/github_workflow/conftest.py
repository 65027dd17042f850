"""The stand-ins for GitHub that workflows run on: github.com, and a server of one's own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.github import GitHubSandbox
from tests.support.github_actions import (
    SERVER,
    close_network,
    fits_the_published_api,
    github_sandbox,
)


@pytest.fixture(autouse=True)
async def _network() -> AsyncIterator[None]:
    yield
    await close_network()


@pytest.fixture(scope="module")
def cloud_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubSandbox]:
    with github_sandbox(tmp_path_factory.mktemp("github")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def enterprise_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubSandbox]:
    with github_sandbox(tmp_path_factory.mktemp("ghes"), flavour=SERVER) as sandbox:
        yield sandbox


@pytest.fixture
def github(cloud_server: GitHubSandbox) -> Iterator[GitHubSandbox]:
    cloud_server.reset()
    yield cloud_server
    fits_the_published_api(cloud_server)


@pytest.fixture
def enterprise(enterprise_server: GitHubSandbox) -> Iterator[GitHubSandbox]:
    enterprise_server.reset()
    yield enterprise_server
    fits_the_published_api(enterprise_server)
