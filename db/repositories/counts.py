"""Counts over all requests, for metrics."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import Request


class CountsRepository:
    """Counts what is stored."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def by_item_and_state(self) -> list[tuple[str, str, int]]:
        """Return how many requests are stored of each item in each state."""
        item, status = col(Request.catalog_item_id), col(Request.status)
        rows = await self._session.execute(
            select(item, status, func.count()).group_by(item, status)
        )
        return [(row[0], str(row[1]), row[2]) for row in rows]

    async def oldest_waiting_since(self) -> datetime | None:
        """Return since when the request waits that has waited longest for a person."""
        since: datetime | None = await self._session.scalar(
            select(func.min(col(Request.waiting_since)))
        )
        return since
