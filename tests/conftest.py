"""Fixtures for every test: the run's real servers, started only when a test needs them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import settings

from pao.app.local.postgres import PostgresAddress
from tests.support.browser import Browser
from tests.support.postgres import Database, cloned_database
from tests.support.servers import Keeper, ask

# A deadline per example would judge the machine: what must not take long is counted in steps.
settings.register_profile("pao", deadline=None)
settings.load_profile("pao")

KEEPER = pytest.StashKey[Keeper]()
WHERE = pytest.StashKey[tuple[str, str]]()

WEB = Path(__file__).parent / "web"

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
    keeper = Keeper()
    config.stash[KEEPER] = keeper
    config.stash[WHERE] = (keeper.address, keeper.key)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Pass the location of the servers' owner to a worker."""
    address, key = node.config.stash[WHERE]
    node.workerinput.update(servers_address=address, servers_key=key)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what belongs together into a group, which runs one after the other, in one process.

    That is what stops servers of its own, what uses the browser, and the files whose tests share
    what is started for them, so that it is not started in every process.
    """
    for item in items:
        if group := _group(item):
            item.add_marker(pytest.mark.xdist_group(group))


def _group(item: pytest.Item) -> str:
    if item.get_closest_marker("outage"):
        return "outage"
    if WEB in item.path.parents:
        return "web"
    fixtures = getattr(item, "_fixtureinfo").name2fixturedefs.values()  # noqa: B009 -- of functions
    scopes = {one.scope for each in fixtures for one in each}
    if "package" in scopes:
        return item.path.parent.name
    return item.path.stem if "module" in scopes else ""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start what the collected tests need before their clocks run."""
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
