"""Opening a connection: the same for the engine, the listener, migrations and the audit tools."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from db.unavailable import connecting
from db.urls import driver_url

PasswordSource = Callable[[], Awaitable[str]]


async def connect(
    url: str,
    *,
    timeout: float,  # noqa: ASYNC109 -- handed on to the driver, which ends every step by it
    password: PasswordSource | None = None,
    command_timeout: float | None = None,
    server_settings: dict[str, str] | None = None,
) -> asyncpg.Connection:
    """Open a connection; raises ``DatabaseUnavailable`` whatever keeps it from being made.

    ``ValueError`` for a URL of another kind.
    """
    address = driver_url(url)
    with connecting():
        return await asyncpg.connect(
            address,
            password=password,
            timeout=timeout,
            command_timeout=command_timeout,
            server_settings=server_settings,
        )


@asynccontextmanager
async def connection(
    url: str,
    *,
    timeout: float,  # noqa: ASYNC109 -- as above
    password: PasswordSource | None = None,
) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection for the length of a block."""
    opened = await connect(url, timeout=timeout, password=password)
    try:
        yield opened
    finally:
        await opened.close()
