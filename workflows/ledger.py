"""The workflow's record of a request: its state, and the states of its actions.

Decisions are in decision_log.py; what the mirror does not have yet is in snapshots.py.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from temporalio import workflow

from pao.core.documents import to_document
from pao.core.errors import ErrorCode
from pao.core.payloads.actions import ActionResult, ActionState, FormerCall
from pao.core.payloads.cleanups import CleanupMark
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import RequestInput, Resumption
from pao.core.payloads.tickets import Escalation
from pao.core.payloads.waits import OpenWait
from pao.core.states import ActionStatus, RequestStatus, can_move
from pao.core.timestamps import timestamp
from workflows.decision_log import DecisionLog, audit_data
from workflows.details import current_details
from workflows.failures import combined_failure, error_context
from workflows.journal import WORKFLOW, Journal
from workflows.possible_effects import (
    clear_doubt,
    confirm_absent,
    leave_behind,
    record_failed_attempt,
)

RECONCILER = "reconciler"


class Ledger:
    """Keeps a request's state; every change leaves an audit line, a stream entry, or both."""

    def __init__(
        self, request_input: RequestInput, *, now: Callable[[], datetime] = workflow.now
    ) -> None:
        self.now = now
        self.journal = Journal(now)
        self.decisions = DecisionLog(self.journal)
        self.context = request_input.context
        self.status = RequestStatus.SUBMITTED
        self.retrying = False
        self.states = [_pending_state(action) for action in request_input.plan if action.is_step]
        self.confirmed_absent: set[tuple[str, int]] = set()
        self.plan = {action.id: action for action in request_input.plan}
        self._fallback = [action for action in request_input.plan if action.fallback]
        self.cleaned: dict[str, CleanupMark] = {}
        self.escalation: Escalation | None = None
        self.failure: ActionFailure | None = None

    @property
    def has_fallback(self) -> bool:
        """Return whether there is a manual way that is not used yet."""
        return bool(self._fallback)

    def move(
        self,
        status: RequestStatus,
        *,
        actor: str = WORKFLOW,
        via: str = WORKFLOW,
        reason: str | None = None,
    ) -> None:
        """Move the request to another state, if the transition table allows it."""
        if not can_move(self.status, status):
            raise ValueError(f"a request cannot go from {self.status} to {status}")
        before, self.status = self.status, status
        self.retrying = False
        if status in {RequestStatus.IN_PROGRESS, RequestStatus.COMPLETED}:
            self.failure = None
        self.journal.line(
            f"request.{status}",
            actor=actor,
            via=via,
            reason=reason,
            data={"from": before, "to": status},
        )
        self._state_entry()

    def resume(self, resumption: Resumption) -> None:
        """Resume in ``failed`` from the mirror's copy of a request whose workflow is lost."""
        self.status = RequestStatus.FAILED
        stored = {state.id: state for state in resumption.actions}
        if any(action.id in stored for action in self._fallback):
            self._open_fallback()
        self.states = [stored.get(state.id, state) for state in self.states]
        self.escalation = resumption.escalation
        self.cleaned = {mark.entry_id: mark for mark in resumption.cleaned}
        self.failure = resumption.failure
        event_type = "request.resumed" if resumption.actor == RECONCILER else "request.failed"
        self.journal.line(event_type, actor=resumption.actor, reason=resumption.reason)
        self.journal.log("warning", resumption.reason)

    def begin(self, state: ActionState) -> None:
        """Record that an action is about to be executed."""
        state.attempt += 1
        state.status = ActionStatus.IN_PROGRESS
        state.started_at = timestamp(self.now())
        state.finished_at = None
        state.error = None
        self._action_entry(state)
        self.journal.log("info", f"{state.name}: attempt {state.attempt} starts", state)

    def succeed(self, state: ActionState, result: ActionResult) -> None:
        """Record an action's result."""
        partial = _partial_beside(state, result)
        state.status = ActionStatus.COMPLETED
        state.finished_at = timestamp(self.now())
        _copy_result(state, result)
        state.note = None
        state.waiting = None
        clear_doubt(state, partial)
        how = "found an earlier effect and adopted it" if result.adopted else "succeeded"
        what = f": {result.external_reference}" if result.external_reference else ""
        self.journal.line("action.completed", action_id=state.id, data={"adopted": result.adopted})
        self._action_entry(state)
        self.journal.log("info", f"{state.name} {how}{what}", state)

    def fail(self, state: ActionState, failure: ActionFailure) -> None:
        """Record why an action failed; what earlier attempts may have left is kept."""
        now = timestamp(self.now())
        failure = record_failed_attempt(state, failure, self.fields_of(state), now=now)
        state.status = ActionStatus.FAILED
        state.finished_at = now
        state.error = failure
        state.waiting = None
        self.failure = combined_failure(self.states)
        names = [one.id or one.url or one.type for one in state.partial]
        self.journal.line(
            "action.failed",
            action_id=state.id,
            reason=failure.message,
            data={
                "attempt": state.attempt,
                "outcomeUnknown": failure.outcome_unknown,
                **({"left": names} if names else {}),
            },
        )
        self._action_entry(state)
        self.journal.log("error", f"{state.name} failed: {failure.message}", state)

    def wait(self, state: ActionState, result: ActionResult, waiting: OpenWait) -> None:
        """Record that an action's effect exists, and what it still waits for."""
        partial = _partial_beside(state, result)
        state.status = ActionStatus.WAITING
        _copy_result(state, result)
        state.waiting = to_document(waiting)
        clear_doubt(state, partial)
        fields = None if result.sent else self.fields_of(state)
        state.former = [FormerCall(state.attempt, sealed=result.sent, fields=fields)]
        self.journal.line("action.waiting", action_id=state.id, data={"kind": waiting.kind})
        self._action_entry(state)
        what = f" for {result.external_reference}" if result.external_reference else ""
        self.journal.log("info", f"{state.name} waits{what} ({waiting.kind})", state)

    def record_votes(self, action_id: str, waiting: OpenWait) -> None:
        """Show a waiting action with the votes that count."""
        for state in self.states:
            if state.id == action_id:
                state.waiting = to_document(waiting)
                self._action_entry(state)

    def record_reminder(self, state: ActionState, waiting: OpenWait) -> None:
        """Record that people were reminded of a waiting action."""
        state.waiting = to_document(waiting)
        self.journal.log("warning", f"{state.name} is still waiting for an approval", state)

    def skip(self, state: ActionState, reason: str) -> None:
        """Record that an action is skipped, and why; actions that depend on it continue."""
        state.status = ActionStatus.SKIPPED
        state.note = reason
        self.journal.line("action.skipped", action_id=state.id, reason=reason)
        self._action_entry(state)
        self.journal.log("info", f"{state.name} is skipped: {reason}", state)

    def use_fallback(self) -> None:
        """Switch to the manual way: it replaces everything that has not succeeded.

        What failed keeps its error: its effect may exist and is listed for cleanup.
        """
        for state in self.states:
            if state.status == ActionStatus.FAILED:
                reason = state.error.message if state.error else "it failed"
                self.skip(state, f"The manual way is used instead; it had failed: {reason}")
            elif state.status == ActionStatus.PENDING:
                self.skip(state, "The manual way is used instead.")
        self._open_fallback()
        self.journal.line("request.fallback")

    def fields_of(self, state: ActionState) -> dict[str, Any]:
        """Return the fields that an action's templates read now; passwords in them are sealed."""
        planned = self.plan.get(state.id)
        return self.context.for_action(planned.reads).fields if planned else {}

    def confirm_no_effect(self, state: ActionState, record: DecisionRecord) -> None:
        """Record a person's evidence that an action has no effect in its target."""
        confirm_absent(state)
        self.confirmed_absent.add((state.id, state.attempt + 1))
        self._record_evidence(state, record, "Somebody confirmed that it had no effect")

    def complete_by_evidence(
        self, state: ActionState, record: DecisionRecord, result: ActionResult
    ) -> None:
        """Record a person's evidence that an action has taken effect, with what it made."""
        self._record_evidence(state, record, "Somebody confirmed that it took effect")
        state.error = None
        own = {result.external_reference, result.url} - {None}
        partial = [one for one in state.partial if not own & {one.id, one.url}]
        self.succeed(state, replace(result, adopted=True, partial=[*partial, *result.partial]))

    def _record_evidence(self, state: ActionState, record: DecisionRecord, message: str) -> None:
        self.journal.line(
            "action.evidence",
            actor=record.by,
            via=record.via,
            reason=record.reason,
            action_id=state.id,
            data={
                "decisionId": record.decision_id,
                "present": bool((record.evidence or {}).get("present")),
            },
        )
        self.journal.log("warning", f"{state.name}: {message}", state)

    def leave_behind(self, state: ActionState, place: str, partial: PartialResource | None) -> None:
        """Record that a correction moves an action elsewhere, and what it leaves behind."""
        leave_behind(state, place, partial)
        names = [one.id or one.cleanup or one.type for one in state.left_behind]
        self.journal.line("action.left-behind", action_id=state.id, data={"place": place})
        self.journal.log(
            "warning", f"{state.name} leaves behind at {place}: {'; '.join(names)}", state
        )

    def _open_fallback(self) -> None:
        self.states += [_pending_state(action) for action in self._fallback]
        self._fallback = []

    def start_retry(self, record: DecisionRecord) -> None:
        """Record that a person started a retry; the request stays ``failed``."""
        self.retrying = True
        self.journal.line(
            "request.retry",
            actor=record.by,
            via=record.via,
            reason=record.reason,
            data=audit_data(record),
        )
        self._state_entry()

    def record_stop(self, message: str) -> None:
        """Record that the request failed between two actions, neither of which failed."""
        self.failure = ActionFailure(code=ErrorCode.ACTION_FAILED, message=message)
        self.journal.log("error", message)

    def error_context(self) -> dict[str, Any]:
        """Return the failure context of a failed request, even after a person has ended it."""
        if self.failure is None:
            return {}
        return error_context(self.context, self.states, self.failure, manual_way=self.has_fallback)

    def details(self) -> str:
        """Describe the state of the request for an operator, in Markdown."""
        return current_details(
            self.context,
            self.status,
            self.states,
            retrying=self.retrying,
            manual_way=self.has_fallback,
            refused=self.decisions.last_refusal,
            cleaned=self.cleaned,
        )

    def record_restore(self, reason: str) -> None:
        """Record that the mirror had lost parts of the request, which were written again."""
        self.journal.line("request.restored", reason=reason)
        self._state_entry()

    def _state_entry(self) -> None:
        self.journal.entry("state", {"status": self.status, "retrying": self.retrying})

    def _action_entry(self, state: ActionState) -> None:
        self.journal.entry(
            "action",
            {
                "id": state.id,
                "status": state.status,
                "attempt": state.attempt,
                "externalReference": state.external_reference,
                "url": state.url,
                "error": state.error.public_document() if state.error else None,
                "note": state.note,
                "waiting": state.waits_for.kind if state.waits_for else None,
            },
        )


def _pending_state(action: PlannedAction) -> ActionState:
    return ActionState(id=action.id, index=action.index, type=action.type, name=action.name)


def _partial_beside(state: ActionState, result: ActionResult) -> list[PartialResource]:
    """Return what earlier attempts left beside a result; that of a wait does not repeat it."""
    earlier = state.partial if state.status == ActionStatus.WAITING else []
    return [*earlier, *result.partial]


def _copy_result(state: ActionState, result: ActionResult) -> None:
    state.outputs = result.outputs
    state.external_reference = result.external_reference
    state.url = result.url
    state.cleanup = result.cleanup
    state.resource_type = result.resource_type
    state.adopted = result.adopted
