"""Plain connections to the database, as its owner and as a superuser."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.support.postgres import Database as Given


@pytest.fixture
async def owner(database: Given) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection as the owner of the tables."""
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def superuser(database: Given) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection that may end those of others."""
    connection = await asyncpg.connect(database.superuser_url)
    yield connection
    await connection.close()
