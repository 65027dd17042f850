import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from db.availability import DatabaseUnavailableError
from db.documents import dump_json
from db.models import AccessKey
from db.session import Database, PoolSettings
from db.urls import driver_url
from pao.core.errors import ErrorCode, PaoError
from tests.db.building import count, stored
from tests.support.postgres import Database as Given

NAME_OF_SESSION = "SELECT current_setting('application_name')"
KILL = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1"


@asynccontextmanager
async def opened(url: str, **pool: Any) -> AsyncIterator[Database]:
    database = Database(url, pool=PoolSettings(**pool))
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def insert_key(database: Database, name: str) -> None:
    async with database.unit_of_work() as session:
        await session.execute(
            text(
                "INSERT INTO access_keys (access_key_id, sealed_secret, user_id, created_by)"
                " VALUES (:name, 's', 'u', 'c')"
            ),
            {"name": name},
        )


async def test_a_unit_of_work_is_committed_at_its_end(
    db: Database, owner: asyncpg.Connection
) -> None:
    await insert_key(db, "one")
    assert await count(owner, "access_keys") == 1


async def test_an_error_does_not_show_the_values_of_its_statement(db: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with db.unit_of_work() as session:
            await session.execute(text("SELECT 1 / 0, :value"), {"value": "s3cret-value"})

    assert "division by zero" in str(caught.value)
    assert "s3cret-value" not in str(caught.value)


async def test_an_error_takes_everything_back(db: Database, owner: asyncpg.Connection) -> None:
    async def fail() -> None:
        async with db.unit_of_work() as session:
            await session.execute(
                text(
                    "INSERT INTO access_keys (access_key_id, sealed_secret, user_id, created_by)"
                    " VALUES ('one', 's', 'u', 'c')"
                )
            )
            raise PaoError(ErrorCode.FORBIDDEN, "no")

    with pytest.raises(PaoError, match="no"):
        await fail()
    assert await count(owner, "access_keys") == 0


async def test_a_mistake_of_ours_is_not_said_to_be_an_outage(db: Database) -> None:
    with pytest.raises(ProgrammingError):
        async with db.unit_of_work() as session:
            await session.execute(text("SELEKT 1"))
    await insert_key(db, "one")
    with pytest.raises(IntegrityError):
        await insert_key(db, "one")


async def test_a_ping_tells_how_long_it_took(db: Database) -> None:
    assert 0 < await db.ping() < 5


async def test_a_refused_connection_is_an_outage() -> None:
    async with opened("postgresql://nobody@127.0.0.1:1/pao") as database:
        with pytest.raises(DatabaseUnavailableError) as error:
            await database.ping()
    assert error.value.code is ErrorCode.SERVICE_UNAVAILABLE
    assert error.value.status == 503
    assert error.value.headers == {"Retry-After": "2"}
    assert "127.0.0.1" not in str(error.value)


async def test_a_server_that_says_nothing_is_an_outage(silent_port: int) -> None:
    url = f"postgresql://nobody@127.0.0.1:{silent_port}/pao"
    async with opened(url, connect_timeout=0.2) as database:
        with pytest.raises(DatabaseUnavailableError):
            async with database.unit_of_work() as session:
                await session.execute(text("SELECT 1"))


async def test_a_connection_that_the_server_has_closed_is_replaced_unnoticed(
    database: Given, superuser: asyncpg.Connection
) -> None:
    async with opened(database.service_url, application_name="idle-one") as used:
        await used.ping()
        assert await superuser.fetchval(KILL, "idle-one")
        # One more turn, so that the news of the closed line is read.
        await superuser.execute("SELECT 1")
        await used.ping()


async def test_a_server_that_stops_in_the_middle_is_an_outage(
    database: Given, superuser: asyncpg.Connection
) -> None:
    async with opened(database.service_url, application_name="busy-one") as used:

        async def work() -> None:
            async with used.unit_of_work() as session:
                await session.execute(text("SELECT 1"))
                await superuser.fetchval(KILL, "busy-one")
                await session.execute(text("SELECT 1"))

        with pytest.raises(DatabaseUnavailableError) as error:
            await work()
        assert not error.value.outcome_unknown
        await used.ping()


async def test_a_line_that_breaks_at_the_commit_leaves_the_outcome_open(
    database: Given, superuser: asyncpg.Connection
) -> None:
    async with opened(database.service_url, application_name="late-one") as used:

        async def work() -> None:
            async with used.unit_of_work() as session:
                await session.execute(text("SELECT 1"))
                await superuser.fetchval(KILL, "late-one")

        with pytest.raises(DatabaseUnavailableError) as error:
            await work()
        assert error.value.outcome_unknown


async def test_one_statement_commits_by_itself_and_takes_no_second(
    db: Database, owner: asyncpg.Connection
) -> None:
    insert = text(
        "INSERT INTO access_keys (access_key_id, sealed_secret, user_id, created_by)"
        " VALUES (:name, 's', 'u', 'c')"
    )
    async with db.one_statement() as session:
        await session.execute(insert, {"name": "one"})
        assert await count(owner, "access_keys") == 1
        with pytest.raises(RuntimeError, match="unit_of_work"):
            await session.execute(insert, {"name": "two"})
    with pytest.raises(IntegrityError):
        async with db.one_statement() as session:
            await session.execute(insert, {"name": "one"})
    assert await count(owner, "access_keys") == 1
    async with db.one_statement() as session:
        assert await session.scalar(text("SELECT 1")) == 1
        for again in (session.scalar, session.scalars, session.execute):
            with pytest.raises(RuntimeError, match="unit_of_work"):
                await again(text("SELECT 2"))
        with pytest.raises(RuntimeError, match="unit_of_work"):
            await session.get(AccessKey, "one")


async def test_a_line_that_breaks_in_one_statement_leaves_the_outcome_open(
    database: Given, superuser: asyncpg.Connection
) -> None:
    async with opened(database.service_url, application_name="lone-one") as used:

        async def work() -> None:
            async with used.one_statement() as session:
                await superuser.fetchval(KILL, "lone-one")
                await session.execute(text("SELECT 1"))

        with pytest.raises(DatabaseUnavailableError) as error:
            await work()
        assert error.value.outcome_unknown
        await used.ping()


@pytest.mark.parametrize("statement", ["SELECT pg_sleep(5)", "SELECT 1 FROM nowhere"])
async def test_what_the_server_refuses_by_itself_has_a_known_outcome(
    database: Given, statement: str
) -> None:
    async with opened(database.service_url, statement_timeout=0.05) as used:
        with pytest.raises(DatabaseUnavailableError) as error:
            async with used.one_statement() as session:
                await session.execute(text(statement))
        assert not error.value.outcome_unknown


async def test_a_statement_that_takes_too_long_is_an_outage(database: Given) -> None:
    async with opened(database.service_url, statement_timeout=0.05) as used:
        with pytest.raises(DatabaseUnavailableError):
            async with used.unit_of_work() as session:
                await session.execute(text("SELECT pg_sleep(5)"))


async def test_a_pool_that_is_used_up_is_an_outage(database: Given) -> None:
    async with (
        opened(database.service_url, max_idle=1, max_open=1, wait=0.05) as used,
        used.unit_of_work() as session,
    ):
        await session.execute(text("SELECT 1"))
        with pytest.raises(DatabaseUnavailableError):
            await used.ping()


async def test_a_server_without_room_is_an_outage(
    database: Given, owner: asyncpg.Connection
) -> None:
    await owner.execute(f"ALTER DATABASE {database.name} CONNECTION LIMIT 0")
    async with opened(database.service_url) as used:
        with pytest.raises(DatabaseUnavailableError):
            await used.ping()


async def test_a_connection_that_was_idle_for_too_long_is_replaced(database: Given) -> None:
    pid = text("SELECT pg_backend_pid()")
    for idle, same in ((60.0, True), (0.0, False)):
        async with opened(database.service_url, max_idle_time=idle) as used:
            async with used.unit_of_work() as session:
                first = await session.scalar(pid)
            async with used.unit_of_work() as session:
                assert (await session.scalar(pid) == first) is same


async def test_the_session_is_set_up_as_asked_for(database: Given) -> None:
    url = database.service_url
    async with (
        opened(url, application_name="pao-api", statement_timeout=7.0) as used,
        used.unit_of_work() as session,
    ):
        assert await session.scalar(text(NAME_OF_SESSION)) == "pao-api"
        assert await session.scalar(text("SHOW statement_timeout")) == "7s"
        assert await session.scalar(text("SHOW timezone")) == "UTC"
        assert await session.scalar(text("SHOW jit")) == "off"


async def test_the_password_is_asked_for_at_every_connection(database: Given) -> None:
    url = make_url(database.service_url)
    password = str(url.password)
    asked = 0

    async def token() -> str:
        nonlocal asked
        asked += 1
        return password

    used = Database(url.set(password=None).render_as_string(), password=token)
    await used.ping()
    await used.close()
    await used.ping()
    await used.close()
    assert asked == 2


async def test_times_come_back_aware_and_in_utc(db: Database) -> None:
    await stored(db)
    async with db.unit_of_work() as session:
        moment = await session.scalar(text("SELECT created_at FROM requests"))
    assert moment.isoformat() == "2026-03-01T12:00:00+00:00"


def test_the_ssl_mode_is_spelled_as_the_driver_wants_it() -> None:
    url = "postgresql://u:p%40ss@host/db?sslmode=require"
    assert driver_url("postgresql+asyncpg://u:p%40ss@host/db?ssl=require") == url
    assert driver_url(url) == url


def test_the_authorities_of_the_machine_vouch_for_a_name_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "authorities.pem"
    file.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    written = driver_url("postgresql://u@host/db?sslrootcert=system&sslmode=require")
    options = parse_qs(urlsplit(written).query)
    assert options == {"sslmode": ["verify-full"], "sslrootcert": [str(file)]}


def test_json_that_postgres_takes_is_left_as_it_is() -> None:
    assert dump_json({"a": ["\\u0000", "ü", 1.5, None]}) == '{"a":["\\\\u0000","ü",1.5,null]}'


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("a\0b", '"a\N{REPLACEMENT CHARACTER}b"'),
        ({"\0": 1}, '{"\N{REPLACEMENT CHARACTER}":1}'),
        (["\ud800"], '["?"]'),
        ((float("inf"),), "[null]"),
        ([16**4000, 1], "[null,1]"),
        ([10**300], f"[1{'0' * 300}]"),
    ],
)
def test_json_that_postgres_refuses_is_fixed(given: object, written: str) -> None:
    assert dump_json(given) == written


