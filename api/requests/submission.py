"""Submitting: authorise, validate, plan, store, start, wait. Transport is in routes.py."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from api.access import Access
from api.auth.principal import Principal
from api.catalog.service import CatalogService, Entry
from api.requests.schemas import Submission
from catalog.bundle import CatalogBundle
from catalog.planning import check_plan, plan, render_action, snapshot_of
from catalog.scopes import Surroundings
from catalog.secrets import open_fields, seal_fields
from catalog.templating import Target, TemplateError
from db.notifications import RequestNotifications
from db.repositories.requests import NewRequest, RequestsRepository
from db.session import Database
from pao import tracing
from pao.clients.temporal import RequestWorkflows, TemporalUnavailable
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.names import MAX_FIELDS_JSON
from pao.core.payloads import (
    PlannedAction,
    RequestContext,
    Requester,
    RequestInput,
    timestamp,
)
from pao.core.states import SETTLED
from pao.crypto import SecretBox
from pao.logging import log_fields

_log = logging.getLogger(__name__)

# What is left of the budget after waiting: reading the row and writing the answer.
ANSWERING_SECONDS = 0.15
SHORTEST_WAIT = 0.05
# However little a slow database has left of the budget, the start is not cut before it is sent.
SHORTEST_START = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSettings:
    """The budget bounds the caller's wait only, never the request; seconds."""

    budget: float
    surroundings: Surroundings
    targets: Mapping[str, Mapping[str, Target]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What came with a submission beside its body."""

    caller: Principal
    correlation_id: str
    raw_body: bytes
    idempotency_key: str | None = None
    started: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True, slots=True)
class Submitted:
    """Which request answers the call, and whether it was there before."""

    request_id: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A submission that passed every check; nothing is stored yet."""

    context: RequestContext
    actions: list[PlannedAction]
    secrets: dict[str, str]


class SubmissionService:
    """Takes submissions; a request that it has stored is never lost."""

    def __init__(  # noqa: PLR0913 -- the parts that a submission passes, each named.
        self,
        *,
        access: Access,
        box: SecretBox,
        catalog: CatalogService,
        database: Database,
        notifications: RequestNotifications,
        settings: SubmissionSettings,
        workflows: RequestWorkflows,
    ) -> None:
        self._access = access
        self._box = box
        self._catalog = catalog
        self._database = database
        self._notifications = notifications
        self._settings = settings
        self._workflows = workflows

    async def submit(self, body: Submission, call: Call) -> Submitted:
        """Take a submission; returns when it has settled or the budget has ended.

        Raises ``PaoError`` for what the caller must mend. With Temporal or the database away
        nothing is stored.
        """
        replay = await self._find_replay(call)
        if replay is not None:
            return replay
        prepared = await self.prepare(body, call)
        await self._require_temporal()
        stored = await self._store(prepared, call)
        if stored.replayed:
            await self._wait_for_first(stored.request_id, call)
            return stored
        with log_fields(requestId=stored.request_id):
            await self._start(prepared, call)
        return stored

    async def prepare(self, body: Submission, call: Call) -> Prepared:
        """Check everything that a submission is checked for, and plan it; nothing is stored."""
        entry = await self._catalog.entry(body.catalog_item_id)
        # In a thread: templates may take a second, and other callers must not wait for them.
        return await asyncio.to_thread(self._prepare, entry, body, call)

    def _prepare(self, entry: Entry, body: Submission, call: Call) -> Prepared:
        self._authorise(entry, call.caller)
        _require_item(entry)
        self._check_lifecycle(entry)
        values = self._validated(entry, body.fields)
        prepared = self._planned(entry, values, body, call)
        self._check_templates(entry, prepared)
        return prepared

    def render(self, prepared: Prepared) -> list[dict[str, Any]]:
        """Render every action as it would be sent, secrets masked.

        An action that needs outputs of an earlier one is shown with its templates.
        """
        return [self._rendered(prepared, action) for action in prepared.actions]

    def _authorise(self, entry: Entry, caller: Principal) -> None:
        item = entry.loaded.item
        if not self._access.may_request(caller, item):
            allowed = ", ".join(sorted(item.allowed_teams))
            raise PaoError(
                ErrorCode.FORBIDDEN,
                f"{item.name} may be requested by: {allowed}. Ask one of these teams.",
            )

    def _check_lifecycle(self, entry: Entry) -> None:
        deprecation = entry.loaded.item.deprecation
        sunset = deprecation.sunset_date
        if not deprecation.deprecated or not sunset:
            return
        if sunset <= datetime.now(UTC).date().isoformat():
            instead = f" Use {deprecation.replacement}." if deprecation.replacement else ""
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                f"{entry.loaded.item.name} was withdrawn on {sunset}.{instead}",
            )

    def _validated(self, entry: Entry, fields: dict[str, Any]) -> dict[str, Any]:
        result = entry.loaded.item.form.validate(fields, datetime.now(UTC).date())
        if result.valid:
            _require_small(result.values)
            return result.values
        details = tuple(
            Detail(
                field=f"fields.{error.field}",
                constraint=error.constraint,
                message=error.message,
                received=error.received,
                expected=error.expected,
            )
            for error in result.errors
        )
        count = len(details)
        raise PaoError(
            ErrorCode.VALIDATION_ERROR,
            f"{count} {'field is' if count == 1 else 'fields are'} not right; "
            "see details, mend them and submit again.",
            details=details,
        )

    def _planned(
        self, entry: Entry, values: dict[str, Any], body: Submission, call: Call
    ) -> Prepared:
        loaded, caller = entry.loaded, call.caller
        request_id = str(uuid4())
        passwords = loaded.item.password_fields
        context = RequestContext(
            request_id=request_id,
            correlation_id=call.correlation_id,
            submitted_at=timestamp(datetime.now(UTC)),
            item=snapshot_of(loaded.item, loaded.definition, loaded.sha),
            requester=Requester(id=caller.id, email=caller.email, teams=list(caller.teams)),
            fields=seal_fields(self._box, request_id, values, passwords),
            metadata=body.metadata.model_dump(by_alias=True, exclude_none=True),
        )
        return Prepared(context, plan(loaded.item), open_fields(self._box, context))

    def _check_templates(self, entry: Entry, prepared: Prepared) -> None:
        """Check every template before anything runs, so that no action fails by its own text."""
        settings = self._settings
        problems = check_plan(
            entry.loaded.item, prepared.actions, settings.surroundings, settings.targets
        )
        if not problems and prepared.actions:
            problems = self._try_first(prepared)
        if problems:
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                "The item's templates cannot be filled with these values; tell its owner, "
                f"{entry.loaded.item.owner_team or 'the platform team'}.",
                details=tuple(
                    Detail(field="catalogItemId", constraint="template", message=problem)
                    for problem in problems
                ),
            )

    def _try_first(self, prepared: Prepared) -> list[str]:
        try:
            self._render(prepared, prepared.actions[0])
        except TemplateError as error:
            return [f"action {prepared.actions[0].id}: {error}"]
        return []

    def _rendered(self, prepared: Prepared, action: PlannedAction) -> dict[str, Any]:
        try:
            config, complete = self._render(prepared, action), True
        except TemplateError:
            config, complete = action.config, False
        return {
            "id": action.id,
            "index": action.index,
            "type": action.type,
            "name": action.name,
            "config": config,
            "complete": complete,
        }

    def _render(self, prepared: Prepared, action: PlannedAction) -> dict[str, Any]:
        return render_action(
            action,
            prepared.context,
            self._settings.surroundings,
            targets=self._settings.targets.get(action.type, {}),
            secrets=prepared.secrets,
            outputs={},
            reveal=False,
        )

    async def _require_temporal(self) -> None:
        try:
            await self._workflows.require()
        except TemporalUnavailable as error:
            raise PaoError(
                ErrorCode.SERVICE_UNAVAILABLE,
                "Temporal does not answer, so nothing was stored. Try again in a moment.",
                headers={"Retry-After": "5"},
            ) from error

    async def _find_replay(self, call: Call) -> Submitted | None:
        if call.idempotency_key is None:
            return None
        async with self._database.reading() as session:
            claim = await RequestsRepository(session).find_by_idempotency(
                call.caller.id, call.idempotency_key
            )
        if claim is None:
            return None
        self._require_same_body(claim.body_digest, call)
        await self._wait_for_first(claim.request_id, call)
        return Submitted(claim.request_id, replayed=True)

    async def _store(self, prepared: Prepared, call: Call) -> Submitted:
        request_id = prepared.context.request_id
        new = NewRequest(context=prepared.context, plan=prepared.actions, user_arn=call.caller.arn)
        async with self._database.unit_of_work() as session:
            repository = RequestsRepository(session)
            if call.idempotency_key is not None:
                claim = await repository.claim_idempotency(
                    call.caller.id,
                    call.idempotency_key,
                    body_digest=self._box.fingerprint(call.raw_body).encode(),
                    request_id=request_id,
                )
                if not claim.won:
                    self._require_same_body(claim.body_digest, call)
                    return Submitted(claim.request_id, replayed=True)
            await repository.insert(new)
        return Submitted(request_id)

    def _require_same_body(self, digest: bytes, call: Call) -> None:
        if not self._box.has_fingerprint(call.raw_body, digest.decode()):
            raise PaoError(
                ErrorCode.IDEMPOTENCY_CONFLICT,
                "This Idempotency-Key was used with another body. Send the same body, "
                "or a new key for a new request.",
            )

    async def _start(self, prepared: Prepared, call: Call) -> None:
        given = RequestInput(context=prepared.context, plan=prepared.actions)
        with tracing.tagged(request_id=prepared.context.request_id):
            settled = await self._workflows.start_and_wait(
                given,
                summary=prepared.context.summary,
                budget=max(self._left(call), SHORTEST_START),
            )
        if settled is None:
            _log.info("the request has not settled within the budget; it goes on")

    async def _wait_for_first(self, request_id: str, call: Call) -> None:
        """Give a repeated call the answer of the first one, which may still be under way."""
        with self._notifications.watch(request_id) as changes:
            while (left := self._left(call)) > SHORTEST_WAIT:
                if await self._is_settled(request_id):
                    return
                await changes.wait(min(left, 1.0))

    async def _is_settled(self, request_id: str) -> bool:
        async with self._database.reading() as session:
            row = await RequestsRepository(session).get(request_id)
        return row is not None and row.status in SETTLED

    def _left(self, call: Call) -> float:
        spent = time.perf_counter() - call.started
        return max(self._settings.budget - spent - ANSWERING_SECONDS, SHORTEST_WAIT)


def _require_item(entry: Entry) -> None:
    if isinstance(entry.loaded.item, CatalogBundle):
        raise PaoError(
            ErrorCode.VALIDATION_ERROR,
            f"{entry.loaded.item.name} is a bundle, and bundles cannot be requested yet; "
            "request its items one by one.",
        )


def _require_small(values: dict[str, Any]) -> None:
    """Refuse what Temporal would not carry: the fields travel several times in one payload.

    Measured as they travel, with every character beyond ASCII escaped.
    """
    size = len(json.dumps(values))
    if size <= MAX_FIELDS_JSON:
        return
    message = (
        f"the fields are {size:,} bytes of JSON (characters beyond ASCII take six or twelve); "
        f"at most {MAX_FIELDS_JSON:,} are taken"
    )
    raise PaoError(
        ErrorCode.VALIDATION_ERROR,
        f"Send less: {message}.",
        details=(Detail(field="fields", constraint="size", message=message),),
    )
