"""What Temporal sees of a request: its signals, updates and queries, each handed to its part.

Temporal registers the handlers that a workflow's class has, so both kinds of request have this
class as their base; they share nothing else by inheritance (ADR 0036).
"""

from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from pao.core import names
    from pao.core.payloads.decisions import DecisionRecord, OutcomeQuery
    from pao.core.payloads.mirror import Snapshot
    from pao.core.payloads.requests import SettledRequest
    from pao.core.states import ApprovalVote, Decision, RequestStatus
    from workflows.lifecycle import Lifecycle

VOTE = (
    "Counts if PAO's API sent it, or if the operator allows approvals by Temporal signal. "
    "Payload: an object with actionId, by, teams, reason, decisionId"
)
PAYLOAD = "Payload, optional: an object with by, reason, decisionId, attempt"


class RequestHandlers:
    """The handlers of a request's workflow; whatever comes in, the workflow lives on."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle

    # Signals

    @workflow.signal(
        name=Decision.RETRY,
        description=f"Run the failed actions again. {PAYLOAD}, fields (corrected values), "
        "mode (manual or revise), acceptUsed, leaveBehind, evidence.",
    )
    async def retry(self, *args: Any) -> None:
        """Take a retry; whatever the arguments are, the workflow lives on."""
        await self._lifecycle.reception.decision(Decision.RETRY, args)

    @workflow.signal(name=Decision.ABORT, description=f"End the failed request. {PAYLOAD}.")
    async def abort(self, *args: Any) -> None:
        """Take an abort; whatever the arguments are, the workflow lives on."""
        await self._lifecycle.reception.decision(Decision.ABORT, args)

    @workflow.signal(
        name=Decision.ESCALATE,
        description=f"Hand the request over with a JIRA ticket, and end it. {PAYLOAD}.",
    )
    async def escalate(self, *args: Any) -> None:
        """Take an escalation; whatever the arguments are, the workflow lives on."""
        await self._lifecycle.reception.decision(Decision.ESCALATE, args)

    @workflow.signal(
        name=Decision.CANCEL,
        description="Cancel what is running or waiting; the request then fails and waits for a "
        f"decision. {PAYLOAD}.",
    )
    async def cancel(self, *args: Any) -> None:
        """Take a cancellation; whatever the arguments are, the workflow lives on."""
        await self._lifecycle.reception.cancellation(args)

    @workflow.signal(
        name=names.BUNDLE_DECISION_SIGNAL,
        description="Sent by a bundle that was aborted, escalated or cancelled to its components.",
    )
    async def bundle_decision(self, *args: Any) -> None:
        """Take what was decided about the bundle; whatever the arguments are, it lives on."""
        await self._lifecycle.reception.from_bundle(args)

    @workflow.signal(
        name=ApprovalVote.APPROVE,
        description=f"Approve an action that waits for it. {VOTE}.",
    )
    async def approve(self, *args: Any) -> None:
        """Take an approval; whatever the arguments are, the workflow lives on."""
        await self._lifecycle.reception.vote(ApprovalVote.APPROVE, args)

    @workflow.signal(
        name=ApprovalVote.REJECT,
        description=f"Reject an action that waits for an approval; it fails. {VOTE}.",
    )
    async def reject(self, *args: Any) -> None:
        """Take a rejection; whatever the arguments are, the workflow lives on."""
        await self._lifecycle.reception.vote(ApprovalVote.REJECT, args)

    @workflow.signal(
        name=names.TICKET_RESOLVED_SIGNAL,
        description="A ticket that the request waits for was resolved; sent by the status updater.",
    )
    async def ticket_resolved(self, *args: Any) -> None:
        """Take the news of a ticket's end; whatever the arguments are, the workflow lives on."""
        await self._lifecycle.reception.ticket_resolved(args)

    @workflow.signal(dynamic=True, description="Any other name is recorded and changes nothing.")
    async def unknown_signal(self, name: str, _args: Sequence[RawValue]) -> None:
        """Record a signal that does not exist."""
        await self._lifecycle.reception.unknown(name)

    # Updates and queries

    @workflow.update(
        name=names.SETTLED_UPDATE,
        description="Answers when the request has completed or failed for the first time.",
    )
    async def settled(self) -> SettledRequest:
        """Wait until the request has settled; the answer is frozen at the first settling."""
        return await self._lifecycle.first_settled()

    @workflow.update(
        name=names.MIRROR_AGAIN_UPDATE,
        description="Writes the present state to Postgres once more; for the reconciler.",
    )
    async def mirror_again(self) -> RequestStatus:
        """Write the state to Postgres though nothing has changed, and answer it."""
        return await self._lifecycle.mirror_again()

    @workflow.query(
        name=names.SNAPSHOT_QUERY,
        description="The state as Postgres should have it, also of a closed workflow.",
    )
    def snapshot(self) -> Snapshot:
        """Return the full state with all decisions; it changes nothing."""
        return self._lifecycle.snapshot()

    @workflow.update(
        name=names.DECISION_OUTCOME_UPDATE,
        description="Answers with the outcome of a decision, if it is known within the wait.",
    )
    async def decision_outcome(self, query: OutcomeQuery) -> DecisionRecord:
        """Wait for a decision's outcome; an open one is answered as it stands after the wait."""
        return await self._lifecycle.decision_outcome(query)
