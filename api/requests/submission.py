"""Submitting: authorize, validate, plan, store, start, wait. Transport is in api/routes."""

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from functools import partial

from api.auth.principal import Principal
from api.requests import schemas
from api.requests.lifecycle import warnings_of
from api.requests.preparation import Preparer
from api.requests.prepared import (
    PreparedComponent,
    PreparedSubmission,
    SubmissionCall,
    SubmissionSettings,
)
from api.requests.schemas import Submission
from db.availability import DatabaseUnavailableError, known_outcome
from db.completed_rows import completed_rows
from db.models import Request, RequestAction
from db.notifications import RequestNotifications
from db.repositories.requests import NewRequest, RequestsRepository
from db.session import Database
from pao.clients.temporal import RequestWorkflows, TemporalUnavailableError
from pao.core.errors import ErrorCode, PaoError
from pao.core.names import masked
from pao.core.payloads.requests import IdempotencyRecord, RequestInput, SettledRequest
from pao.core.states import SETTLED
from pao.runtime import tracing
from pao.runtime.crypto import SecretBox
from pao.runtime.logging import add_log_fields, log_fields

_log = logging.getLogger(__name__)
_events = logging.getLogger("pao.events")

# What is left of the budget after waiting: reading the row, where it must be, and the answer.
ANSWERING_SECONDS = 0.15
SHORTEST_WAIT = 0.05
# However little a slow database has left of the budget, the start is not cut before it is sent.
SHORTEST_START = 1.0


