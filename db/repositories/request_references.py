"""Finds requests by what people quote: an id or its beginning, a ticket key, a correlation id."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, desc, func, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import Request, RequestAction
from db.repositories.request_visibility import Visibility, may_see
from pao.core.states import RequestStatus

# Beginnings of ids: as short as people remember them in a search, longer to name one request.
LEAST_SEARCHED, LEAST_NAMED, WHOLE = 4, 8, 32
MOST_MENTIONED = 1_000
_DIGITS = re.compile(r"[0-9a-f]{1,32}")


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """A request that a reference may mean."""

    id: str
    catalog_item_id: str
    title: str
    status: RequestStatus
    created_at: datetime


class ReferencesRepository:
    """Looks requests up by references."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(
        self, reference: str, visibility: Visibility, *, limit: int
    ) -> list[NamedRequest]:
        """Return the requests that a reference may mean and this person may see, newest first.

        It is an id, its first eight digits or more, a whole correlation id (which stands for a
        bundle, not for its components), or a ticket key. A whole id means its request alone.
        """
        digits = _digits_of(reference)
        if len(digits) == WHOLE:
            by_id = await self._select(col(Request.id) == UUID(digits), visibility, limit=1)
            if by_id:
                return by_id
        conditions = _by_key(reference)
        if len(digits) == WHOLE:
            bundle = col(Request.parent_id).is_(None)
            conditions.append((col(Request.correlation_id) == UUID(digits)) & bundle)
        elif len(digits) >= LEAST_NAMED:
            conditions.append(_begins_with(Request.id, digits))
        condition = col(Request.id).in_(_any_of(conditions))
        return await self._select(condition, visibility, limit=limit)

    async def _select(
        self, condition: ColumnElement[bool], visibility: Visibility, *, limit: int
    ) -> list[NamedRequest]:
        query = (
            select(
                col(Request.id),
                col(Request.catalog_item_id),
                func.coalesce(col(Request.title), col(Request.catalog_item_name)).label("title"),
                col(Request.status),
                col(Request.created_at),
            )
            .where(condition, may_see(visibility))
            .order_by(desc(col(Request.created_at)), desc(col(Request.id)))
            .limit(limit)
        )
        rows = (await self._session.execute(query)).mappings()
        return [NamedRequest(**{**row, "id": str(row["id"])}) for row in rows]

    async def mentioned(self, text: str) -> list[UUID]:
        """Return the requests that lists show for a ticket key or the beginning of an id.

        For a component that is its bundle.
        """
        digits = _digits_of(text)
        conditions = _by_key(text)
        if len(digits) >= LEAST_SEARCHED:
            conditions += [
                _begins_with(Request.id, digits),
                _begins_with(Request.correlation_id, digits),
            ]
        listed_id = func.coalesce(col(Request.parent_id), col(Request.id))
        query = select(listed_id).distinct().where(col(Request.id).in_(_any_of(conditions)))
        return list(await self._session.scalars(query.limit(MOST_MENTIONED)))


def _digits_of(reference: str) -> str:
    """Return the digits of an id or of its beginning; an empty text if it is neither."""
    digits = reference.replace("-", "").lower()
    return digits if _DIGITS.fullmatch(digits) else ""


def _begins_with(column: Any, digits: str) -> ColumnElement[bool]:
    first, last = UUID(digits.ljust(WHOLE, "0")), UUID(digits.ljust(WHOLE, "f"))
    return col(column).between(first, last)


def _by_key(text: str) -> list[ColumnElement[bool]]:
    """Return the conditions of what has this ticket, as people type its key."""
    keys = {text, text.upper()}
    actions = select(col(RequestAction.request_id)).where(
        col(RequestAction.external_reference).in_(keys)
    )
    return [col(Request.id).in_(actions), col(Request.escalation_ticket_key).in_(keys)]


def _any_of(conditions: list[ColumnElement[bool]]) -> Select[Any]:
    """Return the ids for which one of these holds; each is a range of its own index."""
    parts = [select(col(Request.id)).where(one) for one in conditions]
    return select(union(*parts).subquery("referred").c.id)
