"""The preview of a retry: what it would change, find and send, and why it would be refused."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from api.requests import schemas
from api.requests.reading import StoredRequest
from api.requests.schemas import RetryBody
from catalog.action_rendering import render_action
from catalog.configuration_checks import ActionModels, ConfigReader
from catalog.secrets import open_fields
from catalog.templating import TemplateError
from catalog.used_fields import used_by
from db.models import RequestAction
from db.request_columns import context_of
from db.row_conversion import action_input, outputs_for, plan_of, published_for, state_of
from pao.clients.temporal import RequestWorkflows, TemporalUnavailableError, WorkflowGoneError
from pao.core.components import BUNDLE_ACTION_TYPES
from pao.core.correction_checks import (
    MANUAL,
    NO_MANUAL_WAY,
    action_of_evidence,
    check_correction,
    outdated_message,
)
from pao.core.errors import ErrorCode
from pao.core.payloads.actions import FormerCall, LookResult
from pao.core.payloads.context import RequestContext, Requester
from pao.core.payloads.decisions import CorrectionAnswer, DecisionRecord, EvidenceInput
from pao.core.payloads.plan import PlannedAction
from pao.core.resources import attempt_of
from pao.core.states import ActionStatus, Decision
from pao.runtime.crypto import SecretBox

LOOK_SECONDS = 10.0
DONE = frozenset({ActionStatus.COMPLETED, ActionStatus.SKIPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPreviewer:
    """Previews retries with read-only looks."""

    box: SecretBox
    models: ActionModels
    readers: Mapping[str, ConfigReader]
    workflows: RequestWorkflows

    async def of(
        self,
        stored: StoredRequest,
        body: RetryBody,
        context: RequestContext,
        answer: CorrectionAnswer,
    ) -> schemas.RetryPreview:
        """Show the retry as it would be; ``context`` has the corrected fields."""
        calls = await asyncio.to_thread(self._calls, stored, context, body.mode)
        if answer.diff:
            former = await asyncio.to_thread(self._calls, stored, context_of(stored.row), body.mode)
            calls = [_with_former(one, was) for one, was in zip(calls, former, strict=True)]
        used = await asyncio.to_thread(_used_values, stored, context, answer)
        evidence_for, problem = _evidence_action(stored, body)
        problem = problem or await self._problem_with_evidence(stored, body, evidence_for)
        looks = [] if body.mode == MANUAL else await self._looks(stored, context, evidence_for)
        refusals = [*_early_refusals(stored, body, problem), *_late_refusals(body, used, looks)]
        return schemas.RetryPreview(
            changes=answer.diff,
            actions=calls,
            looks=[look_answer(row.action_id, look) for row, look in looks],
            out_of_step=used,
            refusals=refusals,
        )

    async def look(
        self, stored: StoredRequest, row: RequestAction, context: RequestContext | None = None
    ) -> LookResult:
        """Look for what earlier attempts of an action made, with what they had sent."""
        given = action_input(stored.row, stored.actions, row)
        if row.outcome_unknown or row.partial:
            fields = given.context.for_action(given.action.reads).fields
            former = given.former or [FormerCall(row.attempt, fields=fields)]
            given = replace(given, former=former)
        if context is not None:
            given = replace(given, context=replace(given.context, fields=context.fields))
        return await self.workflows.look(given, budget=LOOK_SECONDS)

    async def _problem_with_evidence(
        self, stored: StoredRequest, body: RetryBody, evidence_for: str | None
    ) -> str | None:
        """Return why the outputs of the evidence would not be accepted, if so."""
        if evidence_for is None or body.evidence is None or not body.evidence.present:
            return None
        row = next(one for one in stored.actions if one.action_id == evidence_for)
        action = action_input(stored.row, stored.actions, row)
        evidence = EvidenceInput(action, body.evidence.outputs or {})
        try:
            answer = await self.workflows.check_evidence(evidence, budget=LOOK_SECONDS)
        except (TemporalUnavailableError, WorkflowGoneError):
            return "the evidence could not be checked: Temporal does not respond; try again"
        return None if answer.result else f"the evidence was not accepted: {answer.message}"

    async def _looks(
        self, stored: StoredRequest, context: RequestContext, evidence_for: str | None
    ) -> list[tuple[RequestAction, LookResult]]:
        """Look for what failed actions made, except the one with evidence (``evidence_for``)."""
        failed = [
            one
            for one in stored.actions
            if one.status == ActionStatus.FAILED
            and one.attempt
            and one.type not in BUNDLE_ACTION_TYPES
            and one.action_id != evidence_for
        ]
        found = await asyncio.gather(*(self._try_look(stored, one, context) for one in failed))
        return list(zip(failed, found, strict=True))

    async def _try_look(
        self, stored: StoredRequest, row: RequestAction, context: RequestContext
    ) -> LookResult:
        try:
            return await self.look(stored, row, context)
        except (TemporalUnavailableError, WorkflowGoneError):
            return LookResult(answer="unknown", reason="Temporal does not respond; try again")

    def _calls(
        self, stored: StoredRequest, context: RequestContext, mode: str | None
    ) -> list[schemas.PlannedCall]:
        secrets = open_fields(self.box, context)
        plan, calls = plan_of(stored.row), list[schemas.PlannedCall]()
        for action in open_actions(stored, mode):
            read = self.readers.get(action.type, dict)
            try:
                config = read(
                    render_action(
                        action,
                        context,
                        self.models.scope_context,
                        targets=self.models.targets.get(action.type, {}),
                        secrets=secrets,
                        outputs=outputs_for(action, plan, stored.actions),
                        published=published_for(action, plan, stored.actions),
                        reveal=False,
                    )
                )
            except TemplateError:
                config = action.config
            calls.append(schemas.PlannedCall(id=action.id, type=action.type, config=config))
        return calls


def _with_former(call: schemas.PlannedCall, former: schemas.PlannedCall) -> schemas.PlannedCall:
    if call.config == former.config:
        return call
    return call.model_copy(update={"former": former.config})


def look_answer(action_id: str, look: LookResult) -> schemas.Look:
    """Return a look in the API's shape."""
    result = look.result
    return schemas.Look.model_validate(
        {
            "action_id": action_id,
            "answer": look.answer,
            "would_adopt": result
            and schemas.Adoptable(
                external_reference=result.external_reference,
                url=result.url,
                outputs=result.outputs,
            ),
            "reason": look.reason,
        }
    )


