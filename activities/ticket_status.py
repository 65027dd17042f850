"""The status updater: asks JIRA for the status of tickets that are not done.

What it stores is for lists, reports, and for when JIRA does not answer; the status of a single
request still comes from JIRA. Actions that wait for a ticket are notified when it is resolved.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from db.repositories.maintenance_runs import MaintenanceRunsRepository
from db.repositories.tickets import FIRST, OpenTicket, TicketsRepository
from db.session import Database
from pao.clients.inspection import WorkflowInspector, WorkflowUnansweredError
from pao.clients.jira.instances import JiraInstances, TicketReading, TicketReference
from pao.clients.proofs import with_proof
from pao.core import names
from pao.core.documents import to_document
from pao.core.payloads.tickets import KnownTicketStatus, TicketResolved
from pao.core.states import RequestStatus
from pao.core.timestamps import timestamp
from pao.runtime.crypto import SecretBox
from pao.runtime.logging import log_fields

_log = logging.getLogger(__name__)

TICKETS = "ticket-status"
PAGE = 1_000
# How many one transaction stores; if one is lost, they are just queried again.
BATCH = 100
COUNTED = ("asked", "changed", "resolved", "gone", "unanswered")


@dataclass(frozen=True, slots=True)
class TicketUpdater:
    """Visits all tickets that are not done; those that actions wait for come first."""

    database: Database
    inspector: WorkflowInspector
    jira: JiraInstances
    _: KW_ONLY
    box: SecretBox
    page: int = PAGE

    @activity.defn(name=names.TICKETS_ACTIVITY)
    async def update(self) -> dict[str, int]:
        """Do one run; return how many tickets were queried, and what was found."""
        waited_for, page = await self._next()
        counts: Counter[str] = Counter()
        tickets = [*waited_for, *page]
        for start in range(0, len(tickets), BATCH):
            counts.update(await self._ask(tickets[start : start + BATCH]))
        found = {name: counts[name] for name in COUNTED}
        position = _position(page[-1]) if len(page) == self.page else None
        async with self.database.unit_of_work() as session:
            await MaintenanceRunsRepository(session).note(TICKETS, found, position=position)
        return found

    async def _next(self) -> tuple[list[OpenTicket], list[OpenTicket]]:
        async with self.database.reading() as session:
            last = await MaintenanceRunsRepository(session).last(TICKETS)
            tickets = TicketsRepository(session)
            after = _place(last.position if last else None)
            return (
                await tickets.waited_for(limit=self.page),
                await tickets.page(after=after, limit=self.page),
            )

    async def _ask(self, tickets: Sequence[OpenTicket]) -> Counter[str]:
        """Query some tickets, store the answers, and notify waiting workflows."""
        asked = {TicketReference(one.key, one.url): one for one in tickets}
        readings = {one.ticket: one for one in await self.jira.statuses(list(asked))}
        found = [(one, readings[TicketReference(one.key, one.url)]) for one in tickets]
        answered = [(one, known) for one, reading in found if (known := _status_to_store(reading))]
        async with self.database.unit_of_work() as session:
            await TicketsRepository(session).store(answered)
        counts = Counter(asked=len(tickets), unanswered=len(found) - len(answered))
        counts["gone"] = sum(reading.gone for _, reading in found)
        counts["changed"] = sum(_differs(one, known) for one, known in answered)
        for one, reading in found:
            resolved = _resolution(one, reading) if one.waits else None
            if resolved is not None:
                counts["resolved"] += await self._notify(one, resolved)
        return counts

    async def _notify(self, ticket: OpenTicket, resolved: TicketResolved) -> int:
        """Notify the waiting workflow; on failure the next run tries again."""
        signal, document = names.TICKET_RESOLVED_SIGNAL, to_document(resolved)
        payload = with_proof(self.box, ticket.request_id, signal, document)
        with log_fields(requestId=ticket.request_id, correlationId=ticket.correlation_id):
            try:
                await self.inspector.signal_resolved(ticket.request_id, payload)
            except WorkflowUnansweredError as error:
                _log.warning("a workflow could not be notified of its ticket: %s", error)
                return 0
            what = "gone" if resolved.gone else "resolved"
            _log.info("ticket %s is %s, and its workflow was notified", ticket.key, what)
        return 0 if resolved.gone else 1


def _resolution(ticket: OpenTicket, reading: TicketReading) -> TicketResolved | None:
    """Return what ends the wait for a ticket; None while it continues.

    A ticket is gone if JIRA, asked for its key, has reported that in two consecutive runs.
    """
    if reading.gone and ticket.known.gone:
        failed = RequestStatus.FAILED
        return TicketResolved(
            action_id=ticket.action_id, mapped_status=failed, gone=True, since=ticket.since
        )
    status = reading.status
    if status is None or not status.resolved:
        return None
    return TicketResolved(
        action_id=ticket.action_id,
        status=status.status,
        status_category=status.category_key,
        mapped_status=status.mapped_status,
        resolution=status.resolution,
        since=ticket.since,
    )


def _status_to_store(reading: TicketReading) -> KnownTicketStatus | None:
    """Return the status to store; None if JIRA gave no answer."""
    moment = timestamp(datetime.now(UTC))
    if reading.gone:
        return KnownTicketStatus(gone=True, checked_at=moment)
    status = reading.status
    if status is None:
        return None
    return KnownTicketStatus(
        status=status.status,
        status_category=status.category_key,
        mapped_status=status.mapped_status,
        mapped=status.mapped,
        resolution=status.resolution,
        checked_at=moment,
    )


def _differs(ticket: OpenTicket, known: KnownTicketStatus) -> bool:
    return (ticket.known.status, ticket.known.gone) != (known.status, known.gone)


def _position(ticket: OpenTicket) -> dict[str, Any]:
    return {"requestId": ticket.request_id, "actionId": ticket.action_id}


def _place(position: dict[str, Any] | None) -> tuple[str, str]:
    return (position["requestId"], position["actionId"]) if position else FIRST
