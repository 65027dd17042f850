"""Whether running actions must end: requested by the signal ``cancel`` or Temporal's own cancel.

Both mean the same: what runs or waits ends, nothing new starts, and the request is ``failed`` and
waits for the usual decision. Temporal accepts one cancellation per run and keeps it; once it was
carried out, only the signal can end what a retry runs.
"""

from temporalio import workflow

from pao.core.payloads.decisions import DecisionRecord
from pao.core.sentences import as_sentence
from pao.core.states import Decision, RequestStatus
from pao.core.timestamps import timestamp
from workflows.ledger import Ledger
from workflows.open_decisions import OpenDecisions
from workflows.runs import is_cancelled

CANCELLED = "The workflow was cancelled in Temporal."
NOTHING_RUNS = "there is nothing to cancel: nothing is running or waiting"
TOO_LATE = "the request completed before it could be cancelled"


class Stop:
    """A request to end running actions; ``record`` is the decision that is being carried out."""

    def __init__(self, ledger: Ledger, open_decisions: OpenDecisions) -> None:
        self.record: DecisionRecord | None = None
        self._ledger = ledger
        self._open_decisions = open_decisions
        self._is_cancellation_handled = False

    @property
    def is_requested(self) -> bool:
        """Return whether running actions must end."""
        return self.record is not None or self.is_cancelled

    @property
    def is_cancelled(self) -> bool:
        """Return whether Temporal's own cancellation came and is not carried out yet."""
        return is_cancelled() and not self._is_cancellation_handled

    @property
    def allows_start(self) -> bool:
        """Return whether anything new may start; the actions of a decided retry may."""
        return self.record is None and not (
            self.is_cancelled and self._open_decisions.current is None
        )

    def evaluate(self, record: DecisionRecord) -> None:
        """Accept a cancellation, or refuse it with the reason."""
        record.message = record.message or self._objection(record)
        if record.message:
            self._open_decisions.refuse(record)
            return
        self._accept(record)

    def accept_cancellation(self) -> bool:
        """Accept Temporal's cancellation like the signal; return whether running actions must end.

        Workflows cancelled under earlier versions let running actions end, and were aborted.
        """
        if self.record is None and self.is_cancelled and workflow.patched("cancel-ends-what-runs"):
            self._is_cancellation_handled = True
            record = DecisionRecord(
                decision_id=str(workflow.uuid4()),
                decision=Decision.CANCEL,
                at=timestamp(workflow.now()),
                by="temporal",
                reason=workflow.cancellation_reason() or None,
            )
            self._open_decisions.register(record)
            self._accept(record)
        return self.record is not None

    def finish(self, message: str | None = None) -> None:
        """Record that the running actions have ended."""
        record, self.record = self.record, None
        if record is not None:
            record.outcome = "done"
            record.message = message
            self._ledger.decisions.record(record)

    def describe(self) -> str:
        """Return who cancelled the request, and why."""
        if self.record is None:
            return CANCELLED
        text = f"Cancelled by {self.record.by}"
        if self.record.reason:
            text += f": {self.record.reason}"
        # Other details follow as a separate sentence.
        return as_sentence(text)

    def _accept(self, record: DecisionRecord) -> None:
        record.accepted = True
        self.record = record
        self._ledger.decisions.record_cancellation(record)

    def _objection(self, record: DecisionRecord) -> str | None:
        if self.record is not None:
            return "a cancellation is already in progress; wait for its outcome"
        if self._ledger.status == RequestStatus.IN_PROGRESS or self._ledger.retrying:
            return self._open_decisions.outdated_objection(record)
        return NOTHING_RUNS
