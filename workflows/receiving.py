"""Receiving signals: whatever comes in is recorded, judged and mirrored; nothing is thrown."""

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pao.core.payloads import timestamp
    from pao.core.states import SETTLED, Decision
    from workflows.commands import read_command
    from workflows.desk import DecisionDesk
    from workflows.ledger import Ledger
    from workflows.mirroring import Mirror


class Reception:
    """Takes what people and processes send to a request."""

    def __init__(self, ledger: Ledger, *, desk: DecisionDesk, mirror: Mirror) -> None:
        self._ledger = ledger
        self._desk = desk
        self._mirror = mirror

    async def decision(self, kind: Decision, args: tuple[Any, ...]) -> None:
        """Take a decision about the request; returns when what became of it is mirrored."""
        record, changes = read_command(
            kind, args, at=timestamp(workflow.now()), fallback_id=str(workflow.uuid4())
        )
        known = self._desk.look_up(record.decision_id)
        if known.decision == kind:
            return
        if known.decision:
            record.decision_id = str(workflow.uuid4())
            record.message = f"this decisionId stands for a {known.decision}; send another"
        self._desk.register(record)
        if self._ledger.status not in SETTLED or self._desk.current is not None:
            # Signals are handled before the activity results that came with them, so those are
            # let in first. A timer would do it, too, but a server takes up to a second for one.
            self._ledger.received(record)
            await self._mirror.write_from_handler()
        self._desk.judge(record, changes)
        await self._mirror.write_from_handler()

    async def unknown(self, name: str) -> None:
        """Record a signal that does not exist."""
        self._ledger.audit(
            "signal.unknown",
            actor="unknown",
            via="temporal",
            reason=f"there is no signal {name[:100]!r}; there are retry, abort and escalate",
        )
        await self._mirror.write_from_handler()
