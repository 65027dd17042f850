"""RequestWorkflow: carries a stored plan out and waits for humans when an action fails.

Here stands what Temporal sees: the run, the signals, the updates. Deterministic code only, each
concern in a file of its own: the plan's graph in graph.py, running it in running.py, what humans
decide in deciding.py, signals in receiving.py, the mirror in mirroring.py, every timeout in
policies.py.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from pao.core import names
    from pao.core.components import COMPONENT
    from pao.core.payloads import (
        DecisionRecord,
        OutcomeQuery,
        RequestInput,
        RequestOutcome,
        SettledRequest,
        Snapshot,
        timestamp,
    )
    from pao.core.states import TERMINAL, ApprovalVote, Decision, RequestStatus
    from workflows import policies
    from workflows.approvals import OpenApprovals
    from workflows.component_reports import Reporter
    from workflows.decisions import Decider
    from workflows.graph import Graph
    from workflows.ledger import Ledger
    from workflows.mirror import Mirror, SupersededError
    from workflows.notifications import FAILED, Notices
    from workflows.open_decisions import OpenDecisions
    from workflows.plan_runner import PlanRunner
    from workflows.resumption import take_up
    from workflows.runs import is_reset
    from workflows.signal_handlers import SignalHandlers
    from workflows.stopping import Stop
    from workflows.waiting import Waiting

SUPERSEDED = "Another run of this request has gone further; this one ended without acting."
VOTE = (
    "Counts when PAO's API has sent it, or where the operator lets Temporal's signals count. "
    "Payload: an object with actionId, by, teams, reason, decisionId"
)
PAYLOAD = "Payload, optional: an object with by, reason, decisionId, attempt"


@workflow.defn(name=names.REQUEST_WORKFLOW)
class RequestWorkflow:
    """One submitted request, from its first action to its end."""

    # What a bundle's workflow has its own kinds of.
    ledgers: type[Ledger] = Ledger
    desks: type[OpenDecisions] = OpenDecisions
    deciders: type[Decider] = Decider

    @workflow.init
    def __init__(self, given: RequestInput) -> None:
        self._given = given
        self._settled: SettledRequest | None = None
        self._ended = False
        self._ledger = ledger = self.ledgers(given)
        self._desk = desk = self.desks(ledger)
        self._mirror = mirror = Mirror(ledger, desk, given)
        approvals = OpenApprovals(ledger, desk)
        self._stop = stop = Stop(ledger, desk)
        self._notices = Notices(given.plan, ledger, mirror)
        waiting = Waiting(
            ledger, approvals=approvals, notices=self._notices, stop=stop, waits=given.waits
        )
        self._reception = SignalHandlers(
            ledger, desk=desk, mirror=mirror, approvals=approvals, stop=stop, waiting=waiting
        )
        if given.bundle is not None:
            mirror.after = Reporter(ledger, given.bundle).tell
        had_others = is_reset() or given.resumption is not None
        self._decider = self.deciders(
            ledger,
            desk=desk,
            mirror=mirror,
            stop=stop,
            waits=given.waits,
            had_others=had_others,
            unchecked=given.resumption is not None and given.resumption.unchecked,
        )
        self._runner = PlanRunner(
            Graph([action for action in given.plan if action.type != COMPONENT]),
            ledger=ledger,
            desk=desk,
            mirror=mirror,
            stop=stop,
            waiting=waiting,
            waits=given.waits,
            had_others=had_others,
            settle=self._settle,
        )
        if given.resumption is not None:
            take_up(ledger, desk, given.resumption, at=workflow.now())

    # The run

    @workflow.run
    async def run(self, given: RequestInput) -> RequestOutcome:  # noqa: ARG002 -- __init__ has it
        """Carry the plan out; ends when the request has reached a final state."""
        work = asyncio.create_task(self._work())
        while not work.done():
            # The action in hand ends first; what a cancellation means is decided where it ends.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(work)
        return work.result()

    async def _work(self) -> RequestOutcome:
        try:
            await self._carry_out()
            await self._notices.finished()
            self._ended = True
            await self._mirror.drain()
        except SupersededError:
            self._ended = True
            await workflow.wait_condition(workflow.all_handlers_finished)
            return RequestOutcome(status=self._ledger.status, note=SUPERSEDED)
        return RequestOutcome(status=self._ledger.status)

    async def _carry_out(self) -> None:
        waiting = await self._wait_as_before()
        while waiting or not await self._runner.run():
            waiting = False
            await self._decider.until_decided()
            if self._ledger.status in TERMINAL:
                return

    async def _wait_as_before(self) -> bool:
        """Tell whether this run was started to wait where an earlier one is gone, and mirror it."""
        if self._given.resumption is None:
            return False
        await self._mirror.write()
        self._settled = SettledRequest(status=self._ledger.status, at=timestamp(workflow.now()))
        return True

    async def _settle(self, status: RequestStatus, reason: str | None) -> None:
        self._ledger.move(status, reason=reason)
        await self._mirror.write()
        if self._settled is None:
            self._settled = SettledRequest(status=status, at=timestamp(workflow.now()))
        if status == RequestStatus.FAILED:
            self._notices.send(FAILED, event="failed", message=reason)

    # Signals

    @workflow.signal(
        name=Decision.RETRY,
        description=f"Run what failed again. {PAYLOAD}, fields (corrected values), mode (manual or "
        "revise), acceptUsed, leaveBehind, evidence.",
    )
    async def retry(self, *args: Any) -> None:
        """Take a retry; whatever the arguments are, the workflow lives on."""
        await self._reception.decision(Decision.RETRY, args)

    @workflow.signal(name=Decision.ABORT, description=f"End the failed request. {PAYLOAD}.")
    async def abort(self, *args: Any) -> None:
        """Take an abort; whatever the arguments are, the workflow lives on."""
        await self._reception.decision(Decision.ABORT, args)

    @workflow.signal(
        name=Decision.ESCALATE, description=f"Hand over by a JIRA ticket and end. {PAYLOAD}."
    )
    async def escalate(self, *args: Any) -> None:
        """Take an escalation; whatever the arguments are, the workflow lives on."""
        await self._reception.decision(Decision.ESCALATE, args)

    @workflow.signal(
        name=Decision.CANCEL,
        description="End what runs or waits now; the request is failed, and waits for a decision. "
        f"{PAYLOAD}.",
    )
    async def cancel(self, *args: Any) -> None:
        """Take a cancellation; whatever the arguments are, the workflow lives on."""
        await self._reception.cancellation(args)

    @workflow.signal(
        name=names.BUNDLE_DECISION_SIGNAL,
        description="Sent by a bundle that was aborted, escalated or cancelled to its components.",
    )
    async def bundle_decision(self, *args: Any) -> None:
        """Take what was decided about the bundle; whatever the arguments are, it lives on."""
        await self._reception.from_bundle(args)

    @workflow.signal(
        name=ApprovalVote.APPROVE,
        description=f"Approve an action that waits for it. {VOTE}.",
    )
    async def approve(self, *args: Any) -> None:
        """Take an approval; whatever the arguments are, the workflow lives on."""
        await self._reception.vote(ApprovalVote.APPROVE, args)

    @workflow.signal(
        name=ApprovalVote.REJECT,
        description=f"Reject an action that waits for an approval; it fails. {VOTE}.",
    )
    async def reject(self, *args: Any) -> None:
        """Take a rejection; whatever the arguments are, the workflow lives on."""
        await self._reception.vote(ApprovalVote.REJECT, args)

    @workflow.signal(
        name=names.TICKET_RESOLVED_SIGNAL,
        description="A ticket that is waited for is resolved; sent by the status updater.",
    )
    async def ticket_resolved(self, *args: Any) -> None:
        """Take the news of a ticket's end; whatever the arguments are, the workflow lives on."""
        await self._reception.ticket_resolved(args)

    @workflow.signal(dynamic=True, description="Any other name is recorded and changes nothing.")
    async def unknown_signal(self, name: str, _args: Sequence[RawValue]) -> None:
        """Record a signal that does not exist."""
        await self._reception.unknown(name)

    # Updates and queries

    @workflow.update(
        name=names.SETTLED_UPDATE,
        description="Answers when the request has completed or failed for the first time.",
    )
    async def settled(self) -> SettledRequest:
        """Wait until the request has settled; the answer is frozen at the first settling."""
        await workflow.wait_condition(lambda: self._settled is not None or self._ended)
        if self._settled is None:
            raise ApplicationError(SUPERSEDED, type="Superseded", non_retryable=True)
        return self._settled

    @workflow.update(
        name=names.MIRROR_AGAIN_UPDATE,
        description="Writes the present state to Postgres once more; for the reconciler.",
    )
    async def mirror_again(self) -> RequestStatus:
        """Write the state to Postgres though nothing has changed, and answer it."""
        self._ledger.tell_again()
        await self._mirror.write_from_handler()
        return self._ledger.status

    @workflow.query(
        name=names.SNAPSHOT_QUERY,
        description="The state as Postgres should have it, also of a closed workflow.",
    )
    def snapshot(self) -> Snapshot:
        """Give the full state with all decisions; it changes nothing."""
        view = self._ledger.view(workflow.info().run_id)
        return replace(view, decisions=[*self._ledger.decisions.values()])

    @workflow.update(
        name=names.DECISION_OUTCOME_UPDATE,
        description="Answers what became of a decision, as far as it is known within the wait.",
    )
    async def decision_outcome(self, query: OutcomeQuery) -> DecisionRecord:
        """Wait for a decision's outcome; an open one is answered as it stands after the wait."""
        try:
            await workflow.wait_condition(
                lambda: self._ended or self._desk.answerable(query.decision_id),
                timeout=policies.outcome_wait(query.wait_seconds),
            )
        except TimeoutError:
            workflow.logger.info("a decision is still open", extra={"decision": query.decision_id})
        return self._desk.look_up(query.decision_id)
