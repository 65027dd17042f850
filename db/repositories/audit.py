"""The audit trail: adding to it and reading it. Nothing here changes what is written."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import AuditLog


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What is to be added; ``actor`` did it, ``source_system`` is who tells of it."""

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