def _used_values(
    stored: StoredRequest, context: RequestContext, answer: CorrectionAnswer
) -> dict[str, list[str]]:
    plan = {one.id: one for one in plan_of(stored.row)}
    done = [
        replace(plan[one.action_id], reads=plan[one.action_id].reads if one.attempt else [])
        for one in stored.actions
        if one.status in DONE and one.action_id in plan
    ]
    return used_by(context, done, answer.diff) if answer.diff else {}


def _evidence_action(stored: StoredRequest, body: RetryBody) -> tuple[str | None, str | None]:
    """Return the id of the action that the evidence concerns, and why it would be refused."""
    if body.evidence is None:
        return None, None
    states = [state_of(one) for one in stored.actions]
    given = body.evidence.model_dump(by_alias=True)
    state, problem = action_of_evidence(states, given, corrects=bool(body.fields))
    return state.id if state else None, problem


def _early_refusals(
    stored: StoredRequest, body: RetryBody, problem: str | None
) -> list[schemas.Refusal]:
    """Return what the workflow would refuse before it looks."""
    states = [state_of(one) for one in stored.actions]
    started = {one.id for one in states}
    manual_actions = [one for one in plan_of(stored.row) if one.fallback and one.id not in started]
    found = [problem, outdated_message(Decision.RETRY, body.attempt, attempt_of(states))]
    if body.mode == MANUAL and not manual_actions:
        found.append(NO_MANUAL_WAY)
    code = ErrorCode.INVALID_STATE_TRANSITION
    return [schemas.Refusal(code=code, message=one) for one in found if one]


def _late_refusals(
    body: RetryBody, used: dict[str, list[str]], looks: list[tuple[RequestAction, LookResult]]
) -> list[schemas.Refusal]:
    record = DecisionRecord(
        decision_id="dry-run",
        decision=Decision.RETRY,
        at="",
        mode=body.mode,
        leave_behind=body.leave_behind,
    )
    found = []
    if used and not body.accept_used:
        values = "; ".join(f"{name} (by {', '.join(by)})" for name, by in used.items())
        message = f"completed or skipped actions have already used these values: {values}"
        found.append(schemas.Refusal(code=ErrorCode.FIELDS_ALREADY_USED, message=message))
    for row, look in looks:
        refusal = check_correction(state_of(row), look, record)
        if refusal is not None:
            code = refusal.code or ErrorCode.INVALID_STATE_TRANSITION
            found.append(
                schemas.Refusal(code=code, message=refusal.message, action_id=row.action_id)
            )
    return found


def open_actions(stored: StoredRequest, mode: str | None) -> list[PlannedAction]:
    """Return the actions that a retry would run, now or later."""
    plan = plan_of(stored.row)
    states = {one.action_id: one.status for one in stored.actions}
    manual = mode == MANUAL or any(one.fallback and one.id in states for one in plan)
    actions = [one for one in plan if one.fallback == manual and one.notice is None]
    return [one for one in actions if states.get(one.id) not in DONE]


def stored_requester(stored: StoredRequest) -> Requester:
    """Return who submitted a request: what a form offers, it offers to them."""
    return context_of(stored.row).requester
