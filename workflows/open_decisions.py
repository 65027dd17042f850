"""Incoming decisions: one is carried out at a time, the others are refused."""

from collections.abc import Callable
from typing import Any

from temporalio import workflow

from pao.core.correction_checks import MANUAL, NO_MANUAL_WAY, outdated_message
from pao.core.names import MAX_ATTEMPTS
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.tickets import Escalation
from pao.core.resources import attempt_of
from pao.core.states import SETTLED, Decision, RequestStatus, describe_allowed
from workflows.commands import unsealed_passwords
from workflows.ledger import Ledger

Objection = Callable[[DecisionRecord, dict[str, Any]], str | None]

BUSY = "another decision is being carried out; wait for its outcome"
RETRIED = "a retry is still waiting for what it has begun; cancel it to decide anew"


class OpenDecisions:
    """Accepts or refuses decisions by the request's state, and remembers the outcome of each.

    ``ticket`` is the one that its bundle was escalated with, if it was; ``extra_objection`` may
    refuse what the state of the request allows.
    """

    def __init__(self, ledger: Ledger, *, extra_objection: Objection | None = None) -> None:
        self._extra_objection = extra_objection
        self._ledger = ledger
        self._records: dict[str, DecisionRecord] = {}
        self._mirrored: set[str] = set()
        self.current: DecisionRecord | None = None
        self.ticket: Escalation | None = None
        self.changes: dict[str, Any] = {}

    def is_decidable(self) -> bool:
        """Return whether the request has settled, and no decision is being carried out.

        A retry whose decision has been closed may still wait, for people or for a target.
        """
        return self._ledger.status in SETTLED and self.current is None

    def register(self, record: DecisionRecord) -> None:
        """Remember a decision that has arrived but is not evaluated yet."""
        self._records[record.decision_id] = record

    def evaluate(self, record: DecisionRecord, changes: dict[str, Any]) -> None:
        """Accept a decision as the current one, or refuse it with the reason."""
        record.message = record.message or self._objection(record, changes)
        if record.message is None and self._extra_objection is not None:
            record.message = self._extra_objection(record, changes)
        # Earlier versions accepted it, and it was never carried out.
        waits = record.message is None and self._ledger.retrying
        if waits and workflow.patched(retry_refusal_patch(record)):
            record.message = RETRIED
        if record.message:
            self.refuse(record)
            return
        record.accepted = True
        self.current = record
        self.changes = changes
        self._ledger.decisions.record(record)

    def refuse(self, record: DecisionRecord) -> None:
        """Refuse a decision; one that an earlier run had accepted has failed instead."""
        if record.accepted:
            record.outcome = "failed"
            self._ledger.decisions.record(record)
        else:
            self._ledger.decisions.record_refusal(record)

    def adopt_closed(self, record: DecisionRecord) -> None:
        """Adopt a decision that an earlier run has closed: a reset replays it."""
        self._records[record.decision_id] = record
        self._mirrored.add(record.decision_id)
        self._ledger.decisions.adopt(record)

    def finish(self, outcome: str, message: str | None = None, *, code: str | None = None) -> None:
        """Close the current decision, if there is one: ``done``, ``failed`` or ``rejected``."""
        record = self.current
        if record is None:
            return
        self.current = None
        self.changes = {}
        record.outcome = outcome
        record.message = message
        record.code = code
        if outcome == "rejected":
            record.accepted = False
            self._ledger.decisions.record_refusal(record)
            return
        self._ledger.decisions.record(record)

    def adopt(self, record: DecisionRecord, *, gone: str) -> None:
        """Adopt what an earlier run recorded; open decisions end, for the reason ``gone``."""
        self.register(record)
        if record.outcome != "open":
            self._mirrored.add(record.decision_id)
            return
        record.message = gone
        record.outcome = "failed" if record.accepted else "rejected"
        self._ledger.decisions.record(record)

    def mark_mirrored(self, mirrored: list[DecisionRecord]) -> None:
        """Record which outcomes Postgres has; callers get only these."""
        self._mirrored |= {record.decision_id for record in mirrored if record.outcome != "open"}

    def is_answerable(self, decision_id: str) -> bool:
        """Return whether the outcome of this decision is known and mirrored."""
        return decision_id in self._mirrored

    def look_up(self, decision_id: str) -> DecisionRecord:
        """Return what is known of a decision; if it never arrived, its outcome is ``unknown``."""
        unknown = DecisionRecord(decision_id=decision_id, decision="", at="", outcome="unknown")
        return self._records.get(decision_id, unknown)

    def _objection(self, record: DecisionRecord, changes: dict[str, Any]) -> str | None:
        ledger = self._ledger
        if self.current is not None:
            return BUSY
        if ledger.status != RequestStatus.FAILED:
            allowed = describe_allowed(ledger.status)
            return f"{record.decision} is not possible while {ledger.status}; possible: {allowed}"
        objection = self.outdated_objection(record)
        if objection or record.decision != Decision.RETRY:
            return objection
        return self._objection_to_retry(record, changes)

    def outdated_objection(self, record: DecisionRecord) -> str | None:
        """Return an objection if a decision was made about another attempt than the current one."""
        return outdated_message(record.decision, record.attempt, attempt_of(self._ledger.states))

    def _objection_to_retry(self, record: DecisionRecord, changes: dict[str, Any]) -> str | None:
        ledger = self._ledger
        if any(state.attempt + 1 >= MAX_ATTEMPTS for state in ledger.states):
            return f"no action gets a {MAX_ATTEMPTS}th attempt; abort or escalate"
        if record.mode == MANUAL and not ledger.has_fallback:
            return NO_MANUAL_WAY
        unsealed = unsealed_passwords(ledger.context.item.definition, changes)
        if unsealed:
            return f"{', '.join(unsealed)}: a password must not be sent in clear; use the API"
        return None


def retry_refusal_patch(record: DecisionRecord) -> str:
    """Return the patch name of one decision: a run may last for weeks, and cross versions."""
    return f"refuse-while-retried-{record.decision_id}"
