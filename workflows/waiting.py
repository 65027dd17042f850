"""What an action waits for after its effect was made: its target, a ticket's end, or people.

A wait for a ticket or people runs no activity and adds nothing to history; a signal ends it.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.documents import stored_value
from pao.core.errors import ErrorCode
from pao.core.failure_classes import CANCELLED
from pao.core.payloads.actions import ActionInput, ActionResult, ActionState, FollowInput
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.requests import WorkflowTimeouts
from pao.core.payloads.tickets import TicketResolved
from pao.core.payloads.waits import OpenApproval, OpenWait, Pending
from pao.core.states import ActionStatus, ApprovalVote, RequestStatus
from pao.core.timestamps import timestamp
from workflows import policies
from workflows.approvals import Approval, OpenApprovals
from workflows.failures import classify, unknown_outcome, was_never_begun, was_reported
from workflows.ledger import Ledger
from workflows.notifications import WAITS, Notices
from workflows.stopping import Stop


class WaitFailedError(Exception):
    """A wait ended with a failure of its action."""

    def __init__(self, failure: ActionFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class ActionWaits:
    """Waits for actions that are not done when their activity has ended."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        approvals: OpenApprovals,
        notices: Notices,
        stop: Stop,
        waits: WorkflowTimeouts,
    ) -> None:
        self._stop = stop
        self.has_news = False
        self._notices = notices
        self._ledger = ledger
        self._approvals = approvals
        self._waits = waits
        self._resolved: dict[str, TicketResolved] = {}

    async def until_done(
        self, state: ActionState, action_input: ActionInput, result: ActionResult
    ) -> ActionResult:
        """Return the final result; raises ``WaitFailedError``, or what ended a follow."""
        while result.pending is not None:
            pending = result.pending
            self._resolved.pop(state.id, None)
            if pending.kind == "approval":
                result = await self._wait_for_approval(state, result, pending)
            elif pending.kind == "resolution":
                result = await self._wait_for_ticket(state, result)
            else:
                result = await self._follow(state, action_input, result, pending)
        return result

    def ticket_resolved(self, resolved: TicketResolved) -> bool:
        """Record that a ticket is resolved; return whether its action waits for it."""
        for state in self._ledger.states:
            waiting = state.waits_for if state.status == ActionStatus.WAITING else None
            if state.id != resolved.action_id or waiting is None or waiting.kind != "resolution":
                continue
            # A repeated signal about an earlier wait does not concern this one.
            if resolved.since in (None, waiting.since):
                self._resolved[state.id] = resolved
                return True
        return False

    def _begin_wait(self, state: ActionState, result: ActionResult, waiting: OpenWait) -> None:
        self._ledger.wait(state, result, waiting)
        self.has_news = True
        if waiting.kind != "follow":
            self._notify(state, waiting, "waiting")

    def _notify(self, state: ActionState, waiting: OpenWait, event: str) -> None:
        approval = waiting if isinstance(waiting, OpenApproval) else None
        self._notices.send(
            WAITS,
            event=event,
            action=state.name,
            actionId=state.id,
            kind=waiting.kind,
            message=approval.message if approval else None,
            deadline=approval.deadline if approval else None,
            externalReference=state.external_reference,
            url=state.url,
        )

    async def _follow(
        self, state: ActionState, action_input: ActionInput, result: ActionResult, pending: Pending
    ) -> ActionResult:
        """Run the read-only wait; another worker continues it if one is lost."""
        self._begin_wait(state, result, OpenWait("follow", timestamp(workflow.now())))
        state.pending = pending
        follow_input = FollowInput(**{**action_input.__dict__, "pending": pending})
        handle = workflow.start_activity(
            names.FOLLOW_ACTIVITY,
            follow_input,
            result_type=ActionResult,
            summary=f"{action_input.action.name}: wait until its target is done",
            **policies.follow(self._waits, queue=workflow.info().task_queue),
        )
        await workflow.wait_condition(lambda: handle.done() or self._stop.is_requested)
        if not handle.done():
            # Before it ends, the activity asks the target to stop, by the type's cancel.
            handle.cancel()
        try:
            final: ActionResult = await handle
        except FailureError as error:
            if was_never_begun(error) and not self._stop.is_requested:
                # No worker took the wait; the effect it follows still exists.
                failed = replace(classify(error), outcome_unknown=True)
                raise WaitFailedError(failed) from error
            if not self._stop.is_requested:
                raise
            failure = classify(error)
            # One patch per attempt: a run may last for weeks.
            patch = f"stop-target-{state.id}-{state.attempt}"
            if not was_reported(error) and workflow.patched(patch):
                failure = await self._stop_target(follow_input)
            message = f"{self._stop.describe()} {failure.message}"
            raise WaitFailedError(replace(failure, message=message)) from error
        return final

    async def _stop_target(self, follow_input: FollowInput) -> ActionFailure:
        """Ask the target to stop, where the wait did not; return the failure of the wait."""
        try:
            await workflow.execute_activity(
                names.STOP_TARGET_ACTIVITY,
                follow_input,
                summary=f"{follow_input.action.name}: stop its target",
                **policies.STOP_TARGET,
            )
        except FailureError as error:
            if was_reported(error):
                return classify(error)
        return unknown_outcome(CANCELLED)

    async def _wait_for_ticket(self, state: ActionState, result: ActionResult) -> ActionResult:
        self._begin_wait(state, result, OpenWait("resolution", timestamp(workflow.now())))
        await workflow.wait_condition(lambda: state.id in self._resolved or self._stop.is_requested)
        resolved = self._resolved.pop(state.id, None)
        if resolved is None:
            raise self._stopped_error(f"the end of {state.external_reference}")
        if resolved.gone:
            raise _wait_error(
                f"Ticket {state.external_reference} no longer exists, or PAO may no longer see it. "
                "A retry looks for it and opens a new one if there is none; if it was deleted by "
                "mistake, restore it first.",
            )
        resolution = resolved.resolution or resolved.status or "resolved"
        if resolved.mapped_status == RequestStatus.FAILED:
            raise _wait_error(
                f"Ticket {state.external_reference} was resolved as {resolution}, so the work will "
                "not be done. Reopen it in JIRA and retry, or abort the request.",
                refused=True,
            )
        outputs = {"status": resolved.status, "resolution": resolved.resolution}
        return replace(result, pending=None, outputs={**result.outputs, **outputs})

    async def _wait_for_approval(
        self, state: ActionState, result: ActionResult, pending: Pending
    ) -> ActionResult:
        approval = self._approvals.open(state, pending.state, workflow.now())
        self._begin_wait(state, result, approval.to_open_approval())
        while approval.decision is None and not self._stop.is_requested:
            await self._wait_for_vote(state, approval)
        self._approvals.close(approval, _describe_end(approval))
        if approval.decision is None:
            raise self._stopped_error("an approval")
        if approval.decision == ApprovalVote.REJECT:
            raise _wait_error(_describe_end(approval), refused=True)
        return replace(result, pending=None, outputs=_approval_outputs(approval))

    def _stopped_error(self, awaited: str) -> WaitFailedError:
        return _wait_error(f"{self._stop.describe()} It was waiting for {awaited}.")

    async def _wait_for_vote(self, state: ActionState, approval: Approval) -> None:
        """Wait for the decision, or until a reminder or the deadline is due."""
        alarm: timedelta | None = approval.next_alarm(workflow.now())
        try:
            await workflow.wait_condition(
                lambda: approval.decision is not None or self._stop.is_requested,
                timeout=alarm,
                timeout_summary=f"{state.name}: reminder or deadline",
            )
        except TimeoutError:
            if approval.apply_due(workflow.now()):
                self._ledger.record_reminder(state, approval.to_open_approval())
                self._notify(state, approval.to_open_approval(), "reminder")
                self.has_news = True


def _describe_end(approval: Approval) -> str:
    if approval.decision is None:
        return "the wait was ended"
    last = approval.votes[-1]
    why = f": {last.reason}" if last.reason else ""
    verb = "approved" if approval.decision == ApprovalVote.APPROVE else "rejected"
    return f"It was {verb} by {last.by}{why}"


def _approval_outputs(approval: Approval) -> dict[str, Any]:
    last = approval.votes[-1]
    return {
        "approved": True,
        "by": last.by,
        "at": last.at,
        "reason": last.reason,
        "decisions": stored_value(approval.votes),
    }


def _wait_error(message: str, *, refused: bool = False) -> WaitFailedError:
    """Return the failure of a wait; what its action has made is listed where it is recorded."""
    return WaitFailedError(
        ActionFailure(code=ErrorCode.ACTION_FAILED, message=message, refused=refused)
    )
