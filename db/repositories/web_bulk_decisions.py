"""Bulk decisions: their requests, and the result for each."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import WebBulkDecision
from db.models.columns import DOCUMENT

KEPT = timedelta(days=7)
"""How long a bulk decision is kept, enforced by a trigger; each request's own record stays."""


class WebBulkDecisionsRepository:
    """Stores bulk decisions; only the user who made one can read it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, decision_id: str, user_id: str) -> WebBulkDecision | None:
        """Return a bulk decision of a user."""
        query = select(WebBulkDecision).where(
            col(WebBulkDecision.id) == UUID(decision_id), col(WebBulkDecision.user_id) == user_id
        )
        return (await self._session.scalars(query)).first()

    async def insert(
        self, decision_id: str, user_id: str, *, cause: str, reason: str, requests: Sequence[str]
    ) -> None:
        """Store one; an existing one of the same id stays as it is."""
        row = insert(WebBulkDecision).values(
            id=UUID(decision_id),
            user_id=user_id,
            cause=cause,
            reason=reason,
            requests=[UUID(one) for one in requests],
        )
        await self._session.execute(row.on_conflict_do_nothing())

    async def note(self, decision_id: str, results: Mapping[str, str]) -> None:
        """Add results of some of its requests; the first result of a request counts."""
        change = update(WebBulkDecision).where(col(WebBulkDecision.id) == UUID(decision_id))
        added = literal(dict(results), DOCUMENT).op("||")(col(WebBulkDecision.results))
        await self._session.execute(change.values(results=added))

    async def remove_expired(self, *, batch: int) -> int:
        """Remove a batch of old ones; return how many."""
        old = (
            select(col(WebBulkDecision.id))
            .where(col(WebBulkDecision.created_at) < func.now() - literal(KEPT))
            .limit(batch)
        )
        statement = delete(WebBulkDecision).where(col(WebBulkDecision.id).in_(old))
        return int(getattr(await self._session.execute(statement), "rowcount", 0))
