"""Carrying out what people decide about a failed request: retry, abort, escalate.

Whether a decision is possible is evaluated in open_decisions.py; signals are parsed in commands.py.
"""

from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.components import COMPONENT
from pao.core.correction_checks import MANUAL, action_of_evidence
from pao.core.errors import ErrorCode
from pao.core.payloads.actions import ActionState, FormerCall
from pao.core.payloads.decisions import Correction, CorrectionAnswer, DecisionRecord
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import WorkflowTimeouts
from pao.core.payloads.tickets import Escalation, EscalationInput
from pao.core.resources import is_unknown, partial_resources_of
from pao.core.states import ActionStatus, Decision, RequestStatus
from pao.core.timestamps import timestamp
from workflows import evidence, policies
from workflows.components import BundleComponents
from workflows.correction_checks import actions_in_doubt, check_former_effects
from workflows.failures import classify
from workflows.ledger import Ledger
from workflows.mirror import Mirror, SupersededError
from workflows.open_decisions import OpenDecisions
from workflows.runs import is_reset
from workflows.stopping import CANCELLED, Stop

FORMER_CALLS = "former-calls-are-looked-for"


class Decider:
    """Waits for a decision while the request is failed, and carries it out."""

    def __init__(  # noqa: PLR0913 -- what deciding works on, each part named.
        self,
        ledger: Ledger,
        *,
        open_decisions: OpenDecisions,
        mirror: Mirror,
        stop: Stop,
        waits: WorkflowTimeouts,
        had_others: bool,
        unchecked: bool,
        components: BundleComponents | None,
    ) -> None:
        self._components = components
        self._stop = stop
        self._unchecked = unchecked
        self._ledger = ledger
        self._open_decisions = open_decisions
        self._mirror = mirror
        self._waits = waits
        self._had_others = had_others
        self._tried_at: str | None = None

    async def wait_until_decided(self) -> None:
        """Wait until a person has decided; return when a retry may run or the request has ended.

        For a bundle, also return when a component has news.
        Raises ``SupersededError`` when a signal has shown that another run has ended the request.
        """
        while True:
            await self._wait_until_called()
            if self._open_decisions.current is None and not self._stop.is_cancelled:
                return
            record = self._open_decisions.current or self._cancellation_as_abort()
            if await self._carry_out(record):
                return

    async def _wait_until_called(self) -> None:
        await workflow.wait_condition(lambda: self._is_called() or self._mirror.is_superseded)
        if self._open_decisions.current is None and self._mirror.is_superseded:
            raise SupersededError

    def _is_called(self) -> bool:
        news = self._components is not None and self._components.has_news
        return self._open_decisions.current is not None or self._stop.is_cancelled or news

    def _cancellation_as_abort(self) -> DecisionRecord:
        record = DecisionRecord(
            decision_id=str(workflow.uuid4()),
            decision=Decision.ABORT,
            at=timestamp(workflow.now()),
            by="temporal",
            reason=workflow.cancellation_reason() or CANCELLED,
        )
        self._open_decisions.register(record)
        self._open_decisions.evaluate(record, {})
        return record

    async def _carry_out(self, record: DecisionRecord) -> bool:
        if record.decision == Decision.RETRY:
            return await self._prepare_retry(record)
        if record.decision == Decision.ESCALATE:
            return await self._escalate(record)
        return await self._finish(RequestStatus.ABORTED, record)

    async def _finish(self, status: RequestStatus, record: DecisionRecord) -> bool:
        """End the request as decided; in a bundle, its open components first."""
        if self._components is not None:
            await self._components.end_all(record)
        self._open_decisions.finish("done")
        self._ledger.move(status, actor=record.by, via=record.via, reason=record.reason)
        await self._mirror.write()
        return True

    async def _prepare_retry(self, record: DecisionRecord) -> bool:
        observed = await self._check_evidence(record)
        corrects = bool(self._open_decisions.changes) or self._unchecked
        if self._open_decisions.current is None or (
            corrects and not await self._correct(record, observed)
        ):
            await self._mirror.write()
            return False
        if observed is not None:
            # Not earlier: a retry whose fields are refused must change nothing.
            evidence.apply(self._ledger, record, observed)
        if record.mode == "manual":
            self._ledger.use_fallback()
        self._ledger.start_retry(record)
        return True

    async def _check_evidence(self, record: DecisionRecord) -> evidence.ObservedEffect | None:
        """Check a person's evidence; a retry with invalid evidence ends."""
        if record.evidence is None:
            return None
        state, problem = action_of_evidence(
            self._ledger.states, record.evidence, corrects=bool(self._open_decisions.changes)
        )
        if state is None:
            self._open_decisions.finish("rejected", problem)
            return None
        if not record.evidence["present"]:
            return evidence.ObservedEffect(state)
        answer = await evidence.check(self._ledger, state, record)
        if answer.result is None:
            self._open_decisions.finish(
                "rejected", f"the evidence was not accepted: {answer.message}"
            )
            return None
        return evidence.ObservedEffect(state, answer.result)

    async def _correct(
        self, record: DecisionRecord, observed: evidence.ObservedEffect | None
    ) -> bool:
        """Apply corrected fields if the form and the models of the actions accept them."""
        finished = _finished_actions(self._ledger, observed)
        correction = Correction(
            context=self._ledger.context.without_plan(),
            changes=self._open_decisions.changes,
            over=finished,
            plan=list(self._ledger.plan.values()),
            retried=_actions_to_retry(self._ledger, record, finished),
        )
        try:
            answer: CorrectionAnswer = await workflow.execute_local_activity(
                names.CHECK_CORRECTION_ACTIVITY,
                correction,
                result_type=CorrectionAnswer,
                summary="check the corrected fields",
                **policies.CORRECTION,
            )
        except FailureError as error:
            message = f"the corrected fields could not be checked: {classify(error).message}"
            answer = CorrectionAnswer(valid=False, message=message)
        if not answer.valid:
            self._open_decisions.finish("rejected", answer.message)
            return False
        if answer.used and not record.accept_used:
            message = _used_fields_message(answer.used)
            self._open_decisions.finish("rejected", message, code=ErrorCode.FIELDS_ALREADY_USED)
            return False
        if not await self._check_former_effects(record, answer, observed):
            return False
        if answer.used:
            record.details = {**(record.details or {}), "outOfStep": answer.used}
        self._unchecked = False
        record.changes = answer.diff
        self._ledger.context.fields = answer.fields
        return True

    async def _check_former_effects(
        self,
        record: DecisionRecord,
        answer: CorrectionAnswer,
        observed: evidence.ObservedEffect | None,
    ) -> bool:
        """Look for what earlier attempts made with the former values before replacing them.

        The action that a person has given evidence for is not looked up.
        """
        observed_state = observed.state if observed is not None else None
        doubtful = [one for one in actions_in_doubt(self._ledger) if one is not observed_state]
        if not answer.diff or not doubtful:
            return True
        # One patch per decision: a run may last for weeks.
        if not workflow.patched(f"{FORMER_CALLS}-{record.decision_id}"):
            return True
        context = replace(self._ledger.context, fields=answer.fields)
        checked = await check_former_effects(
            self._ledger, doubtful, record, context, waits=self._waits
        )
        if checked.refusal is not None:
            self._open_decisions.finish(
                "rejected", checked.refusal.message, code=checked.refusal.code
            )
            return False
        for state, place, resource in checked.left_behind:
            self._ledger.leave_behind(state, place, resource)
            entry = {"actionId": state.id, "place": place}
            entries = [*(record.details or {}).get("leftBehind", []), entry]
            record.details = {**(record.details or {}), "leftBehind": entries}
        for state in actions_in_doubt(self._ledger):
            if state is not observed_state and not state.former:
                # Attempts of earlier versions stored only the request's fields.
                fields = self._ledger.fields_of(state)
                state.former = [FormerCall(state.attempt, fields=fields)]
        return True

    async def _escalate(self, record: DecisionRecord) -> bool:
        ledger = self._ledger
        if self._open_decisions.ticket is not None:
            ledger.escalation = self._open_decisions.ticket
            return await self._finish(RequestStatus.ESCALATED, record)
        try:
            ledger.escalation = await workflow.execute_activity(
                names.ESCALATE_ACTIVITY,
                self._escalation_input(record),
                result_type=Escalation,
                summary=f"Escalation ticket, decided by {record.by}",
                **policies.escalation(self._waits),
            )
        except FailureError as error:
            self._tried_at = timestamp(workflow.now())
            message = f"The escalation ticket could not be created: {classify(error).message}"
            ledger.decisions.record_failed_escalation(record, message)
            self._open_decisions.finish("failed", message)
            await self._mirror.write()
            return False
        return await self._finish(RequestStatus.ESCALATED, record)

    def _last_escalation_ended_at(self) -> str | None:
        """Return when this run's last attempt to escalate ended; other runs' ended before."""
        if is_reset():
            return timestamp(workflow.now())
        if self._tried_at is None and self._had_others:
            return timestamp(workflow.info().start_time)
        return self._tried_at

    def _escalation_input(self, record: DecisionRecord) -> EscalationInput:
        ledger = self._ledger
        return EscalationInput(
            context=ledger.context.for_action(None),
            error_context=ledger.error_context(),
            actions=[trim_for_ticket(state) for state in ledger.states if state.type != COMPONENT],
            by=record.by,
            reason=record.reason,
            tried_before=self._had_others or ledger.decisions.has_tried(Decision.ESCALATE),
            tried_at=self._last_escalation_ended_at(),
            run_id=workflow.info().run_id,
            components=self._components.describe() if self._components else [],
        )


