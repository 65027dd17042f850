"""What the tests of a catalog that is brought into service begin with."""

from collections.abc import AsyncIterator

import pytest

from db.session import Database, PoolSettings
from tests.support.catalog_source import Repository
from tests.support.postgres import Database as Given


@pytest.fixture
async def opened(database: Given) -> AsyncIterator[Database]:
    """The database as one process has it open."""
    made = Database(database.service_url, pool=PoolSettings(max_idle=2, max_open=20))
    yield made
    await made.close()


@pytest.fixture
def source() -> Repository:
    """A source of three items."""
    made = Repository()
    made.put("tool-a-a", "tool-b-b", "tool-c-c")
    return made
