"""What a workflow writes to Postgres, and what it reads back."""

from dataclasses import dataclass, field
from typing import Any

from pao.core.payloads.actions import ActionState
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.tickets import Escalation
from pao.core.states import RequestStatus


@dataclass(frozen=True)
class AuditEvent:
    """One line of the audit trail, unique by request, run, content and ``occurrence``.

    ``occurrence`` counts how often the run has written the same before; ``seq`` gives the order.
    """

    seq: int
    at: str
    event_type: str
    actor: str
    via: str = "workflow"
    reason: str | None = None
    action_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    occurrence: int | None = None


@dataclass(frozen=True)
class StreamEvent:
    """One entry of the request's stream (``state``, ``action``, ``log``, ``decision``).

    Unique like an audit line; log entries make the execution log.
    """

    seq: int
    at: str
    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    occurrence: int | None = None


@dataclass(frozen=True)
class Snapshot:
    """The state of a request, written to Postgres in one idempotent write.

    ``actions`` are those that have changed since the last write that succeeded.
    It takes effect only where the stored ``(mirror_at, mirror_seq)`` is smaller and the stored
    state is not final. Audit and stream entries are those since the last write that succeeded:
    that one had the pair ``after_at`` and ``after_seq``.
    """

    request_id: str
    run_id: str
    mirror_at: str
    mirror_seq: int
    status: RequestStatus
    retrying: bool = False
    fields: dict[str, Any] = field(default_factory=dict)
    actions: list[ActionState] = field(default_factory=list)
    error: dict[str, Any] | None = None
    error_context: dict[str, Any] | None = None
    escalation: Escalation | None = None
    decisions: list[DecisionRecord] = field(default_factory=list)
    audit: list[AuditEvent] = field(default_factory=list)
    stream: list[StreamEvent] = field(default_factory=list)
    after_at: str = ""
    after_seq: int = 0


@dataclass(frozen=True)
class MirrorAnswer:
    """What the mirror knows: whether the write counted, and which actions were ever started.

    ``terminal`` is set when the stored request had ended before: the workflow must not act.
    ``stored_at`` and ``stored_seq`` are the pair of a newer write, which the mirror keeps instead.
    ``recorded`` are decisions of the snapshot that the mirror knows better: another run of the
    request has closed or accepted them before. ``fields`` are the stored ones, when another run
    has written the request last: they hold every correction, and ``actions`` the states that leave
    something behind which this run may not know. ``absent`` says that the row is gone
    which this run had written before, ``behind`` that it knew less than that: Postgres was restored
    from an older copy, and everything must be written again. ``updated_at`` is the time that
    readers find with the state, where this write has changed it.
    """

    applied: bool
    terminal: bool = False
    started_actions: list[str] = field(default_factory=list)
    stored_at: str | None = None
    stored_seq: int = 0
    recorded: list[DecisionRecord] = field(default_factory=list)
    fields: dict[str, Any] | None = None
    absent: bool = False
    behind: bool = False
    actions: list[ActionState] = field(default_factory=list)
    updated_at: str | None = None
