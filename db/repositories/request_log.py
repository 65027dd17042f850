"""Reads the execution log of a request: from its end, searched, counted or whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import RequestEvent
from db.repositories.events import StoredEvent

_ACTION = col(RequestEvent.data)["actionId"].astext


@dataclass(frozen=True, slots=True, kw_only=True)
class LogScope:
    """The lines to read: of which requests, of which action, with which text."""

    request_ids: tuple[str, ...]
    action_id: str | None = None
    text: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on ``request_events``."""
        conditions = [
            col(RequestEvent.request_id).in_([UUID(one) for one in self.request_ids]),
            col(RequestEvent.kind) == "log",
        ]
        if self.action_id is not None:
            conditions.append(self.action_id == _ACTION)
        if self.text:
            message = col(RequestEvent.data)["message"].astext
            conditions.append(message.icontains(self.text, autoescape=True))
        return conditions


class LogRepository:
    """Reads log lines; every answer is bounded."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def last(
        self, scope: LogScope, *, before: int | None = None, limit: int
    ) -> list[StoredEvent]:
        """Read the last lines, or the last before one, oldest first."""
        query = _lines(scope).order_by(col(RequestEvent.id).desc()).limit(limit)
        if before is not None:
            query = query.where(col(RequestEvent.id) < before)
        return _from_rows(reversed([*await self._session.execute(query)]))

    async def first(self, scope: LogScope, *, after: int, limit: int) -> list[StoredEvent]:
        """Read the lines that follow one, oldest first."""
        query = _lines(scope).where(col(RequestEvent.id) > after)
        query = query.order_by(col(RequestEvent.id)).limit(limit)
        return _from_rows(await self._session.execute(query))

    async def count(self, request_ids: Sequence[str]) -> dict[tuple[str, str | None], int]:
        """Count the lines of each request's actions; None stands for lines of no action."""
        scope = LogScope(request_ids=tuple(request_ids))
        query = (
            select(col(RequestEvent.request_id), _ACTION, func.count())
            .where(*scope.conditions())
            .group_by(col(RequestEvent.request_id), _ACTION)
        )
        rows = await self._session.execute(query)
        return {(str(request_id), action): count for request_id, action, count in rows}


def _lines(scope: LogScope) -> Select[*tuple[Any, ...]]:
    return select(
        col(RequestEvent.id),
        col(RequestEvent.kind),
        col(RequestEvent.at),
        col(RequestEvent.data),
        col(RequestEvent.request_id),
    ).where(*scope.conditions())


def _from_rows(rows: Iterable[Any]) -> list[StoredEvent]:
    return [StoredEvent(row[0], row[1], row[2], row[3], str(row[4])) for row in rows]
