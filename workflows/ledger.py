"""The workflow's own record of a request: its state, and what the mirror has still to learn."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from temporalio import workflow

from pao.core.errors import ErrorCode
from pao.core.names import masked
from pao.core.payloads import (
    ActionFailure,
    ActionResult,
    ActionState,
    AuditEvent,
    DecisionRecord,
    Escalation,
    RequestInput,
    Resumption,
    Snapshot,
    StreamEvent,
    timestamp,
)
from pao.core.states import ActionStatus, RequestStatus, can_move
from workflows.failures import error_context, error_summary

WORKFLOW = "workflow"
RECONCILER = "reconciler"


class Ledger:
    """Keeps a request's state; every change leaves an audit line, a stream entry, or both.

    ``version`` grows with every change, so that a reader can tell whether a snapshot taken earlier
    still says everything.
    """

    def __init__(self, given: RequestInput, *, now: Callable[[], datetime] = workflow.now) -> None:
        self._now = now
        self.context = given.context
        self.status = RequestStatus.SUBMITTED
        self.retrying = False
        self.states = [
            ActionState(id=action.id, index=action.index, type=action.type, name=action.name)
            for action in given.plan
        ]
        self.decisions: dict[str, DecisionRecord] = {}
        self.escalation: Escalation | None = None
        self.failure: ActionFailure | None = None
        self.version = 0
        self._seq = 0
        self._mirror_seq = 0
        self._mirror_at = ""
        self._audit: list[AuditEvent] = []
        self._stream: list[StreamEvent] = []
        self._undrained: dict[str, DecisionRecord] = {}
        self._said: Counter[str] = Counter()

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        """The outputs of the actions that have succeeded, by action id."""
        return {state.id: state.outputs for state in self.states if state.outputs is not None}

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
        self._audit_line(
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
        self.states = [known.get(state.id, state) for state in self.states]
        self.escalation = resumption.escalation
        self.failure = resumption.failure
        self._audit_line("request.resumed", actor=RECONCILER, reason=resumption.reason)
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
        self.failure = None
        how = "found an earlier effect and adopted it" if result.adopted else "succeeded"
        what = f": {result.external_reference}" if result.external_reference else ""
        self._audit_line("action.completed", action_id=state.id, data={"adopted": result.adopted})
        self._action_entry(state)
        self.log("info", f"{state.name} {how}{what}", state)

    def fail(self, state: ActionState, failure: ActionFailure) -> None:
        """Note why an action failed."""
        state.status = ActionStatus.FAILED
        state.finished_at = timestamp(self._now())
        state.error = failure
        self.failure = failure
        self._audit_line(
            "action.failed",
            action_id=state.id,
            reason=failure.message,
            data={"attempt": state.attempt, "outcomeUnknown": failure.outcome_unknown},
        )
        self._action_entry(state)
        self.log("error", f"{state.name} failed: {failure.message}", state)

    def start_retry(self, record: DecisionRecord) -> None:
        """Note that a human had the failed action run again; the request stays ``failed``."""
        self.retrying = True
        self._audit_line(
            "request.retry",
            actor=record.by,
            via=record.via,
            reason=record.reason,
            data=_data(record),
        )
        self._state_entry()

    def received(self, record: DecisionRecord) -> None:
        """Note a decision that has arrived and is not judged yet."""
        self._undrained[record.decision_id] = record
        self.version += 1

    def decided(self, record: DecisionRecord) -> None:
        """Note a decision, or what became of it."""
        self.decisions[record.decision_id] = record
        self._undrained[record.decision_id] = record
        self._entry(
            "decision",
            {
                "decision": record.decision,
                "by": record.by,
                "accepted": record.accepted,
                "outcome": record.outcome,
                "message": record.message,
            },
        )

    def stopped(self, message: str) -> None:
        """Note that the request fails between two actions, none of which failed itself."""
        self.failure = ActionFailure(code=ErrorCode.ACTION_FAILED, message=message)
        self.log("error", message)

    def refused(self, record: DecisionRecord) -> None:
        """Note a signal that changed nothing, and why."""
        record.outcome = "rejected"
        self.decided(record)
        self._audit_line(
            "decision.rejected",
            actor=record.by,
            via=record.via,
            reason=record.message,
            data={"decision": record.decision, "given": record.reason},
        )

    def escalation_failed(self, record: DecisionRecord, message: str) -> None:
        """Note that the escalation ticket could not be made; the request stays ``failed``."""
        self._audit_line(
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
        self._entry(
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
        self._audit_line(event_type, actor=actor, via=via, reason=reason)

    def error_context(self) -> dict[str, Any]:
        """Give the failure context of a request that failed, also after a human has ended it."""
        if self.failure is None:
            return {}
        return error_context(self.context, self.states, self.failure)

    def snapshot(self, run_id: str) -> Snapshot:
        """Take the full state, with all that the mirror has not confirmed yet."""
        self._mirror_seq += 1
        # A server's clock may step back; the writes of one run must stay in order all the same.
        self._mirror_at = max(self._mirror_at, timestamp(self._now()))
        return replace(
            self.view(run_id),
            decisions=[replace(record) for record in self._undrained.values()],
            audit=list(self._audit),
            stream=list(self._stream),
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
        mine = (self._mirror_at, self._mirror_seq)
        self._mirror_at, self._mirror_seq = max(mine, (mirror_at, mirror_seq))

    def tell_again(self) -> None:
        """Have the state written once more, though nothing has changed."""
        self.version += 1

    def confirm(self, snapshot: Snapshot) -> None:
        """Forget what a snapshot has told the mirror; what came meanwhile stays."""
        told_lines = [line.seq for line in snapshot.audit]
        told_entries = [entry.seq for entry in snapshot.stream]
        last = max(told_lines + told_entries, default=0)
        self._audit = [entry for entry in self._audit if entry.seq > last]
        self._stream = [entry for entry in self._stream if entry.seq > last]
        told = {record.decision_id: record.outcome for record in snapshot.decisions}
        self._undrained = {
            key: record
            for key, record in self._undrained.items()
            if told.get(key) != record.outcome
        }

    def _audit_line(  # noqa: PLR0913 -- an audit line has this many parts, all named.
        self,
        event_type: str,
        *,
        actor: str = WORKFLOW,
        via: str = WORKFLOW,
        reason: str | None = None,
        action_id: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        self.version += 1
        self._audit.append(
            AuditEvent(
                seq=self._next(),
                at=timestamp(self._now()),
                event_type=event_type,
                actor=actor,
                via=via,
                reason=reason,
                action_id=action_id,
                data=data or {},
                occurrence=self._occurrence(event_type, actor, via, reason, action_id, data),
            )
        )

    def _state_entry(self) -> None:
        self._entry("state", {"status": self.status, "retrying": self.retrying})

    def _action_entry(self, state: ActionState) -> None:
        self._entry(
            "action",
            {
                "id": state.id,
                "status": state.status,
                "attempt": state.attempt,
                "externalReference": state.external_reference,
                "url": state.url,
                "error": error_summary(state.error) if state.error else None,
            },
        )

    def _entry(self, kind: str, data: dict[str, Any]) -> None:
        self.version += 1
        at = timestamp(self._now())
        occurrence = self._occurrence(kind, data)
        self._stream.append(
            StreamEvent(seq=self._next(), at=at, kind=kind, data=data, occurrence=occurrence)
        )

    def _occurrence(self, *said: Any) -> int:
        """Count how often this run has said the very same before.

        A workflow task that is run again may tell things in another order, so that a number alone
        does not say which line of the mirror is meant.
        """
        what = json.dumps(said, sort_keys=True, default=str)
        self._said[what] += 1
        return self._said[what] - 1

    def _next(self) -> int:
        self._seq += 1
        return self._seq


def _data(record: DecisionRecord) -> dict[str, Any]:
    return {"decisionId": record.decision_id, "changes": masked(record.changes)}
