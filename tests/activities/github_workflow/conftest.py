"""The other stand-in for GitHub that workflows run on: a server of one's own."""

from collections.abc import Iterator

import pytest

from tests.support.github import GitHubSandbox
from tests.support.github_actions import SERVER, clean_github, github_sandbox


@pytest.fixture(scope="module")
def enterprise_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubSandbox]:
    with github_sandbox(tmp_path_factory.mktemp("ghes"), flavour=SERVER) as sandbox:
        yield sandbox


@pytest.fixture
def enterprise(enterprise_server: GitHubSandbox) -> Iterator[GitHubSandbox]:
    with clean_github(enterprise_server):
        yield enterprise_server
