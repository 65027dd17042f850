"""Anchors of the audit trail: the database makes them; what proves them is in db/audit_chain.py."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.audit_chain import Anchor

_ANCHOR = text("SELECT id, at, chains, root, previous, hash FROM anchor_audit()")


class AnchorsRepository:
    """Makes anchors; nobody may change one."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def anchor(self) -> Anchor | None:
        """Take the ends of all chains that have changed into a new anchor.

        Gives the newest one where nothing has changed; ``None`` where there is no trail yet.
        """
        row = (await self._session.execute(_ANCHOR)).one()
        return Anchor(*row) if row.id is not None else None
