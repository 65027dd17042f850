"""Receiving signals: whatever comes in is recorded, judged and mirrored; nothing is thrown."""

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pao.core.payloads import DecisionRecord, timestamp
    from pao.core.states import SETTLED, Decision, Verdict
    from workflows.approvals import ApprovalDesk
    from workflows.commands import read_bundle_decision, read_command, read_vote
    from workflows.desk import DecisionDesk
    from workflows.ledger import Ledger
    from workflows.mirroring import Mirror
    from workflows.waiting import Waiting


class Reception:
    """Takes what people and processes send to a request."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        desk: DecisionDesk,
        mirror: Mirror,
        approvals: ApprovalDesk,
        waiting: Waiting,
    ) -> None:
        self._ledger = ledger
        self._desk = desk
        self._mirror = mirror
        self._approvals = approvals
        self._waiting = waiting

    async def decision(self, kind: Decision, args: tuple[Any, ...]) -> None:
        """Take a decision about the request; returns when what became of it is mirrored."""
        record, changes = read_command(
            kind, args, at=timestamp(workflow.now()), fallback_id=str(workflow.uuid4())
        )
        if not self._is_new(record):
            return
        if self._ledger.status not in SETTLED or self._desk.current is not None:
            # Signals are handled before the activity results that came with them, so those are
            # let in first. A timer would do it, too, but a server takes up to a second for one.
            self._ledger.received(record)
            await self._mirror.write_from_handler()
        self._desk.judge(record, changes)
        await self._mirror.write_from_handler()

    async def from_bundle(self, args: tuple[Any, ...]) -> None:
        """Take a decision about the bundle as soon as the request takes one, or has ended."""
        command, ticket, problem = read_bundle_decision(args)
        kind = Decision(command.pop("decision")) if problem is None else Decision.ABORT
        record, _ = read_command(
            kind, (command,), at=timestamp(workflow.now()), fallback_id=str(workflow.uuid4())
        )
        record.message = problem or record.message
        if not self._is_new(record):
            return
        await workflow.wait_condition(self._may_be_decided)
        self._desk.ticket = ticket or self._desk.ticket
        self._desk.judge(record, {})
        await self._mirror.write_from_handler()

    def _may_be_decided(self) -> bool:
        return self._ledger.status in SETTLED and self._desk.current is None

    async def vote(self, kind: Verdict, args: tuple[Any, ...]) -> None:
        """Take what somebody decides about an approval; returns when it is mirrored."""
        record, voter = read_vote(
            kind, args, at=timestamp(workflow.now()), fallback_id=str(workflow.uuid4())
        )
        if not self._is_new(record):
            return
        self._approvals.judge(record, voter, workflow.now())
        await self._mirror.write_from_handler()

    def _is_new(self, record: DecisionRecord) -> bool:
        """Register what has arrived; tells whether it did not before: a repeat changes nothing."""
        known = self._desk.look_up(record.decision_id)
        if known.decision == record.decision:
            return False
        if known.decision:
            record.decision_id = str(workflow.uuid4())
            record.message = f"this decisionId stands for a {known.decision}; send another"
        self._desk.register(record)
        return True

    async def ticket_resolved(self, args: tuple[Any, ...]) -> None:
        """Take the status updater's news about a ticket that an action waits for."""
        told = args[0] if len(args) == 1 and isinstance(args[0], dict) else {}
        action_id = told.get("actionId")
        if isinstance(action_id, str) and self._waiting.ticket_resolved(action_id, told):
            return
        self._ledger.audit(
            "signal.ignored",
            actor="unknown",
            via="temporal",
            reason=f"ticket_resolved: no action {str(action_id)[:100]!r} waits for a ticket's end",
        )
        await self._mirror.write_from_handler()

    async def unknown(self, name: str) -> None:
        """Record a signal that does not exist."""
        self._ledger.audit(
            "signal.unknown",
            actor="unknown",
            via="temporal",
            reason=f"there is no signal {name[:100]!r}; there are retry, abort, escalate, "
            "approve and reject",
        )
        await self._mirror.write_from_handler()
