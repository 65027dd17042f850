"""Leases, shared by all processes and timed by the database's clock."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_TAKE = text(
    """
    INSERT INTO leases AS known (name, holder, expires_at)
    VALUES (:name, :holder, now() + make_interval(secs => :seconds))
    ON CONFLICT (name) DO UPDATE SET
        holder = excluded.holder, expires_at = excluded.expires_at
    WHERE known.expires_at <= now() OR known.holder = excluded.holder
    RETURNING holder
    """
)
_HOLD = text(
    """
    SELECT 1 FROM leases WHERE name = :name AND holder = :holder AND expires_at > now()
    FOR UPDATE
    """
)
_GIVE_BACK = text("UPDATE leases SET expires_at = now() WHERE name = :name AND holder = :holder")


class LeasesRepository:
    """Acquires, renews, checks and releases leases."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, name: str, holder: str, *, seconds: float) -> bool:
        """Acquire or renew a lease for ``seconds``; return whether this holder has it now."""
        values = {"name": name, "holder": holder, "seconds": seconds}
        return (await self._session.execute(_TAKE, values)).first() is not None

    async def holds(self, name: str, holder: str) -> bool:
        """Return whether this holder has it; no other gets it before this transaction ends."""
        values = {"name": name, "holder": holder}
        return (await self._session.execute(_HOLD, values)).first() is not None

    async def release(self, name: str, holder: str) -> None:
        """Release a lease, if this holder has it."""
        await self._session.execute(_GIVE_BACK, {"name": name, "holder": holder})
