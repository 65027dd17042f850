"""When requests waited for people. Written by a trigger."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import RequestWait


class RequestWaitsRepository:
    """Reads waits."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of(self, request_ids: Sequence[str]) -> list[RequestWait]:
        """Return the waits of some requests in the order of their time."""
        query = (
            select(RequestWait)
            .where(col(RequestWait.request_id).in_([UUID(one) for one in request_ids]))
            .order_by(col(RequestWait.since))
        )
        return [*(await self._session.scalars(query)).all()]
