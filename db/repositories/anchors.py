"""Anchors of the audit trail: the database creates them; db/audit_chain.py verifies them."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.audit_chain import Anchor

MOST_CHAINS = 50_000
"""How many chains one anchor covers at most (0027_anchors_in_batches.sql)."""

_ANCHOR = text("SELECT id, at, chains, root, previous, hash FROM anchor_audit()")


class AnchorsRepository:
    """Creates anchors; nobody may change one."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def anchor(self) -> Anchor | None:
        """Create an anchor of the chains that have changed, at most ``MOST_CHAINS``.

        Return the newest one where nothing has changed; ``None`` where there is no trail yet.
        """
        row = (await self._session.execute(_ANCHOR)).one()
        return Anchor(*row) if row.id is not None else None
