"""Opens connections, in the same way for engine, listener, migrations and audit tools."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import asyncpg

from db.availability import translate_connect_errors
from db.urls import connect_timeout, driver_url

PasswordSource = Callable[[], Awaitable[str]]


async def connect(  # noqa: PLR0913 -- what a connection is opened with, each part named.
    url: str,
    *,
    timeout: float,  # noqa: ASYNC109 -- handed on to the driver, which ends every step by it
    password: PasswordSource | None = None,
    command_timeout: float | None = None,
    application_name: str = "pao",
    settings: Mapping[str, str] | None = None,
) -> asyncpg.Connection:
    """Open a connection; raises ``DatabaseUnavailableError`` for any failure to connect.

    ``timeout`` is in seconds; a ``connect_timeout`` in the URL counts before it. ``settings`` are
    our own server settings, not a caller's: they are not quoted. ``ValueError`` for a URL of
    another kind.
    """
    address, limit = driver_url(url), connect_timeout(url) or timeout
    with translate_connect_errors():
        opened = await asyncpg.connect(
            address,
            password=password,
            timeout=limit,
            command_timeout=command_timeout,
            server_settings={"application_name": application_name, "timezone": "UTC"},
        )
        # As statements: PgBouncer refuses most settings in a startup message. The search path is
        # always ours, whatever the address or the role sets.
        server_settings = {"search_path": "public", **(settings or {})}
        # Not by the driver's timeout, which would ask a hanging server to cancel the statement.
        too_late = asyncio.get_running_loop().call_later(limit, opened.terminate)
        try:
            await opened.execute(
                "; ".join(f"SET {name} = {value}" for name, value in server_settings.items())
            )
        except BaseException:
            opened.terminate()
            raise
        finally:
            too_late.cancel()
        return opened


@asynccontextmanager
async def connection(
    url: str,
    *,
    timeout: float,  # noqa: ASYNC109 -- as above
    password: PasswordSource | None = None,
) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection for the length of a block."""
    opened = await connect(url, timeout=timeout, password=password)
    try:
        yield opened
    finally:
        await opened.close()
