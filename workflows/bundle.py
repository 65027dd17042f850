"""BundleWorkflow: several items as one request, each component a request and workflow of its own.

Components are started and heard in components.py; the bundle's record is bundle_ledger.py. All
else, the bundle's own actions included, is as for any request.
"""

from dataclasses import replace
from typing import Any, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pao.core import names
    from pao.core.payloads import (
        DecisionRecord,
        EscalationInput,
        RequestInput,
        RequestOutcome,
    )
    from pao.core.states import TERMINAL, ActionStatus, Decision, RequestStatus
    from workflows.bundle_ledger import BundleLedger, key_of
    from workflows.components import Components
    from workflows.decisions import Decider
    from workflows.open_decisions import OpenDecisions
    from workflows.request import RequestWorkflow


class BundleDecisions(OpenDecisions):
    """Judges decisions about a bundle: its components are retried on their own requests."""

    def _objection(self, record: DecisionRecord, changes: dict[str, Any]) -> str | None:
        ledger = cast("BundleLedger", self._ledger)
        objection = super()._objection(record, changes)
        if objection is not None:
            return objection
        if ledger.retrying:
            return "a component is being retried; wait for its outcome"
        if record.decision != Decision.RETRY:
            return None
        if ledger.has_broken():
            where = ", ".join(
                f"{state.name}: {ledger.request_of(state)}"
                for state in ledger.components
                if state.status == ActionStatus.FAILED
            )
            return f"a component is retried by its own request ({where}); the bundle then goes on"
        if changes and any(one.status != ActionStatus.COMPLETED for one in ledger.components):
            return "the components have their fields already; correct them on their own requests"
        return None


class BundleDecider(Decider):
    """Carries decisions about a bundle out: they go to every component that is open."""

    components: Components

    async def until_decided(self) -> None:
        """Wait until a human has decided about the bundle, or a component tells something."""
        while True:
            await self._until_called()
            if self._desk.current is None and not self._stop.is_cancelled:
                return
            record = self._desk.current or self._cancellation_as_abort()
            if await self._carry_out(record):
                return

    def _is_called(self) -> bool:
        return super()._is_called() or self.components.has_news

    async def _finish(self, status: RequestStatus, record: DecisionRecord) -> bool:
        await self.components.end_all(record)
        return await super()._finish(status, record)

    def _escalation_input(self, record: DecisionRecord) -> EscalationInput:
        ledger = cast("BundleLedger", self._ledger)
        given = super()._escalation_input(record)
        told = [
            {
                "id": key_of(state),
                "name": state.name,
                "item": ledger.action(state).config.get("catalogItem"),
                "requestId": ledger.request_of(state),
                "status": _status(ledger, key_of(state)),
                "resources": ledger.reports[key_of(state)].resources
                if key_of(state) in ledger.reports
                else [],
            }
            for state in ledger.components
        ]
        own = {state.id for state in ledger.own}
        return replace(
            given, components=told, actions=[one for one in given.actions if one.id in own]
        )


def _status(ledger: BundleLedger, key: str) -> str:
    report = ledger.reports.get(key)
    return str(report.status) if report else str(RequestStatus.SUBMITTED)


@workflow.defn(name=names.BUNDLE_WORKFLOW)
class BundleWorkflow(RequestWorkflow):
    """One submitted bundle: its components, then its own actions."""

    ledgers = BundleLedger
    desks = BundleDecisions
    deciders = BundleDecider

    @workflow.init
    def __init__(self, given: RequestInput) -> None:
        super().__init__(given)
        self._bundle = cast("BundleLedger", self._ledger)
        self._components = Components(
            given.plan, self._bundle, mirror=self._mirror, stop=self._stop, waits=given.waits
        )
        cast("BundleDecider", self._decider).components = self._components

    @workflow.run
    async def run(self, given: RequestInput) -> RequestOutcome:
        """Carry the bundle out; ends when it has reached a final state."""
        return await super().run(given)

    @workflow.signal(
        name=names.COMPONENT_SIGNAL,
        description="Sent by the bundle's components: where they stand.",
    )
    async def component_changed(self, *args: Any) -> None:
        """Take a component's report; whatever the arguments are, the workflow lives on."""
        if await self._components.hear(args):
            return
        self._ledger.audit(
            "signal.ignored",
            actor="unknown",
            via="temporal",
            reason=f"{names.COMPONENT_SIGNAL}: this is no report of a component",
        )
        await self._mirror.write_from_handler()

    async def _carry_out(self) -> None:
        waits = await self._wait_as_before()
        if waits:
            await self._components.learn()
        while True:
            if waits:
                # Taken up again, a bundle starts nothing before a human says so.
                if self._components.note():
                    self._explain()
                    await self._mirror.write()
            elif await self._run():
                return
            await self._decider.until_decided()
            if self._ledger.status in TERMINAL:
                return
            waits = waits and not self._ledger.retrying

    def _explain(self) -> None:
        """Say why a bundle that was taken up waits, when nothing of it is failed any more."""
        ledger, resumption = self._bundle, self._given.resumption
        if resumption is None or ledger.has_broken() or self._own_has_failed():
            return
        ledger.stopped(f"{resumption.reason} A retry goes on with the components that are left.")

    async def _run(self) -> bool:
        """Run what may run; tells whether the bundle is completed."""
        self._take_retry()
        await self._components.advance()
        if self._components.all_completed:
            if not self._own_has_failed():
                self._ledger.retrying = self._desk.current is not None
            return await self._runner.run()
        await self._fail()
        return False

    def _own_has_failed(self) -> bool:
        return any(one.status == ActionStatus.FAILED for one in self._bundle.own)

    def _take_retry(self) -> None:
        """End a retry that has no action of the bundle to repeat: its components go on."""
        if self._components.all_completed or self._desk.current is None:
            return
        self._desk.finish("done")
        self._ledger.retrying = False

    async def _fail(self) -> None:
        ledger = self._bundle
        ledger.judge_again()
        if ledger.failure is None:
            self._stop.take()
            ledger.stopped(self._stop.describe())
        self._stop.finish()
        if ledger.status == RequestStatus.FAILED and not ledger.retrying:
            await self._mirror.write()
            return
        if ledger.status == RequestStatus.SUBMITTED:
            ledger.move(RequestStatus.IN_PROGRESS)
        reason = ledger.failure.message if ledger.failure else None
        await self._settle(RequestStatus.FAILED, reason)
