"""A request's signals, updates and queries, each passed to the part that handles it.

Temporal registers the handlers of a workflow's class, so both kinds of request inherit from this
class; they share nothing else by inheritance (ADR 0036).
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

from pao.core import names
from pao.core.payloads.decisions import DecisionRecord, OutcomeQuery
from pao.core.payloads.mirror import Snapshot
from pao.core.payloads.requests import SettledRequest
from pao.core.states import ApprovalVote, Decision, RequestStatus
from workflows.lifecycle import RequestLifecycle

VOTE = (
    "Counts if PAO's API sent it, or if the operator allows approvals by Temporal signal. "
    "Payload: an object with actionId, by, teams, reason, decisionId"
)
PAYLOAD = "Payload, optional: an object with by, reason, decisionId, attempt"


InternalSignal = Callable[[tuple[Any, ...]], Awaitable[None]]
"""Handles the inputs of a signal that PAO sends to itself; bad ones never fail the workflow."""


class RequestHandlers:
    """The handlers of a request's workflow; bad arguments never fail the workflow."""

    def __init__(self, lifecycle: RequestLifecycle, **internal: InternalSignal) -> None:
        self._lifecycle = lifecycle
        self._internal_signals: dict[str, InternalSignal] = {
            # A bundle that was aborted, escalated or cancelled, to its components.
            names.BUNDLE_DECISION_SIGNAL: lifecycle.signals.from_bundle,
            # The status updater: a ticket that the request waits for was resolved.
            names.TICKET_RESOLVED_SIGNAL: lifecycle.signals.ticket_resolved,
            # The API: something left behind was cleaned up.
            names.CLEANUP_SIGNAL: lifecycle.signals.cleanup_done,
            **internal,
        }

    # Signals

    @workflow.signal(
        name=Decision.RETRY,
        description=f"Run the failed actions again. {PAYLOAD}, fields (corrected values), "
        "mode (manual or revise), acceptUsed, leaveBehind, evidence.",
    )
    async def retry(self, *args: Any) -> None:
        """Handle a retry; bad arguments never fail the workflow."""
        await self._lifecycle.signals.decision(Decision.RETRY, args)

    @workflow.signal(name=Decision.ABORT, description=f"End the failed request. {PAYLOAD}.")
    async def abort(self, *args: Any) -> None:
        """Handle an abort; bad arguments never fail the workflow."""
        await self._lifecycle.signals.decision(Decision.ABORT, args)

    @workflow.signal(
        name=Decision.ESCALATE,
        description=f"Hand the request over with a JIRA ticket, and end it. {PAYLOAD}.",
    )
    async def escalate(self, *args: Any) -> None:
        """Handle an escalation; bad arguments never fail the workflow."""
        await self._lifecycle.signals.decision(Decision.ESCALATE, args)

    @workflow.signal(
        name=Decision.CANCEL,
        description="Cancel what is running or waiting; the request then fails and waits for a "
        f"decision. {PAYLOAD}.",
    )
    async def cancel(self, *args: Any) -> None:
        """Handle a cancellation; bad arguments never fail the workflow."""
        await self._lifecycle.signals.cancellation(args)

    @workflow.signal(
        name=ApprovalVote.APPROVE,
        description=f"Approve an action that waits for it. {VOTE}.",
    )
    async def approve(self, *args: Any) -> None:
        """Handle an approval; bad arguments never fail the workflow."""
        await self._lifecycle.signals.vote(ApprovalVote.APPROVE, args)

    @workflow.signal(
        name=ApprovalVote.REJECT,
        description=f"Reject an action that waits for an approval; it fails. {VOTE}.",
    )
    async def reject(self, *args: Any) -> None:
        """Handle a rejection; bad arguments never fail the workflow."""
        await self._lifecycle.signals.vote(ApprovalVote.REJECT, args)

    @workflow.signal(
        dynamic=True,
        description="Do not use. Any other name is recorded and changes nothing.",
    )
    async def other_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Handle the signals that PAO sends to itself, and record any other.

        As declared signals they would be offered to operators in Temporal's UI.
        """
        handle = self._internal_signals.get(name)
        if handle is None:
            await self._lifecycle.signals.unknown(name)
            return
        payloads = [one.payload for one in args]
        await handle(tuple(workflow.payload_converter().from_payloads(payloads)))

    # Updates and queries

    @workflow.update(
        name=names.SETTLED_UPDATE,
        description="For PAO itself: answers when the request has first completed or failed.",
    )
    async def settled(self) -> SettledRequest:
        """Wait until the request has settled; later calls get the same answer."""
        return await self._lifecycle.wait_until_settled()

    @workflow.update(
        name=names.MIRROR_AGAIN_UPDATE,
        description="For PAO itself: writes the current state to Postgres again.",
    )
    async def mirror_again(self) -> RequestStatus:
        """Write the state to Postgres even if nothing has changed, and return it."""
        return await self._lifecycle.mirror_again()

    @workflow.query(
        name=names.SNAPSHOT_QUERY,
        description="The state as Postgres should have it, also of a closed workflow.",
    )
    def snapshot(self) -> Snapshot:
        """Return the full state with all decisions; read-only."""
        return self._lifecycle.snapshot()

    @workflow.update(
        name=names.DECISION_OUTCOME_UPDATE,
        description="For PAO itself: answers with the outcome of a decision, if known in time.",
    )
    async def decision_outcome(self, query: OutcomeQuery) -> DecisionRecord:
        """Wait for a decision's outcome; one still open after the wait is returned as it is."""
        return await self._lifecycle.decision_outcome(query)
