"""Events that Postgres has not confirmed yet: audit lines and entries of the stream."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pao.core.payloads.actions import ActionState
from pao.core.payloads.mirror import AuditEvent, Snapshot, StreamEvent
from pao.core.timestamps import timestamp

WORKFLOW = "workflow"


class Journal:
    """Numbers events and keeps them until they are confirmed.

    ``version`` grows with every change, which shows whether an earlier snapshot is still complete.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.version = 0
        self._now = now
        self._seq = 0
        self._audit: list[AuditEvent] = []
        self._stream: list[StreamEvent] = []
        self._occurrences: Counter[str] = Counter()

    @property
    def moment(self) -> str:
        """The current time as it is written on events."""
        return timestamp(self._now())

    def line(  # noqa: PLR0913 -- an audit line has this many parts, all named.
        self,
        event_type: str,
        *,
        actor: str = WORKFLOW,
        via: str = WORKFLOW,
        reason: str | None = None,
        action_id: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Add a line to the audit trail."""
        self.version += 1
        self._audit.append(
            AuditEvent(
                seq=self._next_seq(),
                at=timestamp(self._now()),
                event_type=event_type,
                actor=actor,
                via=via,
                reason=reason,
                action_id=action_id,
                data=data or {},
                occurrence=self._occurrence(event_type, actor, via, reason, action_id, data),
            )
        )

    def entry(self, kind: str, data: dict[str, Any]) -> None:
        """Add an entry to the request's stream."""
        self.version += 1
        at = timestamp(self._now())
        occurrence = self._occurrence(kind, data)
        self._stream.append(
            StreamEvent(seq=self._next_seq(), at=at, kind=kind, data=data, occurrence=occurrence)
        )

    def log(
        self,
        level: str,
        message: str,
        state: ActionState | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Add a line to the request's execution log."""
        self.entry(
            "log",
            {
                "level": level,
                "actionId": state.id if state else None,
                "attempt": state.attempt if state else None,
                "message": message,
                "data": data or {},
            },
        )

    def unconfirmed_lines(self) -> list[AuditEvent]:
        """Return the unconfirmed audit lines."""
        return list(self._audit)

    def unconfirmed_entries(self) -> list[StreamEvent]:
        """Return the unconfirmed entries."""
        return list(self._stream)

    def confirm(self, snapshot: Snapshot) -> None:
        """Drop what the snapshot has written to the mirror; later entries stay."""
        lines = [line.seq for line in snapshot.audit]
        entries = [entry.seq for entry in snapshot.stream]
        last = max(lines + entries, default=0)
        self._audit = [line for line in self._audit if line.seq > last]
        self._stream = [entry for entry in self._stream if entry.seq > last]

    def _occurrence(self, *parts: Any) -> int:
        """Return how often this run has written the same line before.

        A workflow task that is run again may write lines in another order, so that a number alone
        does not identify a line of the mirror.
        """
        content = json.dumps(parts, sort_keys=True)
        self._occurrences[content] += 1
        return self._occurrences[content] - 1

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq
