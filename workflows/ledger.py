"""The workflow's own record of a request: its state, and what the mirror has still to learn."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from temporalio import workflow

from pao.core.components import ComponentReport, tell
from pao.core.errors import ErrorCode
from pao.core.inherited import INHERITED, inherit
from pao.core.names import masked
from pao.core.payloads import (
    ActionFailure,
    ActionResult,
    ActionState,
    DecisionRecord,
    Escalation,
    FormerCall,
    PartialResource,
    PlannedAction,
    RequestInput,
    Resumption,
    Snapshot,
    timestamp,
)
from pao.core.states import ActionStatus, RequestStatus, can_move
from workflows.details import current_details
from workflows.failures import error_context, error_summary, overall
from workflows.journal import WORKFLOW, Journal
from workflows.leftovers import after_failure, deny, leave_behind, settle

RECONCILER = "reconciler"


class Ledger:
    """Keeps a request's state; every change leaves an audit line, a stream entry, or both."""

    def __init__(self, given: RequestInput, *, now: Callable[[], datetime] = workflow.now) -> None:
        self._now = now
        self._journal = Journal(now)
        self.context = given.context
        self.status = RequestStatus.SUBMITTED
        self.retrying = False
        self.states = [_pending(action) for action in given.plan if action.is_step]
        self.vouched: set[tuple[str, int]] = set()
        self.plan = {action.id: action for action in given.plan}
        self._fallback = [action for action in given.plan if action.fallback]
        self.decisions: dict[str, DecisionRecord] = {}
        self.escalation: Escalation | None = None
        self.failure: ActionFailure | None = None
        self._mirror_seq = 0
        self._mirror_at = ""
        self._undrained: dict[str, DecisionRecord] = {}
        self._told: dict[str, ActionState] = {}
        self._after: tuple[str, int] = ("", 0)

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        return self._journal.version

    @property
    def has_fallback(self) -> bool:
        """Tell whether there is a manual way that has not been taken yet."""
        return bool(self._fallback)

    def move(
        self,
        status: RequestStatus,
        *,
        actor: str = WORKFLOW,
        via: str = WORKFLOW,
        reason: str | None = None,
    ) -> None:
        """Take the request to another state, by the one table of transitions."""
        if not can_move(self.status, status):
            raise ValueError(f"a request cannot go from {self.status} to {status}")
        before, self.status = self.status, status
        self.retrying = False
        if status in {RequestStatus.IN_PROGRESS, RequestStatus.COMPLETED}:
            self.failure = None
        self._journal.line(
            f"request.{status}",
            actor=actor,
            via=via,
            reason=reason,
            data={"from": before, "to": status},
        )
        self._state_entry()

    def take_up(self, resumption: Resumption) -> None:
        """Go on, in ``failed``, from what the mirror knows of a request whose workflow is gone."""
        self.status = RequestStatus.FAILED
        self.stand_above(resumption.mirror_at, resumption.mirror_seq)
        known = {state.id: state for state in resumption.actions}
        if any(action.id in known for action in self._fallback):
            self._open_fallback()
        self.states = [known.get(state.id, state) for state in self.states]
        self.escalation = resumption.escalation
        self.failure = resumption.failure
        told = "request.resumed" if resumption.actor == RECONCILER else "request.failed"
        self._journal.line(told, actor=resumption.actor, reason=resumption.reason)
        self.log("warning", resumption.reason)

    def begin(self, state: ActionState) -> None:
        """Note that an action is about to be executed."""
        state.attempt += 1
        state.status = ActionStatus.IN_PROGRESS
        state.started_at = timestamp(self._now())
        state.finished_at = None
        state.error = None
        self._action_entry(state)
        self.log("info", f"{state.name}: attempt {state.attempt} starts", state)

    def succeed(self, state: ActionState, result: ActionResult) -> None:
        """Note what an action achieved."""
        state.status = ActionStatus.COMPLETED
        state.finished_at = timestamp(self._now())
        state.outputs = result.outputs
        state.external_reference = result.external_reference
        state.url = result.url
        state.cleanup = result.cleanup
        state.resource_type = result.resource_type
        state.adopted = result.adopted
        state.note = None
        state.waiting = None
        settle(state)
        how = "found an earlier effect and adopted it" if result.adopted else "succeeded"
        what = f": {result.external_reference}" if result.external_reference else ""
        self._journal.line("action.completed", action_id=state.id, data={"adopted": result.adopted})
        self._action_entry(state)
        self.log("info", f"{state.name} {how}{what}", state)

    def fail(self, state: ActionState, failure: ActionFailure) -> None:
        """Note why an action failed; what earlier attempts may have left stays known."""
        now = timestamp(self._now())
        failure = after_failure(state, failure, self.fields_of(state), now=now)
        state.status = ActionStatus.FAILED
        state.finished_at = now
        state.error = failure
        state.waiting = None
        self.failure = overall(self.states)
        left = [one.id or one.url or one.type for one in state.partial]
        self._journal.line(
            "action.failed",
            action_id=state.id,
            reason=failure.message,
            data={
                "attempt": state.attempt,
                "outcomeUnknown": failure.outcome_unknown,
                **({"left": left} if left else {}),
            },
        )
        self._action_entry(state)
        self.log("error", f"{state.name} failed: {failure.message}", state)

    def wait(self, state: ActionState, result: ActionResult, about: dict[str, Any]) -> None:
        """Note that an action's effect exists, and what it still waits for."""
        state.status = ActionStatus.WAITING
        state.outputs = result.outputs
        state.external_reference = result.external_reference
        state.url = result.url
        state.cleanup = result.cleanup
        state.resource_type = result.resource_type
        state.adopted = result.adopted
        state.waiting = about
        settle(state)
        fields = None if result.sent else self.fields_of(state)
        state.former = [FormerCall(state.attempt, sealed=result.sent, fields=fields)]
        self._journal.line("action.waiting", action_id=state.id, data={"kind": about["kind"]})
        self._action_entry(state)
        what = f" for {result.external_reference}" if result.external_reference else ""
        self.log("info", f"{state.name} waits{what} ({about['kind']})", state)

    def voted(self, record: DecisionRecord, action_id: str, about: dict[str, Any]) -> None:
        """Note a counted vote about a waiting action."""
        self.decided(record)
        self._journal.line(
            f"approval.{record.decision}",
            actor=record.by,
            via=record.via,
            reason=record.reason,
            action_id=action_id,
            data={"decisionId": record.decision_id},
        )
        self.counted(action_id, about)

    def counted(self, action_id: str, about: dict[str, Any]) -> None:
        """Show a waiting action with the votes that count."""
        for state in self.states:
            if state.id == action_id:
                state.waiting = about
                self._action_entry(state)

    def reminded(self, state: ActionState, about: dict[str, Any]) -> None:
        """Note that people were reminded of a waiting action."""
        state.waiting = about
        self.log("warning", f"{state.name} still waits for an approval", state)

    def skip(self, state: ActionState, reason: str) -> None:
        """Note that an action is not carried out, and why; what waits for it goes on."""
        state.status = ActionStatus.SKIPPED
        state.note = reason
        self._journal.line("action.skipped", action_id=state.id, reason=reason)
        self._action_entry(state)
        self.log("info", f"{state.name} is skipped: {reason}", state)

    def take_fallback(self) -> None:
        """Go on by the manual way: it takes the place of all that has not succeeded.

        What failed keeps its error: its effect may exist, and is listed for cleaning up.
        """
        for state in self.states:
            if state.status == ActionStatus.FAILED:
                told = state.error.message if state.error else "it failed"
                self.skip(state, f"The manual way is taken instead; it had failed: {told}")
            elif state.status == ActionStatus.PENDING:
                self.skip(state, "The manual way is taken instead.")
        self._open_fallback()
        self._journal.line("request.fallback")

    def fields_of(self, state: ActionState) -> dict[str, Any]:
        """Return the fields that an action's templates read now; passwords in them are sealed."""
        planned = self.plan.get(state.id)
        return self.context.for_action(planned.reads).fields if planned else {}

    def vouch(self, state: ActionState, record: DecisionRecord) -> None:
        """Note a human's word that an action has no effect in its target."""
        deny(state)
        self.vouched.add((state.id, state.attempt + 1))
        self._evidence(state, record, "A human says that it has no effect in its target")

    def complete_by_evidence(
        self, state: ActionState, record: DecisionRecord, result: ActionResult
    ) -> None:
        """Note a human's word that an action has taken effect, with what it made."""
        self._evidence(state, record, "A human says that it took effect")
        state.error = None
        self.succeed(state, replace(result, adopted=True))

    def _evidence(self, state: ActionState, record: DecisionRecord, told: str) -> None:
        self._journal.line(
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
        self.log("warning", f"{state.name}: {told}", state)

    def leave_behind(self, state: ActionState, place: str, found: PartialResource | None) -> None:
        """Note that a correction takes an action elsewhere, and what stays where it was."""
        leave_behind(state, place, found)
        names = [one.id or one.cleanup or one.type for one in state.left_behind]
        self._journal.line("action.left-behind", action_id=state.id, data={"place": place})
        self.log("warning", f"{state.name} leaves behind at {place}: {'; '.join(names)}", state)

    def _open_fallback(self) -> None:
        self.states += [_pending(action) for action in self._fallback]
        self._fallback = []

    def start_retry(self, record: DecisionRecord) -> None:
        """Note that a human had the failed action run again; the request stays ``failed``."""
        self.retrying = True
        self._journal.line(
            "request.retry",
            actor=record.by,
            via=record.via,
            reason=record.reason,
            data=_data(record),
        )
        self._state_entry()

    def cancelled(self, record: DecisionRecord) -> None:
        """Note that a human has what runs or waits end."""
        self.decided(record)
        self._journal.line(
            "request.cancel",
            actor=record.by,
            via=record.via,
            reason=record.reason,
            data=_data(record),
        )
        self.log("warning", f"What runs is cancelled, by {record.by}")

    def received(self, record: DecisionRecord) -> None:
        """Note a decision that has arrived and is not judged yet."""
        self._undrained[record.decision_id] = record
        self._journal.version += 1

    def decided(self, record: DecisionRecord) -> None:
        """Note a decision, or what became of it: readers of the stream are told that, once."""
        self.decisions[record.decision_id] = record
        self.received(record)
        if record.outcome == "open":
            return
        self._journal.entry(
            "decision",
            {
                "decision": record.decision,
                "by": record.by,
                "accepted": record.accepted,
                "outcome": record.outcome,
                "message": record.message,
            },
        )

    def recognised(self, record: DecisionRecord) -> None:
        """Take over what an earlier run has recorded; the mirror is told nothing of it."""
        self.decisions[record.decision_id] = record
        self._undrained.pop(record.decision_id, None)

    def stopped(self, message: str) -> None:
        """Note that the request fails between two actions, none of which failed itself."""
        self.failure = ActionFailure(code=ErrorCode.ACTION_FAILED, message=message)
        self.log("error", message)

    def refused(self, record: DecisionRecord) -> None:
        """Note a signal that changed nothing, and why."""
        record.outcome = "rejected"
        self.decided(record)
        self._journal.line(
            "decision.rejected",
            actor=record.by,
            via=record.via,
            reason=record.message,
            data={"decision": record.decision, "given": record.reason}
            | ({"code": record.code} if record.code else {}),
        )

    def escalation_failed(self, record: DecisionRecord, message: str) -> None:
        """Note that the escalation ticket could not be made; the request stays ``failed``."""
        self._journal.line(
            "escalation.failed", actor=record.by, via=record.via, reason=message, data=_data(record)
        )
        self.log("error", message)

    def has_tried(self, decision: str) -> bool:
        """Tell whether a decision of this kind was carried out before, without success."""
        return any(
            record.decision == decision and record.outcome == "failed"
            for record in self.decisions.values()
        )

    def log(
        self,
        level: str,
        message: str,
        state: ActionState | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Add a line to the request's execution log."""
        self._journal.entry(
            "log",
            {
                "level": level,
                "actionId": state.id if state else None,
                "attempt": state.attempt if state else None,
                "message": message,
                "data": data or {},
            },
        )

    def audit(self, event_type: str, *, actor: str, via: str, reason: str | None) -> None:
        """Add an audit line for something that changed no state."""
        self._journal.line(event_type, actor=actor, via=via, reason=reason)

    def error_context(self) -> dict[str, Any]:
        """Give the failure context of a request that failed, also after a human has ended it."""
        if self.failure is None:
            return {}
        return error_context(self.context, self.states, self.failure, manual_way=self.has_fallback)

    def details(self) -> str:
        """Describe for an operator, in Markdown, where the request stands."""
        return current_details(
            self.context,
            self.status,
            self.states,
            retrying=self.retrying,
            manual_way=self.has_fallback,
        )

    def report(self, component: str) -> ComponentReport:
        """Tell a bundle where the request, which is one of its components, stands."""
        return tell(
            component,
            self.context.request_id,
            self.states,
            status=self.status,
            retrying=self.retrying,
            place=(self._mirror_at, self._mirror_seq),
            error=error_summary(self.failure) if self.failure else None,
        )

    def snapshot(self, run_id: str) -> Snapshot:
        """Take the state, with all that the mirror has not confirmed yet.

        A request may have two hundred actions, of which a write changes one or two.
        """
        self._mirror_seq += 1
        # A server's clock may step back; the writes of one run must stay in order all the same.
        self._mirror_at = max(self._mirror_at, timestamp(self._now()))
        return replace(
            self.view(run_id),
            actions=[replace(one) for one in self.states if self._told.get(one.id) != one],
            decisions=[replace(record) for record in self._undrained.values()],
            audit=self._journal.open_lines(),
            stream=self._journal.open_entries(),
            after_at=self._after[0],
            after_seq=self._after[1],
        )

    def view(self, run_id: str) -> Snapshot:
        """Give the full state as it was last told, or stands now; changes nothing."""
        failure = self.failure
        return Snapshot(
            request_id=self.context.request_id,
            run_id=run_id,
            mirror_at=self._mirror_at,
            mirror_seq=self._mirror_seq,
            status=self.status,
            retrying=self.retrying,
            fields=self.context.fields,
            actions=[replace(state) for state in self.states],
            error=error_summary(failure) if failure else None,
            error_context=self.error_context() or None,
            escalation=self.escalation,
        )

    def stand_above(self, mirror_at: str, mirror_seq: int) -> None:
        """Have the next snapshot follow this pair of the mirror, whatever the clock says."""
        self._told.clear()
        mine = (self._mirror_at, self._mirror_seq)
        self._mirror_at, self._mirror_seq = max(mine, (mirror_at, mirror_seq))

    def tell_again(self) -> None:
        """Have the state written once more, though nothing has changed."""
        self._told.clear()
        self._journal.version += 1

    def inherit(self, stored: Sequence[ActionState]) -> None:
        """Take over what attempts of an earlier run may have left; the mirror has it already."""
        known = {one.id: one for one in stored}
        for state in self.states:
            if state.id not in known:
                continue
            taken = inherit(state, known[state.id])
            for name in INHERITED:
                setattr(state, name, getattr(taken, name))

    def tell_all(self, reason: str) -> None:
        """Have everything written again that this run knows: the mirror has lost some of it."""
        self.tell_again()
        self._undrained = {**self.decisions, **self._undrained}
        self._journal.line("request.restored", reason=reason)
        self._state_entry()

    def confirm(self, snapshot: Snapshot) -> None:
        """Forget what a snapshot has told the mirror; what came meanwhile stays."""
        self._journal.told(snapshot)
        self._after = (snapshot.mirror_at, snapshot.mirror_seq)
        self._told |= {one.id: one for one in snapshot.actions}
        told = {record.decision_id: record.outcome for record in snapshot.decisions}
        self._undrained = {
            key: record
            for key, record in self._undrained.items()
            if told.get(key) != record.outcome
        }

    def _state_entry(self) -> None:
        self._journal.entry("state", {"status": self.status, "retrying": self.retrying})

    def _action_entry(self, state: ActionState) -> None:
        self._journal.entry(
            "action",
            {
                "id": state.id,
                "status": state.status,
                "attempt": state.attempt,
                "externalReference": state.external_reference,
                "url": state.url,
                "error": error_summary(state.error) if state.error else None,
                "note": state.note,
                "waiting": (state.waiting or {}).get("kind"),
            },
        )


def _pending(action: PlannedAction) -> ActionState:
    return ActionState(id=action.id, index=action.index, type=action.type, name=action.name)


def _data(record: DecisionRecord) -> dict[str, Any]:
    data = {"decisionId": record.decision_id, "changes": masked(record.changes)}
    more = {"mode": record.mode, "details": record.details, "code": record.code}
    return {**data, **{key: value for key, value in more.items() if value}}