@dataclass(frozen=True, slots=True)
class SubmissionResult:
    """Which request answers the call, and whether it was there before.

    ``rows`` are the request and its actions where they are known without reading them.
    """

    request_id: str
    replayed: bool = False
    rows: tuple[Request, list[RequestAction]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionService:
    """Handles submissions; a stored request is never lost."""

    box: SecretBox
    database: Database
    notifications: RequestNotifications
    preparer: Preparer
    settings: SubmissionSettings
    workflows: RequestWorkflows

    async def submit(self, body: Submission, call: SubmissionCall) -> SubmissionResult:
        """Handle a submission; returns when it has settled or the time budget is used up.

        Raises ``PaoError`` for what the caller must correct. While Temporal or the database is
        unavailable, nothing is stored, or the error says that this is unknown.
        """
        replay = await self._find_replay(call)
        if replay is not None:
            return replay
        prepared = await self.prepare(body, call)
        await self._require_temporal()
        new = _new_request(prepared, call)
        stored = await self._store_for_certain(new, prepared, call)
        if stored.replayed:
            await self._wait_for_first(stored.request_id, call)
            return stored
        _log_submitted(prepared)
        settled = await self._start(prepared, call)
        if settled is None or settled.completed is None:
            return stored
        return replace(stored, rows=completed_rows(new, settled.completed))

    async def prepare(self, body: Submission, call: SubmissionCall) -> PreparedSubmission:
        """Check everything that a submission is checked for, and plan it; nothing is stored."""
        return await self.preparer.prepare(body, call)

    async def dry_run(self, body: Submission, call: SubmissionCall) -> schemas.DryRun:
        """Run every check of a submission and return what would be sent, secrets masked."""
        return await self.render(await self.prepare(body, call))

    async def render(self, prepared: PreparedSubmission) -> schemas.DryRun:
        """Return what a submission that passed every check would send, secrets masked."""
        # In a thread: templates may take a second, and other callers must not wait for them.
        actions = await asyncio.to_thread(self.preparer.render, prepared)
        components = await asyncio.to_thread(self.preparer.render_components, prepared)
        context = prepared.context
        return schemas.DryRun(
            title=context.title or context.item.name,
            fields=masked(context.fields),
            components=components or None,
            actions=actions,
            warnings=[*warnings_of(context.item.definition), *prepared.warnings],
            computed=list(prepared.computed) or None,
        )

    async def find_submitted(self, caller: Principal, idempotency_key: str) -> str | None:
        """Return the id of the request that a caller submitted with a key, if there is one."""
        async with self.database.reading() as session:
            claim = await RequestsRepository(session).find_by_idempotency(
                caller.id, idempotency_key
            )
        return claim.request_id if claim else None

    async def _require_temporal(self) -> None:
        try:
            await self.workflows.require()
        except TemporalUnavailableError as error:
            raise PaoError(
                ErrorCode.SERVICE_UNAVAILABLE,
                "Temporal does not respond, so nothing was stored. Try again in a moment.",
                headers={"Retry-After": "5"},
            ) from error

    async def _find_replay(self, call: SubmissionCall) -> SubmissionResult | None:
        if call.idempotency_key is None:
            return None
        async with self.database.reading() as session:
            claim = await RequestsRepository(session).find_by_idempotency(
                call.caller.id, call.idempotency_key
            )
        if claim is None:
            return None
        self._require_same_body(claim.body_digest, call)
        await self._wait_for_first(claim.request_id, call)
        return SubmissionResult(claim.request_id, replayed=True)

    async def _store_for_certain(
        self, new: NewRequest, prepared: PreparedSubmission, call: SubmissionCall
    ) -> SubmissionResult:
        """Store the request; where the answer is lost, find out whether that has happened."""
        try:
            return await known_outcome(partial(self._store, new, prepared, call))
        except DatabaseUnavailableError as error:
            if not error.outcome_unknown:
                raise
            request_id = new.context.request_id
            raise PaoError(
                ErrorCode.SERVICE_UNAVAILABLE,
                f"The database {error.reason}, and whether the request {request_id} was stored is "
                "unknown; if it was, it will be started. Repeat the call with the same "
                "Idempotency-Key; without one, look for that request first.",
                headers=error.headers,
            ) from error

    async def _store(
        self, new: NewRequest, prepared: PreparedSubmission, call: SubmissionCall
    ) -> SubmissionResult:
        request_id = new.context.request_id
        if call.idempotency_key is None and not prepared.components:
            async with self.database.one_statement() as session:
                await RequestsRepository(session).insert(new)
            return SubmissionResult(request_id)
        async with self.database.unit_of_work() as session:
            repository = RequestsRepository(session)
            if (record := self._idempotency(call)) is not None:
                claim = await repository.claim_idempotency(record, request_id=request_id)
                if not claim.won and claim.request_id != request_id:
                    self._require_same_body(claim.body_digest, call)
                    return SubmissionResult(claim.request_id, replayed=True)
            await repository.insert(new)
            for component in prepared.components:
                await repository.insert(_new_component(component, prepared, call))
        return SubmissionResult(request_id)

    def _idempotency(self, call: SubmissionCall) -> IdempotencyRecord | None:
        if call.idempotency_key is None:
            return None
        digest = self.box.fingerprint(call.raw_body)
        return IdempotencyRecord(call.caller.id, call.idempotency_key, digest)

    def _require_same_body(self, digest: bytes, call: SubmissionCall) -> None:
        if not self.box.has_fingerprint(call.raw_body, digest.decode()):
            raise PaoError(
                ErrorCode.IDEMPOTENCY_CONFLICT,
                "This Idempotency-Key was used with another body. Send the same body, "
                "or a new key for a new request.",
            )

    async def _start(
        self, prepared: PreparedSubmission, call: SubmissionCall
    ) -> SettledRequest | None:
        # The plan holds the actions; the document's own would be half of the payload again.
        given = RequestInput(
            context=prepared.context.without_plan(),
            plan=prepared.actions,
            metadata=prepared.metadata,
            idempotency=self._idempotency(call),
        )
        summary = prepared.context.summary
        with tracing.trace_tags(request_id=prepared.context.request_id):
            if prepared.slow and call.wait is None:
                await self.workflows.start_only(given, summary=summary, budget=SHORTEST_START)
                return None
            settled = await self.workflows.start_and_wait(
                given, summary=summary, budget=max(self._left(call), SHORTEST_START)
            )
        if settled is None:
            _log.info("the request has not settled within the time budget; it continues")
        return settled

    async def _wait_for_first(self, request_id: str, call: SubmissionCall) -> None:
        """Wait for the first call with the same key, which may still be running."""
        add_log_fields(requestId=request_id)
        with self.notifications.watch(request_id) as changes:
            while (left := self._left(call)) > SHORTEST_WAIT:
                if await self._is_settled(request_id):
                    return
                await changes.wait(min(left, 1.0))

    async def _is_settled(self, request_id: str) -> bool:
        async with self.database.reading() as session:
            row = await RequestsRepository(session).get(request_id)
        return row is not None and row.status in SETTLED

    def _left(self, call: SubmissionCall) -> float:
        spent = time.perf_counter() - call.started
        budget = self.settings.budget
        if call.wait is not None:
            budget = min(call.wait, self.settings.longest_wait)
        return max(budget - spent - ANSWERING_SECONDS, SHORTEST_WAIT)


def _log_submitted(prepared: PreparedSubmission) -> None:
    context = prepared.context
    add_log_fields(requestId=context.request_id)
    item, requester = context.item, context.requester
    _events.info(
        "submitted: %s %s, by %s",
        item.id,
        item.version,
        requester.email or requester.id,
        extra={"event": "request.submitted", "itemId": item.id, "by": requester.id},
    )
    for component in prepared.components:
        _log_component(component)


def _log_component(component: PreparedComponent) -> None:
    """Log a component as a request."""
    context = component.prepared.context
    with log_fields(requestId=context.request_id):
        _events.info(
            "submitted as component %s: %s %s",
            component.id,
            context.item.id,
            context.item.version,
            extra={"event": "request.submitted", "itemId": context.item.id},
        )


def _new_request(prepared: PreparedSubmission, call: SubmissionCall) -> NewRequest:
    return NewRequest(
        context=prepared.context,
        plan=prepared.actions,
        user_arn=call.caller.arn,
        metadata=prepared.metadata,
        sent=sorted(prepared.sent),
        computed=list(prepared.computed),
    )


def _new_component(
    component: PreparedComponent, bundle: PreparedSubmission, call: SubmissionCall
) -> NewRequest:
    return replace(
        _new_request(component.prepared, call),
        parent_id=bundle.context.request_id,
        component_id=component.id,
    )
