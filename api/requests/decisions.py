"""Decisions over HTTP: the same signals that an operator can send, and their outcome."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from temporalio.service import RPCError

from api.auth.principal import Principal
from api.catalog.options import OptionsService
from api.requests import schemas
from api.requests.approvals import require_approver, vote
from api.requests.configuration_errors import detail_of, field_details, refusal_message
from api.requests.decision_idempotency import DecisionCall, DecisionKeys
from api.requests.decision_refusals import decision_refused, temporal_unavailable, workflow_gone
from api.requests.reading import ReadingService, StoredRequest
from api.requests.retry_preview import RetryPreviewer, look_answer, open_actions
from api.requests.schemas import DecisionBody, RetryBody, VoteBody
from catalog.configuration_checks import ActionModels, ConfigReader, check_configurations
from catalog.corrections import correct
from catalog.document_kinds import parse_definition
from catalog.secrets import fill_passwords, open_fields, seal_fields
from db.repositories.decisions import DecisionsRepository
from db.request_columns import context_of
from db.row_conversion import plan_of
from db.session import Database
from pao.app.resumption import LostRequests
from pao.clients.inspection import WorkflowUnansweredError
from pao.clients.proofs import with_proof
from pao.clients.temporal import RequestWorkflows, TemporalUnavailableError, WorkflowGoneError
from pao.core.errors import ErrorCode, PaoError
from pao.core.passwords import passwords_of
from pao.core.payloads.context import RequestContext
from pao.core.payloads.decisions import CorrectionAnswer, DecisionRecord
from pao.core.states import (
    TERMINAL,
    ActionStatus,
    ApprovalVote,
    Decision,
    RequestStatus,
)
from pao.runtime.crypto import SecretBox

_INVALID = "The corrected fields are invalid; see details. Nothing was decided."
# The namespace of decision ids: the same caller, request, kind and key give the same id.
DECISIONS = UUID("9a6f4ab2-5d0c-4f0b-8a53-2f5a3b0a6a0e")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSettings:
    """How long a call waits for the outcome, in seconds, and the models of the actions."""

    budget: float
    models: ActionModels
    readers: Mapping[str, ConfigReader]


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """The outcome of a decision so far; ``open`` while it is being carried out.

    ``late``: the workflow has not taken it within the time that an answer has.
    """

    open: bool
    replayed: bool = False
    late: bool = False

    @property
    def outcome(self) -> str:
        """The outcome as a label for metrics."""
        return "late" if self.late else "open" if self.open else "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionService:
    """Takes decisions; only the workflow decides whether one is possible."""

    box: SecretBox
    database: Database
    options: OptionsService
    reading: ReadingService
    settings: DecisionSettings
    workflows: RequestWorkflows
    lost: LostRequests

    @property
    def _keys(self) -> DecisionKeys:
        return DecisionKeys(box=self.box, database=self.database)

    @property
    def _retry_preview(self) -> RetryPreviewer:
        return RetryPreviewer(
            box=self.box,
            models=self.settings.models,
            readers=self.settings.readers,
            workflows=self.workflows,
        )

    async def decide(self, call: DecisionCall) -> DecisionOutcome:
        """Carry out a decision; raises ``INVALID_STATE_TRANSITION`` if it is refused.

        A repeated call with the same Idempotency-Key gets the first one's outcome; with another
        body it is refused with ``IDEMPOTENCY_CONFLICT``.
        """
        stored = await self._read_for(call)
        repeated = await self._keys.is_repeat(call)
        decision_id = _decision_id(call)
        record = await self._record(call.request_id, decision_id)
        if record is not None and record.outcome != "open":
            return replace(self._outcome(record, stored.row.status), replayed=repeated)
        if record is None and stored.row.status in TERMINAL:
            # It can never become possible; the workflow checks the rest.
            raise decision_refused(call.decision, stored.row.status)
        payload = await self._payload(stored, call, decision_id)
        payload = with_proof(self.box, call.request_id, call.decision, payload)
        repeated = await self._keys.claim(call)
        decided = await self._carry_out(stored, call.decision, payload)
        return replace(decided, replayed=repeated)

    async def preview(
        self, caller: Principal, request_id: str, body: RetryBody
    ) -> schemas.RetryPreview:
        """Show what a retry would change and send, without deciding; secrets are masked."""
        stored = await self.reading.get_decidable(caller, request_id)
        self._require_failed(stored, Decision.RETRY)
        context = context_of(stored.row)
        answer = CorrectionAnswer(valid=True, fields=context.fields)
        if body.fields:
            sealed = self._seal(context, body.fields)
            answer = await asyncio.to_thread(self._correct, stored, sealed, body.mode)
            await self._require_offered(context, answer)
            context.fields = answer.fields
        return await self._retry_preview.of(stored, body, context, answer)

    async def look(self, caller: Principal, request_id: str, action_id: str | None) -> schemas.Look:
        """Ask the failed action's target whether its effect exists; changes nothing."""
        stored = await self.reading.get_decidable(caller, request_id)
        self._require_failed(stored, Decision.RETRY)
        failed = [one for one in stored.actions if one.status == ActionStatus.FAILED]
        chosen = next((one for one in failed if action_id in (None, one.action_id)), None)
        if chosen is None:
            names = ", ".join(one.action_id for one in failed) or "none"
            raise PaoError(
                ErrorCode.VALIDATION_ERROR, f"That action has not failed. Failed actions: {names}."
            )
        try:
            found = await self._retry_preview.look(stored, chosen)
        except (TemporalUnavailableError, WorkflowGoneError) as error:
            raise temporal_unavailable() from error
        return look_answer(chosen.action_id, found)

    async def find_record(self, call: DecisionCall) -> DecisionRecord | None:
        """Return the record of the decision with a key of the caller, if there is one."""
        await self.reading.get(call.caller, call.request_id)
        return await self._record(call.request_id, _decision_id(call))

    async def _payload(
        self, stored: StoredRequest, call: DecisionCall, decision_id: str
    ) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "by": call.caller.id,
            "via": "api",
            "reason": call.body.reason,
            "decisionId": decision_id,
        }
        if isinstance(call.body, VoteBody):
            return payload | vote(stored, call.caller, call.body.action_id)
        if isinstance(call.body, DecisionBody) and call.body.attempt is not None:
            payload["attempt"] = call.body.attempt
        if isinstance(call.body, RetryBody):
            payload |= _options(call.body)
        if isinstance(call.body, RetryBody) and call.body.fields:
            # In a thread: large forms take their time, and other callers must not wait for it.
            sealed = self._seal(context_of(stored.row), call.body.fields)
            answer = await asyncio.to_thread(self._correct, stored, sealed, call.body.mode)
            await self._require_offered(context_of(stored.row), answer)
            payload["fields"] = sealed
        return payload

    async def _read_for(self, call: DecisionCall) -> StoredRequest:
        """Read the request; raises what keeps the caller from deciding this about it."""
        if not isinstance(call.body, VoteBody):
            return await self.reading.get_decidable(call.caller, call.request_id)
        stored = await self.reading.get(call.caller, call.request_id)
        was_asked = await self.reading.is_asked(call.caller, call.request_id)
        require_approver(stored, call.caller, call.body.action_id, was_asked=was_asked)
        return stored

    async def _record(self, request_id: str, decision_id: str) -> DecisionRecord | None:
        async with self.database.reading() as session:
            return await DecisionsRepository(session).find(request_id, decision_id)

    def _require_failed(self, stored: StoredRequest, decision: Decision | ApprovalVote) -> None:
        if stored.row.status != RequestStatus.FAILED or stored.row.retrying:
            raise decision_refused(decision, stored.row.status)

    async def _carry_out(
        self, stored: StoredRequest, decision: Decision | ApprovalVote, payload: dict[str, Any]
    ) -> DecisionOutcome:
        request_id = str(stored.row.id)
        try:
            record = await self._signal(request_id, decision, payload)
        except TemporalUnavailableError as error:
            record = await self._record(request_id, payload["decisionId"])
            if record is None:
                raise temporal_unavailable() from error
        except WorkflowGoneError:
            record = await self._record(request_id, payload["decisionId"])
            if record is None:
                record = await self._after_resuming(stored, decision, payload)
        if record is None:
            record = await self._record(request_id, payload["decisionId"])
        status = await self._status_now(request_id, stored.row.status)
        return (
            DecisionOutcome(open=True, late=True)
            if record is None
            else self._outcome(record, status)
        )

    async def _signal(
        self, request_id: str, decision: Decision | ApprovalVote, payload: dict[str, Any]
    ) -> DecisionRecord | None:
        return await self.workflows.decide(
            request_id, decision, payload, budget=self.settings.budget
        )

    async def _after_resuming(
        self, stored: StoredRequest, decision: Decision | ApprovalVote, payload: dict[str, Any]
    ) -> DecisionRecord | None:
        """Carry out a decision about a failed request whose workflow is lost: resume it first.

        A request that ran or waited is failed now, which is all that a cancellation asks for. A
        vote is refused with what became of the workflow.
        """
        request_id = str(stored.row.id)
        try:
            lost = await self.lost.resume(request_id)
            if lost is not None and stored.row.status == RequestStatus.FAILED:
                return await self._signal(request_id, decision, payload)
        except (WorkflowUnansweredError, RPCError, TemporalUnavailableError) as error:
            raise temporal_unavailable() from error
        except WorkflowGoneError:
            # An abort closes the workflow, maybe before it could be asked for the outcome.
            if (record := await self._record(request_id, payload["decisionId"])) is not None:
                return record
            lost = None
        if lost is not None and decision == Decision.CANCEL:
            return None
        status = await self._status_now(request_id, stored.row.status)
        raise workflow_gone(decision, status, lost, is_component=stored.row.parent_id is not None)

    async def _status_now(self, request_id: str, before: RequestStatus) -> RequestStatus:
        now = await self.reading.stored_status(request_id)
        return now or before

    def _outcome(self, record: DecisionRecord, status: RequestStatus) -> DecisionOutcome:
        if record.outcome == "rejected":
            raise decision_refused(record.decision, status, record.message, code=record.code)
        if record.outcome == "failed":
            raise PaoError(
                ErrorCode.EXTERNAL_SERVICE_ERROR,
                f"{record.message or 'The decision could not be carried out.'} "
                "The request is still failed; decide again.",
            )
        return DecisionOutcome(open=record.outcome != "done")

    async def _require_offered(self, context: RequestContext, answer: CorrectionAnswer) -> None:
        """Refuse a changed value that is not offered; what was offered before may stay."""
        item = parse_definition(context.item.definition)
        corrected = replace(context, fields=answer.fields)
        values = fill_passwords(answer.fields, open_fields(self.box, corrected), item.passwords)
        changed = frozenset(answer.diff)
        problems = await self.options.require(item, values, context.requester, only=changed)
        if problems:
            raise PaoError(ErrorCode.VALIDATION_ERROR, _INVALID, details=field_details(problems))

    def _seal(self, context: RequestContext, fields: dict[str, Any]) -> dict[str, Any]:
        passwords = passwords_of(context.item.definition)
        return seal_fields(self.box, context.request_id, fields, passwords)

    def _correct(
        self, stored: StoredRequest, changes: dict[str, Any], mode: str | None
    ) -> CorrectionAnswer:
        """Return the corrected fields; raises when the form or an action's own model refuses."""
        context = context_of(stored.row)
        today, scope_context = datetime.now(UTC).date(), self.settings.models.scope_context
        answer, errors = correct(context, changes, self.box, today, scope_context)
        if answer.valid:
            context.fields = answer.fields
            self._require_usable(stored, context, mode)
            return answer
        raise PaoError(ErrorCode.VALIDATION_ERROR, _INVALID, details=field_details(errors))

    def _require_usable(
        self, stored: StoredRequest, context: RequestContext, mode: str | None
    ) -> None:
        """Refuse corrected values that make what the retry carries out invalid."""
        found = check_configurations(
            parse_definition(context.item.definition),
            plan_of(stored.row),
            context,
            self.settings.models,
            secrets=open_fields(self.box, context),
            only=frozenset(one.id for one in open_actions(stored, mode)),
        )
        problems = [one for one in found if one.field is not None]
        if problems:
            raise PaoError(
                ErrorCode.VALIDATION_ERROR,
                f"{refusal_message(problems, stored.row.owner_team)} Nothing was decided.",
                details=tuple(detail_of(one) for one in problems),
            )


def _decision_id(call: DecisionCall) -> str:
    if call.idempotency_key is None:
        return str(uuid4())
    name = f"{call.caller.id}\n{call.request_id}\n{call.decision}\n{call.idempotency_key}"
    return str(uuid5(DECISIONS, name))


def _options(body: RetryBody) -> dict[str, Any]:
    """Return what a retry carries besides fields; what is not used is left out."""
    evidence = body.evidence.model_dump(by_alias=True, exclude_none=True) if body.evidence else None
    options = {
        "mode": body.mode,
        "acceptUsed": body.accept_used,
        "leaveBehind": body.leave_behind,
        "evidence": evidence,
    }
    return {key: value for key, value in options.items() if value}
