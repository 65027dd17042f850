"""Decisions about many requests at once: which requests, and what became of each."""

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
"""What became of a bulk decision is shown for so long, and not removed before (a trigger); each
request's own record stays."""


class WebBulkDecisionsRepository:
    """Stores bulk decisions; one exists only for the user who made it."""

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
        """Store one; what is stored under the id already stays as it is."""
        row = insert(WebBulkDecision).values(
            id=UUID(decision_id),
            user_id=user_id,
            cause=cause,
            reason=reason,
            requests=[UUID(one) for one in requests],
        )
        await self._session.execute(row.on_conflict_do_nothing())

    async def note(self, decision_id: str, results: Mapping[str, str]) -> None:
        """Add what became of some of its requests; of one request the first word counts."""
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
