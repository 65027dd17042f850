"""The engine, its pool, and the only commits in the codebase: a unit of work, one statement."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from db.availability import (
    DatabaseUnavailableError,
    describe_error,
    translate_connect_errors,
    translate_errors,
)
from db.connections import PasswordSource, connect
from db.documents import dump_json
from db.urls import DRIVER, driver_url
from pao.runtime.process_metrics import PoolState

_log = logging.getLogger(__name__)

# A continuing outage is logged again after this time.
LOG_AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """How many connections one process keeps, and for how long; durations are seconds."""

    max_idle: int = 5
    max_open: int = 15
    max_lifetime: float = 3600.0
    max_idle_time: float = 600.0
    wait: float = 5.0
    connect_timeout: float = 5.0
    statement_timeout: float = 10.0
    application_name: str = "pao"


class OutageLog:
    """Logs why connecting fails: at first, once a minute, and when the reason changes."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._logged_at = float("-inf")

    def report(self, error: DatabaseUnavailableError) -> None:
        """Log a failure to connect, unless it was logged just before."""
        error.is_logged = True
        reason, now = describe_error(error.__cause__), time.monotonic()
        if reason == self._reason and now - self._logged_at < LOG_AGAIN_SECONDS:
            return
        _log.warning("no connection to the database: %s", reason)
        self._reason, self._logged_at = reason, now

    def end(self) -> None:
        """Log the end of an outage, if there was one."""
        if self._reason is not None:
            _log.info("the database is available again")
            self._reason, self._logged_at = None, float("-inf")


class Database:
    """One process's access to Postgres. Connects on first use; ``close`` it at the end.

    ``password`` is asked for at every new connection, for tokens that expire (IAM).
    """

    def __init__(
        self,
        url: str,
        *,
        pool: PoolSettings | None = None,
        password: PasswordSource | None = None,
    ) -> None:
        settings = pool or PoolSettings()
        self._engine = _engine(url, settings, password)
        self._outage = OutageLog()
        self._max_open, self._waiting = settings.max_open, 0
        options: dict[str, Any] = {"expire_on_commit": False, "autoflush": False}
        self._sessions = async_sessionmaker(self._engine, **options)
        autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._readers = async_sessionmaker(autocommit, **options)
        self._statements = async_sessionmaker(
            autocommit, sync_session_class=_OneStatement, **options
        )

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[AsyncSession]:
        """Open a session for one transaction: committed at the end, rolled back on any error.

        Raises ``DatabaseUnavailableError``. Make no outside call inside.
        """
        with translate_errors():
            async with self._sessions() as session:
                await self._connect(session)
                yield session
                with translate_errors(outcome_unknown=True):
                    await session.commit()

    @asynccontextmanager
    async def one_statement(self) -> AsyncIterator[AsyncSession]:
        """Open a session for a single statement that commits by itself: one round trip, not three.

        A second statement raises ``RuntimeError``. Raises ``DatabaseUnavailableError``; when the
        connection breaks, the statement may have been carried out, or be carried out yet
        (``outcome_unknown``; see ``known_outcome``).
        """
        with translate_errors(outcome_unknown=True):
            async with self._statements() as session:
                await self._connect(session)
                yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a session that only reads; no transaction, so two round trips less than with one.

        Every query sees what is committed when it begins, as it would in a unit of work. Raises
        ``DatabaseUnavailableError`` when the database is unavailable.
        """
        with translate_errors():
            async with self._readers() as session:
                await self._connect(session)
                yield session

    async def ping(self) -> float:
        """Ping the database; return the seconds that it took."""
        started = time.perf_counter()
        async with self.reading() as session:
            await session.execute(text("SELECT 1"))
        return time.perf_counter() - started

    def pool(self) -> PoolState:
        """Return how many connections are used and idle now, and how many callers wait for one."""
        pool = cast("QueuePool", self._engine.pool)
        return PoolState(
            in_use=pool.checkedout(),
            idle=pool.checkedin(),
            waiting=self._waiting,
            most=self._max_open,
        )

    async def close(self) -> None:
        """Close every connection; those in use are closed when they come back."""
        await self._engine.dispose()

    async def _connect(self, session: AsyncSession) -> None:
        """Take a connection now, so that a failure to connect is distinguished from later errors.

        It costs no round trip: the transaction begins with the first statement.
        """
        self._waiting += 1
        try:
            with translate_connect_errors():
                await session.connection()
        except DatabaseUnavailableError as error:
            self._outage.report(error)
            raise
        finally:
            self._waiting -= 1
        self._outage.end()


class _OneStatement(Session):
    """A session that executes one statement, however it is asked to."""

    is_used = False


@event.listens_for(_OneStatement, "do_orm_execute")
def _refuse_second_statement(statement: ORMExecuteState) -> None:
    session = cast("_OneStatement", statement.session)
    if session.is_used:
        raise RuntimeError("a second statement would be a second transaction: use unit_of_work")
    session.is_used = True


def _engine(url: str, settings: PoolSettings, password: PasswordSource | None) -> AsyncEngine:
    engine = create_async_engine(
        # Only the creator decides where to connect: it parses the URL as everywhere else.
        URL.create(DRIVER),
        async_creator=_connection_creator(url, settings, password),
        pool_size=min(settings.max_idle, settings.max_open),
        max_overflow=max(settings.max_open - settings.max_idle, 0),
        pool_recycle=int(settings.max_lifetime),
        pool_timeout=settings.wait,
        # The last one returned is used first, so that surplus connections go idle and are closed.
        pool_use_lifo=True,
        json_serializer=dump_json,
        # A failed statement's message goes to logs and terminals; its values do not.
        hide_parameters=True,
    )
    _replace_dead_connections(engine, settings.max_idle_time)
    return engine


def _connection_creator(
    url: str, settings: PoolSettings, password: PasswordSource | None
) -> Callable[[], Awaitable[asyncpg.Connection]]:
    milliseconds = str(int(settings.statement_timeout * 1000))
    driver_url(url)  # a URL of another kind is refused here, not at the first connection

    async def create() -> asyncpg.Connection:
        return await connect(
            url,
            password=password,
            timeout=settings.connect_timeout,
            # The server cancels slow statements itself; this is for a server that is gone.
            command_timeout=settings.statement_timeout + 2.0,
            application_name=settings.application_name,
            settings={
                "statement_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
                # JIT compilation costs more than any of these short statements.
                "jit": "off",
            },
        )

    return create


def _replace_dead_connections(engine: AsyncEngine, max_idle_time: float) -> None:
    """Replace, when it is taken from the pool, a connection that was closed or idle for too long.

    asyncpg notices a closed connection itself, so this costs no round trip, unlike a ping.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def _checkin(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def _checkout(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        idle_since = record.info.pop("idle_since", None)
        if connection.driver_connection.is_closed():
            raise DisconnectionError("the server has closed this connection")
        if idle_since is not None and time.monotonic() - idle_since > max_idle_time:
            raise DisconnectionError("this connection was idle for too long")
