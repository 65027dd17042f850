"""A request from start to end: the parts of its workflow, and how it ends.

Both kinds of request have one; each defines what it carries out, and in which order.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from pao.core.components import COMPONENT
from pao.core.graph import Graph
from pao.core.payloads.decisions import DecisionRecord, OutcomeQuery
from pao.core.payloads.mirror import Snapshot
from pao.core.payloads.requests import (
    CompletedState,
    RequestInput,
    RequestOutcome,
    SettledRequest,
)
from pao.core.states import RequestStatus
from pao.core.timestamps import timestamp
from workflows import policies
from workflows.approvals import OpenApprovals
from workflows.component_reports import ComponentReporter
from workflows.components import BundleComponents
from workflows.decisions import Decider
from workflows.ledger import Ledger
from workflows.mirror import Mirror, SupersededError
from workflows.notifications import FAILED, Notices
from workflows.open_decisions import OpenDecisions
from workflows.plan_runner import PlanRunner
from workflows.resumption import resume
from workflows.runs import is_reset
from workflows.signal_handlers import SignalHandlers
from workflows.stopping import Stop
from workflows.waiting import ActionWaits

# Each may have outputs, and an update's answer is a single payload.
MAX_ANSWERED_ACTIONS = 3
SUPERSEDED = "Another run of this request is ahead of this one, which ended without acting."


class RequestLifecycle:
    """Holds the parts of a running request; ``components`` are those of a bundle."""

    def __init__(  # noqa: PLR0913 -- what the kinds of request differ in, each named.
        self,
        request_input: RequestInput,
        ledger: Ledger,
        *,
        open_decisions: OpenDecisions,
        mirror: Mirror,
        stop: Stop,
        components: BundleComponents | None = None,
    ) -> None:
        self.request_input = request_input
        self.ledger = ledger
        self.open_decisions = open_decisions
        self.mirror = mirror
        self.stop = stop
        self._settled: SettledRequest | None = None
        self._ended = False
        approvals = OpenApprovals(ledger)
        self._notices = Notices(request_input.plan, ledger, mirror)
        waiting = ActionWaits(
            ledger, approvals=approvals, notices=self._notices, stop=stop, waits=request_input.waits
        )
        self.signals = SignalHandlers(
            ledger,
            open_decisions=open_decisions,
            mirror=mirror,
            approvals=approvals,
            stop=stop,
            waiting=waiting,
        )
        resumption = request_input.resumption
        had_others = is_reset() or (resumption is not None and not resumption.fresh)
        self.decider = Decider(
            ledger,
            open_decisions=open_decisions,
            mirror=mirror,
            stop=stop,
            waits=request_input.waits,
            had_others=had_others,
            unchecked=resumption is not None and resumption.unchecked,
            components=components,
        )
        self.runner = PlanRunner(
            Graph([action for action in request_input.plan if action.type != COMPONENT]),
            ledger=ledger,
            open_decisions=open_decisions,
            mirror=mirror,
            stop=stop,
            waiting=waiting,
            waits=request_input.waits,
            had_others=had_others,
            settle=self.settle,
        )
        if request_input.bundle is not None:
            mirror.after_write = ComponentReporter(
                ledger, mirror.snapshots, request_input.bundle
            ).report
        if resumption is not None:
            resume(ledger, open_decisions, snapshots=mirror.snapshots, resumption=resumption)

    async def run(self, carry_out: Callable[[], Awaitable[None]]) -> RequestOutcome:
        """Run the request until it has reached a final state."""
        work = asyncio.create_task(self._work(carry_out))
        while not work.done():
            # The running action ends first; the code that waits for it handles the cancellation.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(work)
        return work.result()

    async def _work(self, carry_out: Callable[[], Awaitable[None]]) -> RequestOutcome:
        try:
            await carry_out()
            await self._notices.wait_until_ended()
            self._ended = True
            await self.mirror.drain()
        except SupersededError:
            self._ended = True
            await workflow.wait_condition(workflow.all_handlers_finished)
            return RequestOutcome(status=self.ledger.status, note=SUPERSEDED)
        return RequestOutcome(status=self.ledger.status)

    async def resume(self) -> bool:
        """Return whether this run resumes a lost one and only waits; mirror it if so."""
        if self.request_input.resumption is None:
            return False
        await self.mirror.write()
        self._settled = SettledRequest(status=self.ledger.status, at=timestamp(workflow.now()))
        return True

    async def settle(self, status: RequestStatus, reason: str | None) -> None:
        """Move the request to a settled status, and let its caller be answered."""
        self.ledger.move(status, reason=reason)
        await self.mirror.write()
        if self._settled is None:
            at = timestamp(workflow.now())
            self._settled = SettledRequest(status=status, at=at, completed=self._completed_state())
        if status == RequestStatus.FAILED:
            self._notices.send(FAILED, event="failed", message=reason)

    def _completed_state(self) -> CompletedState | None:
        """Return what readers find now, for a completed request of few actions only."""
        ledger, at = self.ledger, self.mirror.updated_at
        more = (ledger.decisions.all, ledger.cleaned, self.request_input.resumption, is_reset())
        if ledger.status != RequestStatus.COMPLETED or at is None or any(more):
            return None
        if len(ledger.plan) > MAX_ANSWERED_ACTIONS or COMPONENT in {
            one.type for one in ledger.plan.values()
        }:
            return None
        view = self.mirror.snapshots.view(workflow.info().run_id)
        return CompletedState(
            run_id=view.run_id,
            mirror_at=view.mirror_at,
            mirror_seq=view.mirror_seq,
            updated_at=at,
            actions=view.actions,
        )

    async def wait_until_settled(self) -> SettledRequest:
        """Wait until the request has settled for the first time."""
        await workflow.wait_condition(lambda: self._settled is not None or self._ended)
        if self._settled is None:
            raise ApplicationError(SUPERSEDED)
        return self._settled

    async def mirror_again(self) -> RequestStatus:
        """Write the state to Postgres even if nothing has changed."""
        self.mirror.snapshots.resend()
        await self.mirror.write_from_handler()
        return self.ledger.status

    def snapshot(self) -> Snapshot:
        """Return the full state with all decisions."""
        view = self.mirror.snapshots.view(workflow.info().run_id)
        return replace(view, decisions=self.ledger.decisions.all)

    async def decision_outcome(self, query: OutcomeQuery) -> DecisionRecord:
        """Wait for a decision's outcome; one still open after the wait is returned as it is."""
        try:
            await workflow.wait_condition(
                lambda: self._ended or self.open_decisions.is_answerable(query.decision_id),
                timeout=policies.outcome_wait(query.wait_seconds),
            )
        except TimeoutError:
            workflow.logger.info("a decision is still open", extra={"decision": query.decision_id})
        return self.open_decisions.look_up(query.decision_id)