def test_what_is_no_json_at_all_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises((ValueError, RecursionError)):
        dump_json(endless)
    with pytest.raises(TypeError):
        dump_json({"a": object()})


async def test_an_outage_is_logged_once_and_so_is_its_end(
    database: Given, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "db.session")
    parts = urlsplit(database.service_url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = parts._replace(netloc=f"u:p@127.0.0.1:{port}").geturl()
    async with opened(away) as pool:
        for _ in range(3):
            with pytest.raises(DatabaseUnavailableError) as raised:
                await pool.ping()
            assert raised.value.is_logged
    [line] = caplog.records
    assert line.getMessage().startswith("no connection to the database: ConnectionRefusedError")
    assert line.exc_info is None


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT * FROM no_such_table", "lacks what this version of PAO needs"),
        ("SELECT no_such_column FROM requests", "lacks what this version of PAO needs"),
        ("DELETE FROM audit_logs", "does not give this role the rights"),
    ],
)
async def test_another_schema_and_missing_rights_are_said_in_a_sentence(
    database: Given, statement: str, told: str
) -> None:
    async with opened(database.service_url) as pool:
        with pytest.raises(DatabaseUnavailableError) as raised:
            async with pool.unit_of_work() as session:
                await session.execute(text(statement))

    assert told in raised.value.message
    assert "migrate" in raised.value.message
