"""Fixtures for every test: the run's real servers, started only when a test needs them."""

import gc
import os
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from hypothesis import settings

from db.session import Database as OpenDatabase
from db.session import PoolSettings
from pao.app.local.postgres import PostgresAddress
from tests.support.browser import Browser
from tests.support.groups import FIRST, group_of, scheduler
from tests.support.postgres import Database, cloned_database
from tests.support.servers import SERVERS, ServerOwner, ask

# A deadline per example would judge the machine: what must not take long is counted in steps.
# The same examples for everyone: others are looked for by make fuzz, not by chance in a CI run.
settings.register_profile("pao", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.load_profile("pao")

KEEPER = pytest.StashKey[ServerOwner]()
WHERE = pytest.StashKey[tuple[str, str]]()

LAST = len(FIRST) + 1

SERVER_FIXTURES = {
    "postgres_address": "postgres",
    "temporal_program": "temporal_program",
    "temporal_address": "temporal",
    "terraform_program": "terraform_program",
    "browser_program": "browser",
}
"""Fixtures that need a server, and the question to the keeper that starts it."""


def pytest_configure(config: pytest.Config) -> None:
    """Own the servers where the run began; in a worker, remember where their owner is."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[WHERE] = (worker["servers_address"], worker["servers_key"])
        return
    if SERVERS in os.environ:
        address, _, key = os.environ[SERVERS].partition(" ")
        config.stash[WHERE] = (address, key)
        return
    keeper = ServerOwner()
    config.stash[KEEPER] = keeper
    config.stash[WHERE] = (keeper.address, keeper.key)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Pass the location of the servers' owner to a worker."""
    address, key = node.config.stash[WHERE]
    node.workerinput.update(servers_address=address, servers_key=key)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Have the collector leave alone what is imported and collected: millions of objects that stay.

    They would be walked through again and again, for a second each time.
    """
    gc.disable()
    collected = yield
    gc.collect()
    gc.freeze()
    gc.enable()
    return collected


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out tests by group, whatever ``--dist`` says."""
    return scheduler(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long groups first, then whatever needs a server.

    The rest takes milliseconds each, so that all processes end at once.
    """
    ranks: dict[str, int] = {}
    for item in items:
        group = group_of(item.nodeid)
        ranks[group] = min(_rank(item, group), ranks.get(group, LAST))
    items.sort(key=lambda item: ranks[group_of(item.nodeid)])


def _rank(item: pytest.Item, group: str) -> int:
    if group in FIRST:
        return FIRST.index(group)
    needed = getattr(item, "fixturenames", ())
    return LAST - 1 if SERVER_FIXTURES.keys() & set(needed) else LAST


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start what the collected tests need before their clocks run."""
    if session.config.option.collectonly:
        return
    needed = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    for fixture, question in SERVER_FIXTURES.items():
        if fixture in needed:
            ask(*session.config.stash[WHERE], question)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers with the run."""
    keeper = config.stash.get(KEEPER, None)
    if keeper is not None:
        keeper.close()


@pytest.fixture(scope="session")
def postgres_address(pytestconfig: pytest.Config) -> PostgresAddress:
    """The run's Postgres: for tests that need a server rather than a database."""
    return cast("PostgresAddress", ask(*pytestconfig.stash[WHERE], "postgres"))


@pytest.fixture
def database(postgres_address: PostgresAddress) -> Iterator[Database]:
    """A fresh, migrated database of the test's own."""
    with cloned_database(postgres_address) as cloned:
        yield cloned


@pytest.fixture
async def db(database: Database) -> AsyncIterator[OpenDatabase]:
    """The same as a process of the service has it open."""
    opened = OpenDatabase(database.service_url, pool=PoolSettings(max_idle=2, max_open=20))
    yield opened
    await opened.close()


@pytest.fixture
async def service(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection with the rights of the service's own role."""
    connection = await asyncpg.connect(database.service_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def temporal_program(pytestconfig: pytest.Config) -> Path:
    """The Temporal program: for tests that start and stop servers of their own."""
    return cast("Path", ask(*pytestconfig.stash[WHERE], "temporal_program"))


@pytest.fixture(scope="session")
def browser_program(pytestconfig: pytest.Config) -> Browser:
    """A real browser."""
    return cast("Browser", ask(*pytestconfig.stash[WHERE], "browser"))


@pytest.fixture(scope="session")
def terraform_program(pytestconfig: pytest.Config) -> Path:
    """The real terraform or tofu."""
    return cast("Path", ask(*pytestconfig.stash[WHERE], "terraform_program"))


@pytest.fixture(scope="session")
def temporal_address(pytestconfig: pytest.Config) -> str:
    """The run's Temporal, shared: a test uses task queues and workflow ids of its own."""
    return cast("str", ask(*pytestconfig.stash[WHERE], "temporal"))
