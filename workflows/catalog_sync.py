"""The one workflow that syncs the catalog: one sync at a time, until nothing is left to do."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from temporalio import workflow

from pao.core import names
from pao.core.payloads.catalog import PUSH, REFRESH, SyncInput, SyncReport, SyncRequest
from pao.core.payloads.catalog import SyncSignal as Signal
from workflows import policies
from workflows.maintenance import forget_earlier_runs

# A forge repeats deliveries that were not answered in time; older ones are not repeated.
_MAX_REMEMBERED = 1_000


@dataclass
class SyncState:
    """The state that a run of the workflow passes to the next when its history has grown long."""

    signals: list[Signal] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)


@workflow.defn(name=names.CATALOG_SYNC_WORKFLOW)
class CatalogSyncWorkflow:
    """Runs one sync at a time: signals meanwhile cause one more; the last state wins."""

    @workflow.init
    def __init__(self, carried: SyncState | None = None) -> None:
        carried = carried or SyncState()
        self._signals = list(carried.signals)
        self._requests: list[SyncRequest] = []
        self._deliveries = dict.fromkeys(carried.deliveries)
        self._superseded = dict.fromkeys(carried.superseded)
        self._signaled_at = self._now()
        self._started_runs = 0
        self._finished_runs = 0
        self._reports: dict[int, SyncReport] = {}
        self._waiting = 0

    @workflow.signal(name=names.LOOK_SIGNAL)
    def look(self, signal: Signal) -> None:
        """Request a look at the source; a repeated delivery changes nothing."""
        if signal.delivery and signal.delivery in self._deliveries:
            return
        if signal.delivery:
            _remember(self._deliveries, signal.delivery)
        self._signals.append(signal)
        self._signaled_at = self._now()

    @workflow.update(name=names.REFRESH_UPDATE)
    async def refresh(self, request: SyncRequest) -> SyncReport:
        """Look at the source again and return what has changed."""
        self._requests.append(request)
        self._waiting += 1
        run = self._started_runs + 1
        await workflow.wait_condition(lambda: self._finished_runs >= run)
        self._waiting -= 1
        report = self._reports[run]
        if not self._waiting:
            self._reports.clear()
        return report

    @workflow.run
    async def run(self, carried: SyncState | None = None) -> dict[str, int]:  # noqa: ARG002 -- read by __init__
        """Sync until nothing is left to do; return how often."""
        is_tidy = False
        while True:
            while self._has_work():
                await self._work()
                if workflow.info().is_continue_as_new_suggested() and not self._waiting:
                    workflow.continue_as_new(self._state())
            if not is_tidy:
                is_tidy = True
                await forget_earlier_runs()
            await workflow.wait_condition(
                lambda: self._has_work() or workflow.all_handlers_finished()
            )
            if not self._has_work():
                return {"runs": self._started_runs}

    async def _work(self) -> None:
        """Sync once, and again while a replica is late and nothing else arrives."""
        await self._wait_for_end_of_burst()
        sync_input = self._take_requests()
        report = await self._sync(sync_input)
        for seconds in policies.LATE_REPLICA:
            if not report.late:
                return
            with suppress(asyncio.TimeoutError):
                await workflow.wait_condition(self._has_work, timeout=seconds)
                return
            report = await self._sync(SyncInput(sync_input.reasons, sync_input.expects))

    async def _wait_for_end_of_burst(self) -> None:
        """Wait until a burst of pushes ends, lasts long enough, or a person asks for a sync."""
        limit = self._now() + policies.BURST_LONGEST
        while not self._requests and any(one.reason == PUSH for one in self._signals):
            left = min(self._signaled_at + policies.BURST_QUIET, limit) - self._now()
            if left <= 0:
                return
            with suppress(asyncio.TimeoutError):
                await workflow.wait_condition(lambda: bool(self._requests), timeout=left)

    def _take_requests(self) -> SyncInput:
        """Return the input of one sync for all that was requested so far."""
        signals, self._signals = self._signals, []
        requests, self._requests = self._requests, []
        pushes = [one for one in signals if one.reason == PUSH and one.commit]
        for one in pushes:
            if one.before:
                _remember(self._superseded, one.before)
        commits = [str(one.commit) for one in pushes if one.commit not in self._superseded]
        reasons = {one.reason: None for one in signals} | ({REFRESH: None} if requests else {})
        return SyncInput(
            list(reasons),
            commits[-1] if commits else None,
            any(one.force for one in requests),
            next((one.confirm for one in reversed(requests) if one.confirm), None),
        )

    async def _sync(self, sync_input: SyncInput) -> SyncReport:
        self._started_runs += 1
        report: SyncReport = await workflow.execute_activity(
            names.SYNC_CATALOG_ACTIVITY,
            sync_input,
            result_type=SyncReport,
            summary=f"read the catalog ({', '.join(sync_input.reasons)})",
            **policies.CATALOG_SYNC,
        )
        self._finished_runs = self._started_runs
        if self._waiting:
            self._reports[self._finished_runs] = report
        return report

    def _has_work(self) -> bool:
        return bool(self._signals or self._requests)

    def _state(self) -> SyncState:
        return SyncState(self._signals, list(self._deliveries), list(self._superseded))

    def _now(self) -> float:
        return workflow.time()


def _remember(known: dict[str, None], one: str) -> None:
    known[one] = None
    if len(known) > _MAX_REMEMBERED:
        known.pop(next(iter(known)))
