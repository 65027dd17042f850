"""One running PAO for the tests of the API; what a test does to JIRA is undone after it."""

from collections.abc import Iterator

import httpx
import pytest

from pao.app.local.postgres import PostgresAddress
from tests.support.aws import Aws, running_aws
from tests.support.callers import DANA
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack


@pytest.fixture(scope="session")
def shared_stack(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder) as stack,
    ):
        yield stack


@pytest.fixture(scope="session")
def shared_hasty_stack(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("hasty")
    environ = {"PAO_SUBMISSION_BUDGET": "600ms"}
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder, environ=environ) as stack,
    ):
        yield stack


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    """The running PAO; a test takes ids and names of its own, because others use it as well."""
    yield shared_stack
    shared_stack.jira.clear_faults()


@pytest.fixture
def hasty_stack(shared_hasty_stack: Stack) -> Iterator[Stack]:
    """A PAO that waits 0.6 s for an outcome, for tests of what takes longer than the budget."""
    yield shared_hasty_stack
    shared_hasty_stack.jira.clear_faults()


@pytest.fixture
def dana(stack: Stack) -> httpx.Client:
    return stack.caller(DANA)


@pytest.fixture(scope="session")
def running_aws_server() -> Iterator[Aws]:
    with running_aws() as aws:
        yield aws


@pytest.fixture
def aws(running_aws_server: Aws) -> Iterator[Aws]:
    """AWS with signatures checked; a test takes names of its own, and what it answers is undone."""
    yield running_aws_server
    running_aws_server.answer = None
    running_aws_server.asked.clear()
