"""The audit trail: append and read only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import AuditLog


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A line to be added; ``actor`` did it, ``source_system`` reports it."""

    event_type: str
    actor: str
    via: str
    source_system: str
    at: datetime
    request_id: str | None = None
    action_id: str | None = None
    correlation_id: str | None = None
    reason: str | None = None
    event_data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilters:
    """Filters for lines of the trail; ``since`` is included, ``until`` is not.

    An event type that ends in ``*`` stands for all that begin with the rest.
    """

    actor: str | None = None
    event_types: tuple[str, ...] = ()
    request_id: str | None = None
    via: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """Yield the conditions in SQL."""
        if self.actor is not None:
            yield col(AuditLog.actor) == self.actor
        if self.event_types:
            yield or_(*map(_is_of_type, self.event_types))
        if self.request_id is not None:
            yield col(AuditLog.request_id) == UUID(self.request_id)
        if self.via is not None:
            yield col(AuditLog.via) == self.via
        if self.since is not None:
            yield col(AuditLog.at) >= self.since
        if self.until is not None:
            yield col(AuditLog.at) < self.until


def _is_of_type(wanted: str) -> ColumnElement[bool]:
    if wanted.endswith("*"):
        return col(AuditLog.event_type).startswith(wanted[:-1], autoescape=True)
    return col(AuditLog.event_type) == wanted


class AuditRepository:
    """Adds to the audit trail and reads it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def insert(self, entry: AuditEntry) -> None:
        """Add one line to the trail."""
        values = {
            "event_type": entry.event_type,
            "actor": entry.actor,
            "via": entry.via,
            "source_system": entry.source_system,
            "at": entry.at,
            "request_id": UUID(entry.request_id) if entry.request_id else None,
            "action_id": entry.action_id,
            "correlation_id": UUID(entry.correlation_id) if entry.correlation_id else None,
            "reason": entry.reason,
            "event_data": entry.event_data,
        }
        await self._session.execute(insert(AuditLog).values(values))

    async def list(self, request_id: str, *, after_id: int = 0, limit: int = 200) -> list[AuditLog]:
        """Read a request's trail in the order in which it was written."""
        query = (
            select(AuditLog)
            .where(col(AuditLog.request_id) == UUID(request_id), col(AuditLog.id) > after_id)
            .order_by(col(AuditLog.id))
            .limit(limit)
        )
        return [*(await self._session.scalars(query)).all()]

    async def page(
        self, filters: AuditFilters, *, before: int | None, limit: int
    ) -> Sequence[AuditLog]:
        """Read lines, the newest first, older than the line ``before``."""
        query = select(AuditLog).where(*filters.conditions())
        if before is not None:
            query = query.where(col(AuditLog.id) < before)
        query = query.order_by(col(AuditLog.id).desc()).limit(limit)
        return (await self._session.scalars(query)).all()
