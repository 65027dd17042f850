"""BundleWorkflow: several items as one request, each component a separate request and workflow.

Components are started and followed in components.py; the bundle's record is in bundle_ledger.py,
rules for its decisions are in bundle_decisions.py. Everything else, its own actions included,
works as in any request.
"""

from functools import partial
from typing import Any

from temporalio import workflow

from pao.core import names
from pao.core.payloads.requests import RequestInput, RequestOutcome
from pao.core.states import TERMINAL, ActionStatus, RequestStatus
from workflows.bundle_decisions import objection_to
from workflows.bundle_ledger import BundleLedger
from workflows.components import BundleComponents
from workflows.handlers import RequestHandlers
from workflows.lifecycle import RequestLifecycle
from workflows.mirror import Mirror
from workflows.open_decisions import OpenDecisions
from workflows.stopping import Stop


@workflow.defn(name=names.BUNDLE_WORKFLOW)
class BundleWorkflow(RequestHandlers):
    """One submitted bundle: its components, then its own actions."""

    @workflow.init
    def __init__(self, request_input: RequestInput) -> None:
        self._bundle = ledger = BundleLedger(request_input)
        open_decisions = OpenDecisions(ledger, extra_objection=partial(objection_to, ledger))
        mirror, stop = Mirror(ledger, open_decisions, request_input), Stop(ledger, open_decisions)
        self._components = BundleComponents(
            request_input.plan, ledger, mirror=mirror, stop=stop, waits=request_input.waits
        )
        super().__init__(
            RequestLifecycle(
                request_input,
                ledger,
                open_decisions=open_decisions,
                mirror=mirror,
                stop=stop,
                components=self._components,
            ),
            **{names.COMPONENT_SIGNAL: self._component_changed},
        )

    @workflow.run
    async def run(self, request_input: RequestInput) -> RequestOutcome:  # noqa: ARG002 -- __init__ has it
        """Run the bundle until it has reached a final state."""
        return await self._lifecycle.run(self._carry_out)

    async def _component_changed(self, args: tuple[Any, ...]) -> None:
        """Handle a component's report: where it stands."""
        if await self._components.receive_report(args):
            return
        signal = names.COMPONENT_SIGNAL
        self._bundle.decisions.record_ignored_signal(
            signal, event="signal.ignored", reason=f"{signal}: this is not a report of a component"
        )
        await self._lifecycle.mirror.write_from_handler()

    async def _carry_out(self) -> None:
        await self._run_until_ended()
        await self._components.wait_for_ends()

    async def _run_until_ended(self) -> None:
        waits = await self._lifecycle.resume()
        if waits:
            await self._components.read_all()
        while True:
            if waits:
                # A resumed bundle starts nothing before a person decides.
                if self._components.record_reports():
                    self._explain_wait()
                    await self._lifecycle.mirror.write()
            elif await self._run():
                return
            await self._lifecycle.decider.wait_until_decided()
            if self._bundle.status in TERMINAL:
                return
            waits = waits and not self._bundle.retrying

    def _explain_wait(self) -> None:
        """Record why a resumed bundle waits although none of its parts is failed now."""
        ledger, resumption = self._bundle, self._lifecycle.request_input.resumption
        if resumption is None or ledger.has_failed_component() or self._own_action_has_failed():
            return
        ledger.record_stop(f"{resumption.reason} A retry continues with the remaining components.")

    async def _run(self) -> bool:
        """Run everything ready to run; return whether the bundle is completed."""
        self._finish_retry()
        await self._components.advance()
        if self._components.all_completed:
            if not self._own_action_has_failed():
                self._bundle.retrying = self._lifecycle.open_decisions.current is not None
            return await self._lifecycle.runner.run()
        await self._fail()
        return False

    def _own_action_has_failed(self) -> bool:
        return any(one.status == ActionStatus.FAILED for one in self._bundle.own)

    def _finish_retry(self) -> None:
        """End a retry that repeats no action of the bundle itself: its components continue."""
        if self._components.all_completed or self._lifecycle.open_decisions.current is None:
            return
        self._lifecycle.open_decisions.finish("done")
        self._bundle.retrying = False

    async def _fail(self) -> None:
        ledger = self._bundle
        if ledger.status == RequestStatus.SUBMITTED:
            ledger.move(RequestStatus.IN_PROGRESS)
        ledger.update_failure()
        if ledger.failure is None:
            self._lifecycle.stop.accept_cancellation()
            ledger.record_stop(self._lifecycle.stop.describe())
        self._lifecycle.stop.finish()
        if ledger.status == RequestStatus.FAILED and not ledger.retrying:
            await self._lifecycle.mirror.write()
            return
        reason = ledger.failure.message if ledger.failure else None
        await self._lifecycle.settle(RequestStatus.FAILED, reason)
