"""What people decide about a request, and what is checked before it counts."""

from dataclasses import dataclass, field
from typing import Any

from pao.core.payloads.actions import ActionInput, ActionResult
from pao.core.payloads.context import RequestContext
from pao.core.payloads.plan import PlannedAction


@dataclass
class DecisionRecord:
    """A person's decision, or a signal that was refused as one.

    ``outcome`` is ``rejected``, ``open``, ``done`` or ``failed`` (it was accepted but could not be
    carried out); ``by`` is the caller's word, ``via`` says whether the API vouched for it.
    ``code`` says why it was refused, where a caller can act on that. ``details`` is what it was
    made with or led to: values out of step, evidence, what stays behind. ``attempt`` is the one
    that it was made upon.
    """

    decision_id: str
    decision: str
    at: str
    by: str = "unknown"
    via: str = "temporal"
    reason: str | None = None
    accepted: bool = False
    outcome: str = "open"
    message: str | None = None
    changes: dict[str, Any] | None = None
    mode: str | None = None
    code: str | None = None
    details: dict[str, Any] | None = None
    attempt: int | None = None
    accept_used: bool = False
    leave_behind: bool = False
    evidence: dict[str, Any] | None = None


@dataclass(frozen=True)
class OutcomeQuery:
    """The question of the ``decision_outcome`` update: which decision, and how long to wait."""

    decision_id: str
    wait_seconds: float = 3.0


@dataclass(frozen=True)
class SenderQuery:
    """The signal whose sender is in question: its request, its name and its payload."""

    request_id: str
    signal: str
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SenderAnswer:
    """Whether PAO sent a signal; otherwise it came through Temporal, whatever it claims.

    ``temporal_approvals``: the operator accepts approvals that came through Temporal.
    """

    proven: bool = False
    temporal_approvals: bool = False


@dataclass(frozen=True)
class Correction:
    """Corrected field values of a retry, to be checked by the form and by the actions' models.

    ``over`` are the completed and skipped actions, without their configurations; one that never
    began has no ``reads``: only its condition was asked. ``plan`` is the whole plan, ``retried``
    the ids of the actions that the retry would run, now or later.
    """

    context: RequestContext
    changes: dict[str, Any] = field(default_factory=dict)
    over: list[PlannedAction] = field(default_factory=list)
    plan: list[PlannedAction] = field(default_factory=list)
    retried: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CorrectionAnswer:
    """Whether the corrected values are valid, the fields to continue with, and the diff to keep.

    ``used`` names for each changed field the actions that are over and have used it.
    """

    valid: bool
    fields: dict[str, Any] = field(default_factory=dict)
    diff: dict[str, Any] = field(default_factory=dict)
    message: str | None = None
    used: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class EvidenceInput:
    """The outputs that a person says to have seen in an action's target."""

    about: ActionInput
    outputs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EvidenceAnswer:
    """The result that the action continues with, or what is wrong with the outputs."""

    result: ActionResult | None = None
    message: str | None = None
