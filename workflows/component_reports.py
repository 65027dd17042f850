"""How a component reports its state to its bundle. The receiving side is components.py."""

import asyncio
import contextlib

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.components import ComponentReport, build_report
from pao.core.payloads.requests import BundleLink
from pao.core.states import RequestStatus
from workflows.ledger import Ledger
from workflows.mirror import MirroredStatus
from workflows.snapshots import Snapshots
from workflows.versions import FromNextSignal

# What the bundle knows without a report: it has started the component.
KNOWN_AT_START = frozenset({(RequestStatus.SUBMITTED, False), (RequestStatus.IN_PROGRESS, False)})


class ComponentReporter:
    """Reports every change of state to the bundle's workflow, after Postgres has it.

    A bundle that is gone gets no report: its next run reads the states of its components.
    """

    def __init__(self, ledger: Ledger, snapshots: Snapshots, bundle: BundleLink) -> None:
        self._ledger = ledger
        self._snapshots = snapshots
        self._bundle = bundle
        self._reported: MirroredStatus | None = None
        self._reports_written = FromNextSignal("report-what-is-written")
        self._lock = asyncio.Lock()

    async def report(self, mirrored: MirroredStatus) -> None:
        """Send what was written to Postgres, if the bundle does not know it."""
        async with self._lock:
            now = (self._ledger.status, self._ledger.retrying)
            # The request may have changed meanwhile; earlier versions reported the new state, which
            # the bundle did not find in Postgres.
            if mirrored != now and self._reports_written.reached():
                now = mirrored
            if now == self._reported or (self._reported is None and now in KNOWN_AT_START):
                return
            self._reported = now
            handle = workflow.get_external_workflow_handle(
                names.workflow_id(self._bundle.request_id)
            )
            with contextlib.suppress(FailureError):
                await handle.signal(names.COMPONENT_SIGNAL, self._build_report(now))

    def _build_report(self, mirrored: MirroredStatus) -> ComponentReport:
        ledger = self._ledger
        return build_report(
            self._bundle.component,
            ledger.context.request_id,
            ledger.states,
            status=mirrored[0],
            retrying=mirrored[1],
            position=self._snapshots.position,
            error=ledger.failure.public_document() if ledger.failure else None,
        )