def _finished_actions(
    ledger: Ledger, observed: evidence.ObservedEffect | None
) -> list[PlannedAction]:
    """Return the completed or skipped actions that say which fields they have used."""
    observed_state = (
        observed.state if observed is not None and observed.result is not None else None
    )
    return [
        replace(
            ledger.plan[state.id],
            config={},
            cleanup=None,
            reads=ledger.plan[state.id].reads if state.attempt else [],
        )
        for state in ledger.states
        if state is observed_state or state.status in {ActionStatus.COMPLETED, ActionStatus.SKIPPED}
    ]


def _actions_to_retry(
    ledger: Ledger, record: DecisionRecord, finished: list[PlannedAction]
) -> list[str]:
    """Return the ids of the actions that a retry runs, now or later."""
    plan = ledger.plan.values()
    known_ids = {state.id for state in ledger.states}
    manual = record.mode == MANUAL or any(one.fallback and one.id in known_ids for one in plan)
    finished_ids = {one.id for one in finished}
    return [one.id for one in plan if one.fallback == manual and one.id not in finished_ids]


def _used_fields_message(used: dict[str, list[str]]) -> str:
    fields = "; ".join(f"{name} (by {', '.join(actions)})" for name, actions in used.items())
    return (
        f"actions that are completed or skipped have used these values: {fields}. What they made "
        "would not follow. Leave these fields alone, or retry with acceptUsed: true (--accept-used)"
    )


def trim_for_ticket(state: ActionState) -> ActionState:
    """Return only what an action's line in the ticket needs: outputs may be large and many."""
    return ActionState(
        id=state.id,
        index=state.index,
        type=state.type,
        name=state.name,
        status=state.status,
        attempt=state.attempt,
        external_reference=state.external_reference,
        url=state.url,
        note=state.note,
        outcome_unknown=is_unknown(state),
        partial=list(partial_resources_of(state)),
        left_behind=list(state.left_behind),
    )
