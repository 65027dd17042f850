"""Tickets of actions, with their last known JIRA status: for lists and reports only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession

from pao.core.documents import from_document
from pao.core.payloads.tickets import KnownTicketStatus


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket that was not done when last checked; ``waits`` if its action waits for it."""

    request_id: str
    action_id: str
    key: str
    url: str | None
    waits: bool
    known: KnownTicketStatus
    since: str | None = None
    correlation_id: str = ""


_TICKETS = """
    SELECT
        request_id, action_id, url, ticket_status, waiting->>'since' AS since,
        coalesce(external_reference, waiting#>>'{state,key}') AS key,
        status = 'waiting' AND waiting->>'kind' = 'resolution' AS waits,
        (SELECT correlation_id FROM requests WHERE id = request_id) AS correlation_id
    FROM request_actions
"""
_PAGE = text(
    _TICKETS
    + """
    WHERE type = 'jira-ticket' AND external_reference IS NOT NULL AND status <> 'waiting'
        AND coalesce(ticket_status->>'statusCategory', '') <> 'done'
        AND ticket_status->'gone' IS NULL
        AND (request_id, action_id) > (:request_id, :action_id)
    ORDER BY request_id, action_id
    LIMIT :limit
    """
).bindparams(bindparam("request_id", type_=PG_UUID()))
_WAITING = text(
    _TICKETS
    + """
    WHERE status = 'waiting' AND waiting->>'kind' = 'resolution'
        AND coalesce(external_reference, waiting#>>'{state,key}') IS NOT NULL
    ORDER BY ticket_status->>'checkedAt' NULLS FIRST, request_id, action_id
    LIMIT :limit
    """
)
_STORE = text(
    """
    UPDATE request_actions SET ticket_status = :document
    WHERE request_id = :request_id AND action_id = :action_id
    """
).bindparams(bindparam("document", type_=JSONB()), bindparam("request_id", type_=PG_UUID()))

FIRST = (str(UUID(int=0)), "")


class TicketsRepository:
    """Finds the tickets to check, and stores what JIRA says about them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(self, *, after: tuple[str, str], limit: int) -> list[OpenTicket]:
        """Read the next tickets that are not done, in a fixed order; begin after ``FIRST``."""
        values = {"request_id": UUID(after[0]), "action_id": after[1], "limit": limit}
        return await self._read(_PAGE, values)

    async def waited_for(self, *, limit: int) -> list[OpenTicket]:
        """Read the tickets that actions wait for, the least recently checked first."""
        return await self._read(_WAITING, {"limit": limit})

    async def store(self, statuses: Sequence[tuple[OpenTicket, KnownTicketStatus]]) -> None:
        """Store what JIRA says about these tickets; nothing else of their requests changes."""
        for ticket, status in statuses:
            values = {"request_id": UUID(ticket.request_id), "action_id": ticket.action_id}
            await self._session.execute(_STORE, {**values, "document": status.document()})

    async def _read(self, statement: Any, values: dict[str, Any]) -> list[OpenTicket]:
        rows = (await self._session.execute(statement, values)).all()
        return [
            OpenTicket(
                request_id=str(row.request_id),
                action_id=row.action_id,
                key=row.key,
                url=row.url,
                waits=bool(row.waits),
                known=from_document(KnownTicketStatus, row.ticket_status or {}),
                since=row.since,
                correlation_id=str(row.correlation_id),
            )
            for row in rows
        ]
