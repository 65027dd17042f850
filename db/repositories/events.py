"""The stream of a request: state changes, actions, decisions and log lines, in one order."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import RequestEvent


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One entry of a request's stream; a reader resumes after its ``id``."""

    id: int
    kind: str
    at: datetime
    data: dict[str, Any]


class EventsRepository:
    """Reads streams; they are written with the state itself, see mirror.py."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(
        self,
        request_id: str,
        *,
        after_id: int = 0,
        limit: int = 200,
        kinds: Collection[str] = (),
    ) -> list[StoredEvent]:
        """Read at most ``limit`` entries after ``after_id``, of the given kinds or of all.

        Whoever goes on after the last id read misses nothing: ids are in the order of commits.
        """
        query = (
            select(
                col(RequestEvent.id),
                col(RequestEvent.kind),
                col(RequestEvent.at),
                col(RequestEvent.data),
            )
            .where(
                col(RequestEvent.request_id) == UUID(request_id),
                col(RequestEvent.id) > after_id,
            )
            .order_by(col(RequestEvent.id))
            .limit(limit)
        )
        if kinds:
            query = query.where(col(RequestEvent.kind).in_(kinds))
        return [StoredEvent(*row) for row in await self._session.execute(query)]
