"""Snapshots of a request for the mirror: their content, and what is confirmed so far."""

from collections.abc import Sequence
from dataclasses import replace

from pao.core.payloads.actions import ActionState
from pao.core.payloads.mirror import Snapshot
from pao.core.run_inheritance import INHERITED_FIELDS, inherit
from pao.core.timestamps import timestamp
from workflows.ledger import Ledger


class Snapshots:
    """Takes snapshots in an order that the mirror recognizes, even if the clock steps back."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._at, self._seq = "", 0
        self._after: tuple[str, int] = ("", 0)
        self._confirmed: dict[str, ActionState] = {}

    @property
    def position(self) -> tuple[str, int]:
        """The pair of the last snapshot, by which the mirror orders snapshots."""
        return (self._at, self._seq)

    def take(self, run_id: str) -> Snapshot:
        """Return a snapshot with everything that the mirror has not confirmed yet.

        A request may have two hundred actions, of which a write changes one or two.
        """
        ledger = self._ledger
        self._seq += 1
        # A server's clock may step back; the writes of one run must still stay in order.
        self._at = max(self._at, timestamp(ledger.now()))
        return replace(
            self.view(run_id),
            actions=[replace(one) for one in ledger.states if self._confirmed.get(one.id) != one],
            decisions=[replace(record) for record in ledger.decisions.unconfirmed],
            audit=ledger.journal.unconfirmed_lines(),
            stream=ledger.journal.unconfirmed_entries(),
            after_at=self._after[0],
            after_seq=self._after[1],
        )

    def view(self, run_id: str) -> Snapshot:
        """Return the full state as last written, or as it is now; changes nothing."""
        ledger = self._ledger
        return Snapshot(
            request_id=ledger.context.request_id,
            run_id=run_id,
            mirror_at=self._at,
            mirror_seq=self._seq,
            status=ledger.status,
            retrying=ledger.retrying,
            fields=ledger.context.fields,
            actions=[replace(state) for state in ledger.states],
            error=ledger.failure.public_document() if ledger.failure else None,
            error_context=ledger.error_context() or None,
            escalation=ledger.escalation,
        )

    def confirm(self, snapshot: Snapshot) -> None:
        """Drop what the snapshot has written to the mirror; later changes stay."""
        self._ledger.journal.confirm(snapshot)
        self._ledger.decisions.confirm(snapshot)
        self._after = (snapshot.mirror_at, snapshot.mirror_seq)
        self._confirmed |= {one.id: one for one in snapshot.actions}

    def continue_after(self, mirror_at: str, mirror_seq: int) -> None:
        """Order the next snapshot after this pair of the mirror, whatever the clock says."""
        self._confirmed.clear()
        self._at, self._seq = max(self.position, (mirror_at, mirror_seq))

    def resend(self) -> None:
        """Have the next snapshot repeat the state, even if nothing has changed."""
        self._confirmed.clear()
        self._ledger.journal.version += 1

    def resend_all(self, reason: str) -> None:
        """Have the next snapshot repeat everything: the mirror has lost some of it."""
        self.resend()
        self._ledger.decisions.resend_all()
        self._ledger.record_restore(reason)

    def inherit(self, stored: Sequence[ActionState]) -> None:
        """Adopt what attempts of an earlier run may have left; the mirror has it already."""
        by_id = {one.id: one for one in stored}
        for state in self._ledger.states:
            if state.id not in by_id:
                continue
            merged = inherit(state, by_id[state.id])
            for name in INHERITED_FIELDS:
                setattr(state, name, getattr(merged, name))
