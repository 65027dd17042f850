"""A bundle's components: started as child workflows in order, followed, and ended together.

What a report means for the bundle is in bundle_ledger.py.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError

from pao.core import names
from pao.core.components import (
    COMPONENT,
    BundleDecision,
    ComponentQuery,
    ComponentReport,
    ComponentStart,
    read_report,
)
from pao.core.graph import Graph
from pao.core.payloads.actions import ActionState
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import RequestInput, WorkflowTimeouts
from pao.core.search_attributes import search_attributes
from pao.core.states import ActionStatus, RequestStatus
from workflows import policies
from workflows.bundle_ledger import BundleLedger, key_of
from workflows.mirror import Mirror
from workflows.senders import prove
from workflows.stopping import Stop
from workflows.versions import FromNextSignal

T = TypeVar("T")
CANCELLED_BEFORE = "The bundle was cancelled before this component began."


class BundleComponents:
    """Starts components that are ready, and tracks the state of each."""

    def __init__(
        self,
        plan: Sequence[PlannedAction],
        ledger: BundleLedger,
        *,
        mirror: Mirror,
        stop: Stop,
        waits: WorkflowTimeouts,
    ) -> None:
        self._stop = stop
        self._stopped: set[str] = set()
        self._graph = Graph([action for action in plan if action.type == COMPONENT])
        self._ledger = ledger
        self._mirror = mirror
        self._waits = waits
        self._inbox: list[ComponentReport] = []
        self._reads_reported = FromNextSignal("read-told-components")
        self._keeps_overlapping = FromNextSignal("keep-overlapping-reads")
        self._watchers: set[asyncio.Task[Any]] = set()

    @property
    def has_news(self) -> bool:
        """Return whether there are reports to record."""
        return bool(self._inbox)

    @property
    def all_completed(self) -> bool:
        """Return whether every component is completed."""
        return all(one.status == ActionStatus.COMPLETED for one in self._ledger.components)

    @property
    def any_runs(self) -> bool:
        """Return whether a component runs."""
        return any(one.status == ActionStatus.IN_PROGRESS for one in self._ledger.components)

    async def wait_for_ends(self) -> None:
        """Wait a moment until the workflows of the components have closed.

        Each reports its end just before it closes. A bundle that closed meanwhile would have to
        repeat its last task for the news, which the server refuses to leave unread.
        """
        watchers = self._watchers
        if all(one.done() for one in watchers) or not workflow.patched("wait-for-component-ends"):
            return
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: all(one.done() for one in watchers), timeout=policies.COMPONENT_ENDS
            )

    # Reports

    async def receive_report(self, args: tuple[Any, ...]) -> bool:
        """Accept a report; return False if it is not one.

        Anyone may send one, so it only says which component to look up: its state is read from
        the mirror, which has it before the report is sent.
        """
        reads_reported = self._reads_reported.reached()
        report = read_report(args[0]) if len(args) == 1 else None
        state = self._find_component(report.component) if report is not None else None
        if report is None or (reads_reported and state is None):
            return False
        if not reads_reported or state is None:
            self._inbox.append(report)
            return True
        ledger = self._ledger
        query = ComponentQuery(ledger.context.request_id, ledger.request_of(state), key_of(state))
        await self._read(query, f"where {state.name} stands")
        return True

    def _find_component(self, component: str) -> ActionState | None:
        matches = (one for one in self._ledger.components if key_of(one) == component)
        return next(matches, None)

    def record_reports(self) -> bool:
        """Record the reports in the inbox; return whether any of them is new."""
        reports, self._inbox = self._inbox, []
        recorded = [self._ledger.record_report(report) for report in reports]
        return any(recorded)

    async def read_all(self) -> None:
        """Read the states of the components: this run missed reports that went to another run."""
        query = ComponentQuery(self._ledger.context.request_id, "", "")
        await self._read(query, "where the components stand")

    async def _read(self, query: ComponentQuery, summary: str) -> None:
        before = self._inbox
        reports = await self._execute(
            names.COMPONENTS_ACTIVITY, query, list[ComponentReport], summary
        )
        if self._inbox is not before and not self._keeps_overlapping.reached():
            # Earlier versions restored their first inbox, and lost what had arrived since.
            self._inbox = before
        self._inbox.extend(reports)

    # Running

    async def advance(self) -> None:
        """Start what is ready; return when nothing runs and nothing more can start."""
        while True:
            self.record_reports()
            self._show_retry()
            await self._start_ready()
            if not self.any_runs:
                return
            await self._mirror.write()
            await self._stop_running()
            await workflow.wait_condition(lambda: self.has_news or bool(self._to_stop()))

    def _to_stop(self) -> list[ActionState]:
        """Return the running components that were not asked to end yet."""
        if not self._stop.is_requested:
            self._stopped.clear()
            return []
        running = [one for one in self._ledger.components if one.status == ActionStatus.IN_PROGRESS]
        return [one for one in running if one.id not in self._stopped]

    async def _stop_running(self) -> None:
        """Ask the running components to end, each once."""
        due = self._to_stop()
        self._stopped |= {one.id for one in due}
        record = self._stop.record if due and self._stop.accept_cancellation() else None
        if record is not None:
            await asyncio.gather(*(self._send_decision(state, record) for state in due))

    def _show_retry(self) -> None:
        """Follow a component that continues: while it is retried, the bundle stays failed.

        If anything else runs meanwhile, the bundle is in progress.
        """
        ledger = self._ledger
        running = [one for one in ledger.components if one.status == ActionStatus.IN_PROGRESS]
        retried = [one for one in running if self._is_retried(one)]
        if ledger.status != RequestStatus.FAILED or not running:
            return
        if len(retried) < len(running):
            ledger.move(RequestStatus.IN_PROGRESS)
        elif not ledger.retrying:
            ledger.record_retry()

    def _is_retried(self, state: ActionState) -> bool:
        report = self._ledger.reports.get(key_of(state))
        return report is not None and report.retrying

    async def _start_ready(self) -> None:
        due = [] if self._stop.is_requested else self._graph.ready(self._ledger.components)
        if not due:
            return
        if self._ledger.status != RequestStatus.IN_PROGRESS:
            self._ledger.move(RequestStatus.IN_PROGRESS)
        for state in due:
            self._ledger.begin(state)
        await self._mirror.write()
        held = CANCELLED_BEFORE if self._stop.is_requested else None
        await asyncio.gather(*(self._start(state, held=held) for state in due))

    async def _start(self, state: ActionState, *, held: str | None = None) -> None:
        ledger = self._ledger
        query = ComponentQuery(
            bundle_id=ledger.context.request_id,
            request_id=ledger.request_of(state),
            component=key_of(state),
            components=ledger.context.components,
            held=held,
        )
        start = await self._execute(
            names.COMPONENT_ACTIVITY, query, ComponentStart, f"prepare {state.name}"
        )
        if start.report is not None:
            self._inbox.append(start.report)
        elif start.given is not None:
            start.given.waits = self._waits
            await self._start_child(state, start.given)

    async def _start_child(self, state: ActionState, request_input: RequestInput) -> None:
        context = request_input.context
        # One that already exists, after a reset of the bundle, reports its end like any other.
        with contextlib.suppress(WorkflowAlreadyStartedError):
            handle = await workflow.start_child_workflow(
                names.REQUEST_WORKFLOW,
                request_input,
                id=names.workflow_id(context.request_id),
                memo={"correlationId": context.correlation_id},
                search_attributes=search_attributes(context),
                static_summary=f"{state.name}: {context.summary}",
                **policies.CHILD,
            )
            self._watchers.add(asyncio.create_task(_wait_for_end(handle)))

    async def _execute(
        self, activity: str, query: ComponentQuery, kind: type[T], summary: str
    ) -> T:
        """Execute an activity that reads Postgres; wait while it is unavailable."""
        with contextlib.suppress(FailureError):
            quickly: T = await workflow.execute_local_activity(
                activity, query, result_type=kind, summary=summary, **policies.COMPONENT_QUICKLY
            )
            return quickly
        answer: T = await workflow.execute_activity(
            activity, query, result_type=kind, summary=summary, **policies.COMPONENT_UNTIL_DONE
        )
        return answer

    def describe(self) -> list[dict[str, Any]]:
        """Return the components as the escalation ticket of their bundle lists them."""
        ledger, reports = self._ledger, self._ledger.reports
        return [
            {
                "id": key,
                "name": state.name,
                "item": ledger.action(state).config.get("catalogItem"),
                "requestId": ledger.request_of(state),
                "status": str(reports[key].status if key in reports else RequestStatus.SUBMITTED),
                "resources": reports[key].resources if key in reports else [],
            }
            for state in ledger.components
            for key in (key_of(state),)
        ]

    # Ending

    async def end_all(self, record: DecisionRecord) -> None:
        """End every open component as was decided about the bundle; return when all have ended.

        A component in a retry accepts the decision when the retry has settled; one whose workflow
        is lost, when it is resumed.
        """
        sent_at: dict[str, tuple[str, int]] = {}
        while True:
            self.record_reports()
            components = self._ledger.components
            open_ones = [one for one in components if not self._ledger.is_terminal(one)]
            if not open_ones:
                return
            await self._mirror.write()
            for state in open_ones:
                await self._end_component(state, record, sent_at)
            await workflow.wait_condition(lambda: self.has_news)

    async def _end_component(
        self, state: ActionState, record: DecisionRecord, sent_at: dict[str, tuple[str, int]]
    ) -> None:
        report = self._ledger.reports.get(key_of(state))
        position = report.position if report else ("", 0)
        if sent_at.get(state.id) == position:
            return
        sent_at[state.id] = position
        if state.attempt == 0:
            reason = f"The bundle was ended before this component began, by {record.by}."
            self._ledger.begin(state)
            await self._start(state, held=reason)
        await self._send_decision(state, record)

    async def _send_decision(self, state: ActionState, record: DecisionRecord) -> None:
        """Send a component what was decided about the bundle."""
        handle = workflow.get_external_workflow_handle(
            names.workflow_id(self._ledger.request_of(state))
        )
        request_id, signal = self._ledger.request_of(state), names.BUNDLE_DECISION_SIGNAL
        payload = asdict(self._decision(record))
        if workflow.patched("prove-bundle-decisions"):
            payload = await prove(request_id, signal, payload)
        with contextlib.suppress(FailureError):
            await handle.signal(signal, payload)

    def _decision(self, record: DecisionRecord) -> BundleDecision:
        return BundleDecision(
            decision=record.decision,
            decision_id=record.decision_id,
            by=record.by,
            via=record.via,
            reason=record.reason,
            escalation=self._ledger.escalation,
        )


async def _wait_for_end(handle: workflow.ChildWorkflowHandle[Any, Any]) -> None:
    """Wait for the end of a child, which reports its result itself; a failure is ignored."""
    with contextlib.suppress(FailureError):
        await handle
