import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from db.migrations.files import Migration, MigrationError, load_migrations, packaged_migrations
from db.migrations.runner import (
    LOCK,
    LockRetries,
    MigrationState,
    check_ready,
    migrate,
    status,
    verify,
)
from db.session import Database
from pao.core.errors import ErrorCode, PaoError
from tests.support.postgres import Database as Given

WAITS = """
    SELECT EXISTS (
        SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
        WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
    )
"""
WAITS_FOR_A_TABLE = """
    SELECT EXISTS (
        SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
        WHERE locktype = 'relation' AND NOT granted AND datname = current_database()
    )
"""
ROOT = Path(__file__).parents[2]
MIGRATE = "import asyncio, sys; from db.migrations.runner import migrate;"
MIGRATE += "print(len(asyncio.run(migrate(sys.stdin.read()))))"


@pytest.fixture
async def empty(database: Given) -> str:
    """The URL of a database in which nothing was ever migrated."""
    connection = await asyncpg.connect(database.owner_url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    return database.owner_url


def files(**more: str) -> tuple[Migration, ...]:
    base = {"0001_first.sql": "CREATE TABLE first (n int)"}
    return load_migrations(base | {f"{name}.sql": sql for name, sql in more.items()})


@asynccontextmanager
async def in_use(url: str) -> AsyncIterator[None]:
    """Have somebody read the table ``first`` in a transaction that does not end."""
    holder = await asyncpg.connect(url)
    try:
        async with holder.transaction():
            await holder.execute("SELECT * FROM first")
            yield
    finally:
        await holder.close()


async def test_every_migration_is_applied_once(empty: str) -> None:
    applied = await migrate(empty)
    assert [one.version for one in applied] == [one.version for one in packaged_migrations()]
    assert await migrate(empty) == []
    assert {one.state for one in await status(empty)} == {MigrationState.APPLIED}
    await verify(empty)


async def test_both_spellings_of_the_url_are_taken(empty: str) -> None:
    plain = empty.replace("postgresql+asyncpg://", "postgresql://")
    await migrate(plain)
    await verify(plain.replace("postgresql://", "postgresql+asyncpg://"))


async def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="starts with postgresql://"):
        await migrate("mysql://localhost/pao")


async def test_an_empty_database_has_everything_pending(empty: str) -> None:
    assert {one.state for one in await status(empty)} == {MigrationState.PENDING}
    with pytest.raises(MigrationError, match=r"no migration is applied. Run `pao db migrate`"):
        await verify(empty)


async def test_five_processes_at_once_apply_each_migration_once(empty: str) -> None:
    async def run() -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            MIGRATE,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate(empty.encode())
        assert process.returncode == 0
        return output.decode().strip()

    counts = await asyncio.gather(*(run() for _ in range(5)))
    assert sum(map(int, counts)) == len(packaged_migrations())


async def test_a_process_waits_while_another_one_migrates(
    empty: str, owner: asyncpg.Connection
) -> None:
    await owner.execute("SELECT pg_advisory_lock($1)", LOCK)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(migrate(empty))
        while not await owner.fetchval(WAITS):
            assert not waiting.done()
        assert await owner.fetchval("SELECT to_regclass('schema_migrations')") is None
        await owner.execute("SELECT pg_advisory_unlock($1)", LOCK)
    assert len(waiting.result()) == len(packaged_migrations())


async def test_an_applied_file_that_was_edited_stops_everything(empty: str) -> None:
    await migrate(empty, migrations=files())
    edited = load_migrations({"0001_first.sql": "CREATE TABLE first (n bigint)"})
    with pytest.raises(MigrationError, match=r"Edited after being applied: 0001\. Restore"):
        await migrate(empty, migrations=edited)
    with pytest.raises(MigrationError, match="Edited after being applied"):
        await verify(empty, migrations=edited)
    assert [one.state for one in await status(empty, migrations=edited)] == [MigrationState.EDITED]


async def test_turned_line_ends_are_no_edit() -> None:
    unix = load_migrations({"0001_first.sql": "SELECT 1;\nSELECT 2;\n"})
    windows = load_migrations({"0001_first.sql": "SELECT 1;\r\nSELECT 2;\r\n"})
    assert unix[0].checksum == windows[0].checksum


