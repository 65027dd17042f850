from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, Dialect, inspect
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.types import TypeEngine

from db import models
from pao.app.local.postgres import PostgresAddress
from tests.db.building import START
from tests.support.postgres import Database as Given
from tests.support.postgres import cloned_database

TABLES = models.Request.metadata.tables
WORDS = {"TEXT", "VARCHAR"}


def kind(given: TypeEngine[Any], dialect: Dialect) -> str:
    written = given.compile(dialect=dialect).partition("(")[0]
    return "TEXT" if written in WORDS else written


@pytest.fixture(scope="module")
def migrated(postgres_address: PostgresAddress) -> Iterator[Given]:
    """A database that is only looked at."""
    with cloned_database(postgres_address) as cloned:
        yield cloned


@pytest.mark.parametrize("name", sorted(TABLES))
async def test_a_model_has_the_columns_of_its_table(migrated: Given, name: str) -> None:
    def reflect(connection: Connection) -> list[ReflectedColumn]:
        return inspect(connection).get_columns(name)

    engine = create_async_engine(migrated.owner_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection:
        columns = await connection.run_sync(reflect)
    await engine.dispose()
    stored = {one["name"]: (kind(one["type"], engine.dialect), one["nullable"]) for one in columns}
    modelled = {
        one.name: (kind(one.type, engine.dialect), bool(one.nullable))
        for one in TABLES[name].columns.values()
    }
    assert modelled == stored


async def test_every_table_has_a_model(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {row["tablename"] for row in rows} == set(TABLES)


def test_a_secret_does_not_show_in_a_models_text() -> None:
    key = models.AccessKey(
        access_key_id="PAO1",
        sealed_secret="sealed",
        user_id="dana",
        created_at=START,
        created_by="root",
    )
    assert "sealed" not in repr(key)
