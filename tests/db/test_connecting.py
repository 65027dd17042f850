"""What goes wrong while a connection is made, and TLS as every reader of an address takes it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import text

from db import audit_verification
from db.availability import DatabaseProblem, DatabaseUnavailableError
from db.migrations import runner
from db.notifications import NOT_RECEIVED, NOT_RECEIVED_YET, RequestNotifications
from db.session import Database, PoolSettings
from db.urls import connect_timeout, url_problem
from pao.app.local.postgres import SERVICE
from tests.support.certificates import Certificates, make_certificates
from tests.support.postgres import Database as Given
from tests.support.postgres_proxy import ProxyOptions, postgres_proxy, server_tls


async def by_the_engine(url: str) -> None:
    database = Database(url)
    try:
        async with database.unit_of_work() as session:
            await session.execute(text("SELECT 1"))
    finally:
        await database.close()


async def by_the_listener(url: str) -> None:
    notifications = RequestNotifications(url)
    async with notifications._connection() as line:
        await line.execute("SELECT 1")


async def by_migrations(url: str) -> None:
    await runner.status(url)


async def by_the_audit(url: str) -> None:
    await audit_verification.verify(url)


READERS = [by_the_engine, by_the_listener, by_migrations, by_the_audit]
Reader = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Secured:
    """A Postgres that takes TLS connections only, the certificates it has, and foreign ones."""

    address: str
    own: Certificates
    foreign: Certificates

    def url(self, mode: str, authority: Path | None = None, host: str = "127.0.0.1") -> str:
        plain = self.address.replace("127.0.0.1", host)
        return f"{plain}?sslmode={mode}" + (f"&sslrootcert={authority}" if authority else "")


@pytest.fixture
async def secured(database: Given, tmp_path: Path) -> AsyncIterator[Secured]:
    own = make_certificates(tmp_path / "own", address="127.0.0.1")
    foreign = make_certificates(tmp_path / "foreign", address="127.0.0.1")
    # The embedded Postgres is built without TLS, so that something in front of it ends it.
    async with postgres_proxy(database.service_url, ProxyOptions(tls=server_tls(own))) as url:
        yield Secured(url, own, foreign)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("mode", ["allow", "prefer", "require", "verify-ca", "verify-full"])
async def test_every_mode_of_libpq_connects_for_every_reader(
    secured: Secured, mode: str, reader: Reader
) -> None:
    await reader(secured.url(mode, secured.own.authority))


@pytest.mark.parametrize("reader", READERS)
async def test_a_server_that_a_foreign_authority_vouches_for_is_refused(
    secured: Secured, reader: Reader
) -> None:
    for mode in ("verify-ca", "verify-full"):
        with pytest.raises(DatabaseUnavailableError) as error:
            await reader(secured.url(mode, secured.foreign.authority))
        assert error.value.problem is DatabaseProblem.TLS
        assert "certificates" in error.value.message


async def test_only_the_full_check_looks_at_the_name(secured: Secured) -> None:
    authority = secured.own.authority
    await by_migrations(secured.url("verify-ca", authority, host="localhost"))
    with pytest.raises(DatabaseUnavailableError) as error:
        await by_migrations(secured.url("verify-full", authority, host="localhost"))
    assert error.value.problem is DatabaseProblem.TLS


async def test_a_server_without_tls_is_refused_where_tls_is_required(database: Given) -> None:
    with pytest.raises(DatabaseUnavailableError) as error:
        await by_the_engine(f"{database.service_url}?sslmode=require")
    assert error.value.status == 503


async def connect_to(url: str, **options: Any) -> DatabaseUnavailableError:
    database = Database(url, **options)
    try:
        with pytest.raises(DatabaseUnavailableError) as error:
            await database.ping()
        with pytest.raises(DatabaseUnavailableError):
            async with database.unit_of_work():
                pass
        return error.value
    finally:
        await database.close()


async def test_a_refused_login_is_an_outage_that_is_called_by_its_name(database: Given) -> None:
    parts = urlsplit(database.service_url)
    wrong = database.service_url.replace(str(parts.password), "wrong-word")
    error = await connect_to(wrong)
    assert error.problem is DatabaseProblem.LOGIN
    assert error.status == 503
    assert SERVICE not in error.message
    assert "wrong-word" not in str(error.__cause__)


async def test_a_role_and_a_database_that_are_not_there_are_outages(database: Given) -> None:
    parts = urlsplit(database.service_url)
    nobody = database.service_url.replace(str(parts.username), "no_such_role")
    assert (await connect_to(nobody)).problem is DatabaseProblem.LOGIN
    nowhere = database.service_url.replace(database.name, "no_such_database")
    assert (await connect_to(nowhere)).problem in {DatabaseProblem.MISSING, DatabaseProblem.REFUSED}


async def test_a_right_to_connect_that_was_taken_away_is_an_outage(
    database: Given, superuser: asyncpg.Connection
) -> None:
    await superuser.execute(f"REVOKE CONNECT ON DATABASE {database.name} FROM {SERVICE}")
    assert (await connect_to(database.service_url)).problem is DatabaseProblem.REFUSED


async def test_a_token_that_cannot_be_had_is_an_outage(database: Given) -> None:
    async def token() -> str:
        raise KeyError("no credentials")

    assert (
        await connect_to(database.service_url, password=token)
    ).problem is DatabaseProblem.REFUSED


async def test_the_listener_goes_on_trying_whatever_refuses_it(database: Given) -> None:
    tries = 0

    async def token() -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise KeyError("no credentials")
        return str(urlsplit(database.service_url).password)

    url = database.service_url.replace(f":{urlsplit(database.service_url).password}@", "@")
    async with RequestNotifications(url, password=token) as notifications:
        await notifications.wait_until_listening()
    assert tries > 1


async def test_a_process_that_does_not_hear_itself_says_so(database: Given) -> None:
    async with (
        postgres_proxy(database.service_url, ProxyOptions(swallows_listen=True)) as url,
        RequestNotifications(url, echo_seconds=0.2) as notifications,
    ):
        assert notifications.problem == NOT_RECEIVED_YET
        await notifications.wait_until_checked()
        assert notifications.problem == NOT_RECEIVED
    async with RequestNotifications(database.service_url) as notifications:
        await notifications.wait_until_listening()
        assert notifications.problem is None


@pytest.mark.parametrize("reader", READERS)
async def test_a_pooler_that_refuses_settings_at_the_start_is_no_hindrance(
    database: Given, reader: Reader
) -> None:
    async with postgres_proxy(database.service_url, ProxyOptions(refuses_settings=True)) as url:
        await reader(url)


async def test_the_limits_of_time_hold_on_every_connection(database: Given) -> None:
    opened = Database(database.service_url, pool=PoolSettings(statement_timeout=7))
    try:
        async with opened.reading() as session:
            for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
                assert await session.scalar(text(f"SHOW {name}")) == "7s"
            assert await session.scalar(text("SHOW jit")) == "off"
    finally:
        await opened.close()


@pytest.mark.parametrize("reader", READERS)
async def test_a_server_that_answers_no_statement_ends_the_time_for_connecting(
    database: Given, reader: Reader
) -> None:
    async with postgres_proxy(database.service_url, ProxyOptions(swallows_statements=True)) as url:
        with pytest.raises(DatabaseUnavailableError) as error:
            await asyncio.wait_for(reader(f"{url}?connect_timeout=1"), 9)
    assert error.value.problem is DatabaseProblem.UNAVAILABLE


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("options", ["options=-c%20search_path%3Dx", "search_path=x"])
async def test_a_search_path_of_others_changes_nothing(
    database: Given, reader: Reader, options: str
) -> None:
    await reader(f"{database.service_url}?{options}")


@pytest.mark.parametrize("reader", READERS)
async def test_the_time_for_connecting_may_stand_in_the_address(
    database: Given, reader: Reader
) -> None:
    await reader(f"{database.service_url}?connect_timeout=5")


@pytest.mark.parametrize(
    ("options", "seconds"),
    [("", None), ("?connect_timeout=3", 3.0), ("?connect_timeout=0", None)],
)
def test_the_time_for_connecting_is_read_from_the_address(
    options: str, seconds: float | None
) -> None:
    assert connect_timeout(f"postgresql://h/d{options}") == seconds


def test_a_time_for_connecting_that_is_no_number_is_named() -> None:
    problem = url_problem("postgresql://h/d?connect_timeout=soon")
    assert problem == "connect_timeout is a whole number of seconds"
