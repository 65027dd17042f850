"""Reading requests: one, many, their live status, log and stream. Changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from api.access import AccessPolicy
from api.auth.principal import Principal
from api.requests import presentation as presenting
from api.requests import schemas
from api.requests.components import (
    ComponentRequest,
    component_document,
    component_status,
    own_actions,
    read_components,
)
from api.requests.leftovers import DoneCleanups
from api.requests.submission import SubmissionResult
from api.requests.summary import with_live_status
from db.models import Request, RequestAction
from db.notifications import RequestNotifications
from db.repositories.action_summaries import ActionSummary, action_summaries
from db.repositories.approvers import viewers
from db.repositories.cleanups import CleanupsRepository
from db.repositories.decisions import DecisionsRepository
from db.repositories.events import EventsRepository, StoredEvent
from db.repositories.requests import RequestsRepository
from db.row_conversion import plan_of
from db.session import Database
from pao.clients.jira import Deadline, JiraError
from pao.clients.jira.instances import JiraInstances, TicketReference
from pao.core.errors import ErrorCode, PaoError
from pao.core.payloads.decisions import DecisionRecord
from pao.core.resources import attempt_of
from pao.core.states import TERMINAL, RequestStatus
from pao.core.timestamps import timestamp

LIVE_SECONDS = 1.8  # A live status is answered within two seconds, whatever JIRA does.
STREAM_BATCH = 200
STREAM_POLL_SECONDS = 5.0

Member = tuple[Request, list[RequestAction], str | None]
"""A request with its actions, and the component that it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSettings:
    """Where the Temporal UI shows workflows."""

    ui_url: str | None
    namespace: str


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request with its actions and decisions; a bundle with its components as well."""

    row: Request
    actions: list[RequestAction]
    decisions: list[DecisionRecord]
    components: tuple[ComponentRequest, ...] = ()
    done: DoneCleanups = field(default_factory=dict)
    """The finished cleanups of the request and of its components."""
    may_decide: bool = False
    """Whether it waits for a decision that the caller may make."""

    @property
    def rows(self) -> list[Request]:
        """The request's row, and those of its components."""
        return [self.row, *(component.row for component in self.components)]

    @property
    def component_ids(self) -> dict[str, str | None]:
        """The ids of the request and of its components' requests, each with its component."""
        ids: dict[str, str | None] = {str(self.row.id): None}
        return ids | {str(one.row.id): one.component for one in self.components}

    @property
    def steps(self) -> list[ActionSummary]:
        """The steps that the summary is about: its actions, then those of its components."""
        steps = action_summaries(self.row, self.actions)
        return steps + [
            one
            for component in self.components
            for one in action_summaries(component.row, component.actions)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingService:
    """Reads on behalf of a caller, for whom invisible requests do not exist."""

    access: AccessPolicy
    database: Database
    jira: JiraInstances
    notifications: RequestNotifications
    settings: ReadingSettings

    async def get(self, caller: Principal, request_id: str) -> StoredRequest:
        """Read a request; raises ``REQUEST_NOT_FOUND`` for one that the caller may not see."""
        async with self.database.reading() as session:
            repository = RequestsRepository(session)
            row = await repository.get(request_id)
            if not self._may_see(caller, row):
                approver_ids = viewers(caller.id, caller.email, caller.teams)
                if row is None or not await repository.is_asked(request_id, approver_ids):
                    raise _not_found(request_id)
            actions = await repository.get_actions(request_id)
            decisions = await DecisionsRepository(session).list(request_id)
            components = await read_components(repository, request_id, actions)
            families = [request_id, *(str(component.row.id) for component in components)]
            done = await CleanupsRepository(session).done(families)
            may_decide = (
                row is not None
                and row.waiting_since is not None
                and await repository.may_decide(request_id, self.access.visibility(caller))
            )
        if row is None:
            raise _not_found(request_id)
        return StoredRequest(row, actions, decisions, tuple(components), done, may_decide)

    async def read_submitted(self, caller: Principal, submitted: SubmissionResult) -> StoredRequest:
        """Return what ``get`` reads of a request that the caller has just submitted."""
        if submitted.rows is None:
            return await self.get(caller, submitted.request_id)
        row, actions = submitted.rows
        return StoredRequest(row, actions, decisions=[])

    async def get_decidable(self, caller: Principal, request_id: str) -> StoredRequest:
        """Read a request as ``get`` does; raises ``FORBIDDEN`` for one that others decide about."""
        stored = await self.get(caller, request_id)
        row = stored.row
        if not self.access.may_decide(caller, user_id=row.user_id, owner_team=row.owner_team):
            raise PaoError(
                ErrorCode.FORBIDDEN,
                f"Only the submitter, {row.owner_team or 'the owning team'} and admins decide "
                "about this request.",
            )
        return stored

    async def document(self, caller: Principal, request_id: str) -> schemas.Request:
        """Return a request with everything that it holds, in the API's shape."""
        return self.present(await self.get(caller, request_id))

    def present(self, stored: StoredRequest) -> schemas.Request:
        """Return a stored request in the API's shape."""
        return presenting.request_document(
            stored.row,
            actions=own_actions(stored.actions),
            attempt=attempt_of(stored.actions),
            components=[
                component_document(component, workflow=self._workflow_link(component.row))
                for component in stored.components
            ],
            decisions=stored.decisions,
            done=stored.done,
            workflow=self._workflow_link(stored.row),
            steps=stored.steps,
            may_decide=stored.may_decide,
        )

    def _workflow_link(self, row: Request) -> str | None:
        return presenting.workflow_link(
            row, ui_url=self.settings.ui_url, namespace=self.settings.namespace
        )

    async def stored_status(self, request_id: str) -> RequestStatus | None:
        """Return the mirrored state of a request, without checking rights; None without a row."""
        async with self.database.reading() as session:
            row = await RequestsRepository(session).get(request_id)
        return row.status if row else None

    async def status(self, caller: Principal, request_id: str) -> schemas.Status:
        """Return the state of the request, with each ticket's status queried from JIRA now."""
        stored = await self.get(caller, request_id)
        row, components = stored.row, stored.components
        members: list[Member] = [(row, own_actions(stored.actions), None)]
        members += [
            (component.row, component.actions, component.component) for component in components
        ]
        tickets = await self._tickets(members)
        return schemas.Status(
            id=request_id,
            title=presenting.title(row),
            summary=presenting.summary_of(row, with_live_status(stored.steps, tickets)),
            status=row.status,
            retrying=row.retrying,
            current_actions=[
                shown
                for one, some, name in members
                for shown in presenting.current_actions(some, one.status, name)
            ],
            progress=presenting.progress([one for _, some, _ in members for one in some]),
            tickets=tickets,
            components=[component_status(component) for component in components] or None,
            error=presenting.failure(row.error),
            updated_at=timestamp(row.updated_at),
        )

    def log_line(self, entry: StoredEvent, component: str | None) -> schemas.LogLine:
        """Return an entry of a stream as a line of the execution log."""
        return presenting.log_line(entry, component)

    async def escalation(self, caller: Principal, request_id: str) -> schemas.EscalationStatus:
        """Return the escalation ticket with its live status; 404 when the request has none."""
        stored = await self.get(caller, request_id)
        escalation = presenting.escalation(stored.row)
        if escalation is None:
            raise PaoError(
                ErrorCode.NOT_FOUND,
                f"Request {request_id} was not escalated; it is {stored.row.status}.",
            )
        ticket = TicketReference(escalation.ticket_key, escalation.url)
        live = await self._ask_jira(ticket, str(stored.row.correlation_id))
        return schemas.EscalationStatus(**dict(escalation), ticket=live)

    async def events(
        self, stored: StoredRequest, *, after: int, is_allowed: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[tuple[StoredEvent, str | None]]:
        """Return the stream of what was read from after an entry on; ends after a final state.

        The streams of a bundle's components are part of its own; their entries come with the
        component's id.

        The caller's right to see the request has been checked before. A stream lasts for hours,
        so ``is_allowed`` is checked again before each batch.
        """
        async for batch in self.event_batches(stored, after=after, is_allowed=is_allowed):
            for entry in batch:
                yield entry

    async def event_batches(
        self, stored: StoredRequest, *, after: int, is_allowed: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[list[tuple[StoredEvent, str | None]]]:
        """Return the same stream, as it was read: what happened at once comes at once."""
        names, request_id = stored.component_ids, str(stored.row.id)
        last = dict.fromkeys(names, after)
        with self.notifications.watch(*names) as changes:
            while True:
                ended = await self._is_final(request_id)
                batch = await self._batch(last)
                if not await is_allowed():
                    return
                if batch:
                    yield [(entry, names[entry.request_id]) for entry in batch]
                last |= {entry.request_id: entry.id for entry in batch}
                if len(batch) == STREAM_BATCH:
                    continue
                if ended:
                    return
                await changes.wait(STREAM_POLL_SECONDS)

    def _may_see(self, caller: Principal, row: Request | None) -> bool:
        return row is not None and self.access.may_see(
            caller, user_id=row.user_id, user_teams=row.user_teams, owner_team=row.owner_team
        )

    async def is_asked(self, caller: Principal, request_id: str) -> bool:
        """Return whether the caller was ever asked to approve something of the request."""
        approver_ids = viewers(caller.id, caller.email, caller.teams)
        async with self.database.reading() as session:
            return await RequestsRepository(session).is_asked(request_id, approver_ids)

    async def _live_ticket(
        self, row: Request, action: RequestAction, component: str | None
    ) -> schemas.LiveTicket:
        key = action.external_reference or ""
        ticket = TicketReference(key, action.url, _instance_of(row, action))
        live = await self._ask_jira(ticket, str(row.correlation_id))
        if not live.live:
            stored = schemas.TicketStatus.model_validate(action.ticket_status or {})
            live = live.model_copy(
                update={
                    "status": stored.status,
                    "status_category": stored.status_category,
                    "mapped_status": stored.mapped_status or row.status,
                    "mapped": stored.mapped,
                    "checked_at": stored.checked_at or live.checked_at,
                }
            )
        return schemas.LiveTicket(
            **dict(live), action_id=action.action_id, component=component, key=key, url=action.url
        )

    async def _ask_jira(self, ticket: TicketReference, correlation_id: str) -> schemas.LiveStatus:
        now = timestamp(datetime.now(UTC))
        try:
            found = await self.jira.for_ticket(ticket).get_status(
                ticket.key, correlation_id, deadline=Deadline.after(LIVE_SECONDS)
            )
        except (JiraError, LookupError) as error:
            return schemas.LiveStatus(
                live=False,
                status=None,
                status_category=None,
                mapped_status=None,
                mapped=False,
                checked_at=now,
                error=str(error),
            )
        return schemas.LiveStatus(
            live=True,
            status=found.status,
            status_category=found.category_key,
            mapped_status=found.mapped_status,
            mapped=found.mapped,
            checked_at=now,
            error=None,
        )

    async def _is_final(self, request_id: str) -> bool:
        status = await self.stored_status(request_id)
        return status is None or status in TERMINAL

    async def _batch(self, after: dict[str, int]) -> list[StoredEvent]:
        async with self.database.reading() as session:
            return await EventsRepository(session).page_of(after, limit=STREAM_BATCH)

    async def _tickets(self, members: Sequence[Member]) -> list[schemas.LiveTicket]:
        """Ask JIRA for every ticket of a request, and of a bundle's components, at once."""
        tickets = [
            self._live_ticket(row, one, name)
            for row, actions, name in members
            for one in actions
            if one.type == "jira-ticket" and one.external_reference
        ]
        return list(await asyncio.gather(*tickets))


def _instance_of(row: Request, action: RequestAction) -> str | None:
    """Return the JIRA instance that the plan names for an action's ticket."""
    planned = plan_of(row)[action.action_index]
    name = planned.config.get("instance")
    # A name that is still a template says nothing; the ticket's address does.
    return name if isinstance(name, str) and "{{" not in name else None


def _not_found(request_id: str) -> PaoError:
    return PaoError(
        ErrorCode.REQUEST_NOT_FOUND,
        f"There is no request {request_id}, or you may not see it.",
    )
