"""The decisions about a request: which arrived, their outcomes, and what readers see."""

from typing import Any

from pao.core.names import masked
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.mirror import Snapshot
from workflows.journal import Journal

UNKNOWN, TEMPORAL = "unknown", "temporal"
MOST_SHOWN = 100


class DecisionLog:
    """Keeps decisions by their ids, and those that the mirror has not confirmed yet."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._records: dict[str, DecisionRecord] = {}
        self._unconfirmed: dict[str, DecisionRecord] = {}
        self.last_refusal: str | None = None
        """The last refusal, with reason and time, until a later decision is accepted."""

    @property
    def all(self) -> list[DecisionRecord]:
        """Every known decision, in order of arrival."""
        return list(self._records.values())

    @property
    def unconfirmed(self) -> list[DecisionRecord]:
        """The records that the mirror does not have yet."""
        return list(self._unconfirmed.values())

    def record_received(self, record: DecisionRecord) -> None:
        """Record a decision that has arrived and is not evaluated yet."""
        self._unconfirmed[record.decision_id] = record
        self._journal.version += 1

    def record(self, record: DecisionRecord) -> None:
        """Record a decision or its outcome; readers of the stream see it once."""
        self._records[record.decision_id] = record
        self.record_received(record)
        if record.accepted:
            self.last_refusal = None
        if record.outcome == "open":
            return
        self._journal.entry(
            "decision",
            {
                "decision": record.decision,
                "by": record.by,
                "accepted": record.accepted,
                "outcome": record.outcome,
                "message": record.message,
            },
        )

    def record_refusal(self, record: DecisionRecord) -> None:
        """Record a signal that changed nothing, and why."""
        record.outcome = "rejected"
        self.record(record)
        by = "" if record.by == UNKNOWN else f" by {_inline_text(record.by)}"
        self.last_refusal = f"`{record.decision}`{by}, {record.at}: {record.message}"
        self._journal.line(
            "decision.rejected",
            actor=record.by,
            via=record.via,
            reason=record.message,
            data={"decision": record.decision, "given": record.reason}
            | ({"code": record.code} if record.code else {}),
        )

    def record_ignored_signal(self, signal: str, *, event: str, reason: str) -> None:
        """Record a signal that is no decision and changed nothing, and why."""
        self.last_refusal = f"`{_inline_text(signal)}`, {self._journal.moment}: {reason}"
        self._journal.line(event, actor=UNKNOWN, via=TEMPORAL, reason=reason)

    def adopt(self, record: DecisionRecord) -> None:
        """Adopt a record of an earlier run; the mirror has it already."""
        self._records[record.decision_id] = record
        self._unconfirmed.pop(record.decision_id, None)

    def record_vote(self, record: DecisionRecord, action_id: str) -> None:
        """Record a counted vote about a waiting action."""
        self.record(record)
        self._journal.line(
            f"approval.{record.decision}",
            actor=record.by,
            via=record.via,
            reason=record.reason,
            action_id=action_id,
            data={"decisionId": record.decision_id},
        )

    def record_cancellation(self, record: DecisionRecord) -> None:
        """Record that a person ends what runs or waits."""
        self.record(record)
        self._journal.line(
            "request.cancel",
            actor=record.by,
            via=record.via,
            reason=record.reason,
            data=audit_data(record),
        )
        self._journal.log("warning", f"Cancelled by {record.by}")

    def record_failed_escalation(self, record: DecisionRecord, message: str) -> None:
        """Record that the escalation ticket could not be created; the request stays ``failed``."""
        self._journal.line(
            "escalation.failed",
            actor=record.by,
            via=record.via,
            reason=message,
            data=audit_data(record),
        )
        self._journal.log("error", message)

    def has_tried(self, decision: str) -> bool:
        """Return whether a decision of this kind was carried out before and failed."""
        return any(one.decision == decision and one.outcome == "failed" for one in self.all)

    def confirm(self, snapshot: Snapshot) -> None:
        """Drop what the snapshot has written to the mirror; later entries stay."""
        outcomes = {record.decision_id: record.outcome for record in snapshot.decisions}
        self._unconfirmed = {
            key: record
            for key, record in self._unconfirmed.items()
            if outcomes.get(key) != record.outcome
        }

    def resend_all(self) -> None:
        """Send every decision to the mirror again."""
        self._unconfirmed = {**self._records, **self._unconfirmed}


def _inline_text(text: str) -> str:
    """Return text from a signal for inline code in Markdown: one line, no backticks."""
    return " ".join(text[:MOST_SHOWN].replace("`", "'").split())


def audit_data(record: DecisionRecord) -> dict[str, Any]:
    """Return the data of a decision's audit line besides who, when and why."""
    data = {"decisionId": record.decision_id, "changes": masked(record.changes)}
    more = {"mode": record.mode, "details": record.details}
    return {**data, **{key: value for key, value in more.items() if value}}
