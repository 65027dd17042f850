"""Leases for work that only one process may do at a time, longer than a transaction may last."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from db.repositories.leases import LeasesRepository
from db.session import Database
from pao.core.errors import ErrorCode, PaoError

LEASE_SECONDS = 15.0
"""How long the lease of a killed process blocks others."""

ASK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease that this process holds; check it in the transaction that stores the work."""

    name: str
    holder: str

    async def check(self, session: AsyncSession) -> None:
        """Raise ``SERVICE_UNAVAILABLE`` unless it is still held, until the transaction ends."""
        if not await LeasesRepository(session).holds(self.name, self.holder):
            raise _taken_error()


@asynccontextmanager
async def lease(
    database: Database, name: str, *, seconds: float, lasts: float = LEASE_SECONDS
) -> AsyncIterator[HeldLease]:
    """Hold a lease: renewed while the block runs, and expired soon after the process has died.

    Raises ``SERVICE_UNAVAILABLE`` when it cannot be acquired within ``seconds``.
    """
    held = HeldLease(name, secrets.token_hex(8))
    limit = time.monotonic() + seconds
    while not await _take(database, held, lasts):
        if time.monotonic() > limit:
            raise _taken_error()
        await asyncio.sleep(ASK_SECONDS)
    renewing = asyncio.create_task(_renew(database, held, lasts), name=f"lease-{name}")
    try:
        yield held
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing
        with contextlib.suppress(PaoError):
            async with database.unit_of_work() as session:
                await LeasesRepository(session).release(held.name, held.holder)


async def _take(database: Database, held: HeldLease, lasts: float) -> bool:
    async with database.unit_of_work() as session:
        return await LeasesRepository(session).take(held.name, held.holder, seconds=lasts)


async def _renew(database: Database, held: HeldLease, lasts: float) -> None:
    while True:
        await asyncio.sleep(lasts / 3)
        with contextlib.suppress(PaoError):
            # The check notices a lease that was lost meanwhile.
            if not await _take(database, held, lasts):
                return


def _taken_error() -> PaoError:
    return PaoError(
        ErrorCode.SERVICE_UNAVAILABLE,
        "Another process is already doing this. Try again in a moment.",
        headers={"Retry-After": "5"},
    )