async def test_a_file_that_fails_is_taken_back_whole_and_those_before_stay(empty: str) -> None:
    broken = files(**{"0002_second": "CREATE TABLE second (n int); SELECT 1/0"})
    with pytest.raises(MigrationError, match=r"0002 \(second\) failed .* division by zero"):
        await migrate(empty, migrations=broken)
    found = await status(empty, migrations=broken)
    assert [one.state for one in found] == [MigrationState.APPLIED, MigrationState.PENDING]
    connection = await asyncpg.connect(empty)
    assert await connection.fetchval("SELECT to_regclass('second')") is None
    await connection.close()


async def test_a_migration_that_comes_too_late_is_refused(empty: str) -> None:
    await migrate(empty, migrations=files(**{"0003_third": "SELECT 1"}))
    late = files(**{"0002_second": "SELECT 1", "0003_third": "SELECT 1"})
    with pytest.raises(MigrationError, match=r"0002\. Give them versions after 0003"):
        await migrate(empty, migrations=late)


async def test_a_schema_newer_than_the_code_is_taken(empty: str) -> None:
    await migrate(empty, migrations=files(**{"0002_second": "SELECT 1"}))
    assert await migrate(empty, migrations=files()) == []
    found = await status(empty, migrations=files())
    assert [one.state for one in found] == [MigrationState.APPLIED, MigrationState.UNKNOWN]


@pytest.mark.parametrize("name", ["1_first.sql", "0001-first.sql", "0001_First.sql"])
def test_a_badly_named_file_is_refused(name: str) -> None:
    with pytest.raises(MigrationError, match="name a migration like"):
        load_migrations({name: ""})


def test_two_files_of_one_version_are_refused() -> None:
    with pytest.raises(MigrationError, match="version 0001 is taken"):
        load_migrations({"0001_a.sql": "", "0001_b.sql": ""})


async def test_the_service_can_tell_that_the_schema_is_current(db: Database) -> None:
    async with db.unit_of_work() as session:
        await check_ready(session)


async def test_readiness_says_what_is_missing(db: Database, owner: asyncpg.Connection) -> None:
    newest = await owner.fetchval("SELECT max(version) FROM schema_migrations")
    await owner.execute("DELETE FROM schema_migrations WHERE version = $1", newest)
    with pytest.raises(MigrationError, match=f"Not applied yet: {newest}"):
        async with db.unit_of_work() as session:
            await check_ready(session)
    await owner.execute("DROP TABLE schema_migrations")
    with pytest.raises(MigrationError, match="no migration is applied"):
        async with db.unit_of_work() as session:
            await check_ready(session)


async def test_a_database_that_is_away_is_said_to_be_unavailable() -> None:
    with pytest.raises(PaoError) as error:
        await migrate("postgresql://nobody@127.0.0.1:1/pao")
    assert error.value.code is ErrorCode.SERVICE_UNAVAILABLE


SLOW = files(**{"0002_second": "ALTER TABLE first ADD COLUMN m int"})


async def test_a_table_that_is_in_use_ends_a_migration_after_its_tries(empty: str) -> None:
    await migrate(empty, migrations=files())
    async with in_use(empty):
        with pytest.raises(MigrationError, match=r"0002 \(second\) could not lock") as caught:
            await migrate(
                empty, migrations=SLOW, lock_retries=LockRetries(wait=0.05, tries=2, pause=0)
            )
        assert "2 tries" in str(caught.value)
    assert [one.version for one in await migrate(empty, migrations=SLOW)] == ["0002"]


async def test_a_migration_that_waits_for_a_table_lets_others_use_it(empty: str) -> None:
    await migrate(empty, migrations=files())
    lock_retries = LockRetries(wait=0.05, tries=1_000_000, pause=0.01)
    async with in_use(empty):
        migrating = asyncio.create_task(migrate(empty, migrations=SLOW, lock_retries=lock_retries))
        reader = await asyncpg.connect(empty)
        try:
            while not await reader.fetchval(WAITS_FOR_A_TABLE):
                continue
            # Behind the waiting ALTER, until that has given up for a moment.
            assert await reader.fetchval("SELECT count(*) FROM first") == 0
        finally:
            await reader.close()
        assert not migrating.done()
    assert [one.version for one in await migrating] == ["0002"]
