"""How a component reports its state to its bundle. The receiving side is components.py."""

import asyncio
import contextlib

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.components import ComponentReport, tell
from pao.core.payloads.requests import BundleLink
from pao.core.states import RequestStatus
from workflows.ledger import Ledger
from workflows.mirror import MirroredStatus
from workflows.snapshots import Snapshots
from workflows.versions import FromNextSignal

# What the bundle knows without being told: it has started the component.
BEGUN = frozenset({(RequestStatus.SUBMITTED, False), (RequestStatus.IN_PROGRESS, False)})


class ComponentReporter:
    """Reports every change of state to the bundle's workflow, after Postgres has it.

    A bundle that is gone gets no report: its next run reads the states of its components.
    """

    def __init__(self, ledger: Ledger, snapshots: Snapshots, bundle: BundleLink) -> None:
        self._ledger = ledger
        self._snapshots = snapshots
        self._bundle = bundle
        self._told: MirroredStatus | None = None
        self._written = FromNextSignal("report-what-is-written")
        self._lock = asyncio.Lock()

    async def tell(self, written: MirroredStatus) -> None:
        """Send what was written to Postgres, if the bundle does not know it."""
        async with self._lock:
            now = (self._ledger.status, self._ledger.retrying)
            # The request may have gone on meanwhile; earlier versions told that, and the bundle,
            # which reads Postgres, did not find it.
            if written != now and self._written.reached():
                now = written
            if now == self._told or (self._told is None and now in BEGUN):
                return
            self._told = now
            handle = workflow.get_external_workflow_handle(
                names.workflow_id(self._bundle.request_id)
            )
            with contextlib.suppress(FailureError):
                await handle.signal(names.COMPONENT_SIGNAL, self._report(now))

    def _report(self, standing: MirroredStatus) -> ComponentReport:
        ledger = self._ledger
        return tell(
            self._bundle.component,
            ledger.context.request_id,
            ledger.states,
            status=standing[0],
            retrying=standing[1],
            place=self._snapshots.place,
            error=ledger.failure.shown() if ledger.failure else None,
        )
