"""One running PAO and one browser for the tests of the pages; every test has a context of its own.

All tests here run in one event loop, the browser's. What a page must never do, in whatever test, is
asserted by `watched.py` when the test ends.
"""

import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser as Chromium
from playwright.async_api import async_playwright, expect

from pao.app.local.postgres import PostgresAddress
from pao.app.local.web_scripts import fetch
from tests.support.browser import ARGUMENTS, Browser
from tests.support.callers import DANA, Person
from tests.support.github import GitHubSandbox
from tests.support.github_actions import github_sandbox
from tests.support.inventory import Inventory
from tests.support.postgres import cloned_database
from tests.support.stack import SAMPLES, Stack, running_stack
from tests.web.large import large_item
from tests.web.leaks import Leaks
from tests.web.person import At, Visit
from tests.web.watched import Watched

# In milliseconds: only what never comes takes as long, on however busy a machine.
_PATIENCE = 60_000
expect.set_options(timeout=_PATIENCE)

ITEMS = Path(__file__).parent / "catalog"
SECRET = "Hunter2-sentinel!"
"""What tests enter as passwords; it must never be in any answer."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every test of this folder in the loop of the browser."""
    here = Path(__file__).parent
    for item in items:
        # A hook of any folder is given the tests of all.
        if here in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def leaks() -> Leaks:
    return Leaks(SECRET.encode())


@pytest.fixture(scope="session")
def inventory() -> Iterator[Inventory]:
    """Where a form of the tests asks for choices."""
    made = Inventory()
    yield made
    made.server.close()


@pytest.fixture(scope="session")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubSandbox]:
    """The repositories that the services of the tests write to."""
    with github_sandbox(tmp_path_factory.mktemp("github")) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def web_stack(  # noqa: PLR0913, PLR0917 -- all that it stands on
    leaks: Leaks,
    inventory: Inventory,
    github: GitHubSandbox,
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    fetch()
    folder, catalog = tmp_path_factory.mktemp("web"), tmp_path_factory.mktemp("catalog")
    for items in (SAMPLES, ITEMS):
        shutil.copytree(items, catalog, dirs_exist_ok=True)
    (catalog / "web" / "web-large.yaml").write_text(json.dumps(large_item(fields=300)))
    for name in ("web-rows", "web-accounts"):
        asking = catalog / "web" / f"{name}.yaml"
        asking.write_text(asking.read_text().replace("http://inventory", inventory.server.url))
    environ = {
        "PAO_WEB_RATE_LIMIT": "1000000",
        "PAO_EGRESS_ALLOW": "127.0.0.1",
        "PAO_STREAM_HEARTBEAT": "200ms",
        "GITHUB_API_URL": github.api_url,
        "GITHUB_FLAVOUR": "cloud",
        "GITHUB_TOKEN": github.settings.token,
    }
    with (
        cloned_database(postgres_address) as database,
        running_stack(
            database,
            temporal_address,
            folder,
            catalog=catalog,
            environ=environ,
            around=leaks.around,
        ) as stack,
    ):
        yield stack


@pytest.fixture
def stack(web_stack: Stack) -> Iterator[Stack]:
    """The running PAO; a test takes ids and names of its own, because others use it as well."""
    yield web_stack
    web_stack.jira.clear_faults()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(browser_program: Browser) -> AsyncIterator[Chromium]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=browser_program.program,
            args=ARGUMENTS,
            env={**os.environ, **browser_program.environment},
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(stack: Stack, chromium: Chromium, leaks: Leaks) -> AsyncIterator[Visit]:
    """Open a browser as a person, signed in; options are those of a browser context.

    Every browser that a test opens is watched; what it must not have done fails the test.
    """
    opened: list[At] = []

    async def open_as(person: Person | None = DANA, **options: object) -> At:
        context = await chromium.new_context(base_url=stack.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(_PATIENCE)
        at = At(context, Watched(context), stack)
        opened.append(at)
        if person is not None:
            await at.sign_in(person)
        return at

    yield open_as
    for at in opened:
        await at.context.close()
    for at in opened:
        at.watched.check()
    assert leaks.found == [], leaks.found
