"""Advisory locks over work that is longer than a transaction may be."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from db.session import Database
from pao.core.errors import ErrorCode, PaoError

ASK_SECONDS = 0.05


@asynccontextmanager
async def advisory_lock(database: Database, key: int, *, seconds: float) -> AsyncIterator[None]:
    """Hold a lock that only one process has at a time; a process that dies gives it back.

    Raises ``SERVICE_UNAVAILABLE`` when it is not to be had within the seconds. It is asked for
    again and again: a waiting statement would be ended by the statement timeout.
    """
    async with database.reading() as session:
        limit = time.monotonic() + seconds
        while not await session.scalar(select(func.pg_try_advisory_lock(key))):
            if time.monotonic() > limit:
                raise PaoError(
                    ErrorCode.SERVICE_UNAVAILABLE,
                    "Another process is doing this now. Try again in a moment.",
                    headers={"Retry-After": "5"},
                )
            await asyncio.sleep(ASK_SECONDS)
        try:
            yield
        finally:
            await _give_back(session, key)


async def _give_back(session: AsyncSession, key: int) -> None:
    """Unlock, or close the connection: back in the pool it would keep the lock for ever."""
    unlocked = False
    try:
        unlocked = bool(await session.scalar(select(func.pg_advisory_unlock(key))))
    finally:
        if not unlocked:
            with contextlib.suppress(SQLAlchemyError, OSError):
                await session.invalidate()
