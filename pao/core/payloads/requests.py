"""The input of a request's workflow, and its answers."""

from dataclasses import dataclass, field
from typing import Any

from pao.core.payloads.actions import ActionState
from pao.core.payloads.cleanups import CleanupMark
from pao.core.payloads.context import RequestContext
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.tickets import Escalation
from pao.core.states import RequestStatus


@dataclass(frozen=True)
class WorkflowTimeouts:
    """How long the workflow waits for things, in seconds; chosen in workflows/policies.py.

    They are part of the input, so that an installation (or a test) can change them without changing
    the workflow's code.
    """

    start_to_close: float = 12.0
    heartbeat: float = 3.0
    schedule_to_start: float = 60.0
    mirror: float = 1.5
    slow_schedule_to_start: float = 1800.0
    follow: float = 86400.0


@dataclass(frozen=True)
class IdempotencyRecord:
    """The key that a caller submitted a request with; ``digest`` is the keyed one of its body."""

    caller_id: str
    key: str
    digest: str


@dataclass
class RequestInput:
    """The input of a request's workflow; with ``resumption`` it continues another one.

    ``metadata`` is the caller's: the row is recreated with it if Postgres has lost it. So is
    ``idempotency``, by which a repeated submission is recognized.
    """

    context: RequestContext
    plan: list[PlannedAction] = field(default_factory=list)
    waits: WorkflowTimeouts = field(default_factory=WorkflowTimeouts)
    resumption: "Resumption | None" = None
    bundle: "BundleLink | None" = None
    metadata: dict[str, Any] = field(default_factory=dict)
    idempotency: IdempotencyRecord | None = None


@dataclass(frozen=True)
class BundleLink:
    """The bundle that a request is a component of: its workflow reports to the bundle's."""

    request_id: str
    component: str


@dataclass(frozen=True)
class RequestOutcome:
    """The result of a request's workflow; ``note`` says why it ended without acting, if it did."""

    status: RequestStatus
    note: str | None = None


@dataclass(frozen=True)
class Resumption:
    """What the mirror knows of a request whose workflow is gone; a new one waits in ``failed``.

    ``reason`` says what became of the earlier workflow. ``mirror_at`` and ``mirror_seq`` are the
    stored pair, above which the new run writes; ``failure`` is why the request had failed before,
    if it had. Of decisions that are closed only id, kind and outcome matter; ``cleaned`` is what
    people have reported as cleaned up. ``actor`` says who has it wait; with ``unchecked`` no retry
    begins before the fields have passed the form. ``fresh``: no workflow of it was there before.
    """

    reason: str
    mirror_at: str = ""
    mirror_seq: int = 0
    actions: list["ActionState"] = field(default_factory=list)
    decisions: list["DecisionRecord"] = field(default_factory=list)
    escalation: "Escalation | None" = None
    failure: "ActionFailure | None" = None
    actor: str = "reconciler"
    unchecked: bool = False
    cleaned: list["CleanupMark"] = field(default_factory=list)
    fresh: bool = False


@dataclass(frozen=True)
class SettledRequest:
    """The answer of the ``settled`` update, frozen at the first settling."""

    status: RequestStatus
    at: str
    completed: "CompletedState | None" = None


@dataclass(frozen=True)
class CompletedState:
    """What readers find of a request that was completed at once: its submission need not read it.

    ``mirror_at`` and ``mirror_seq`` are the pair of its last write, ``updated_at`` the database's
    time of it.
    """

    run_id: str
    mirror_at: str
    mirror_seq: int
    updated_at: str
    actions: list[ActionState] = field(default_factory=list)
