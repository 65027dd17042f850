"""What an action waits for after its effect was made: its target, a ticket, or people."""

from dataclasses import dataclass, field
from typing import Any

from pao.core.documents import from_document


@dataclass(frozen=True)
class Pending:
    """What an action still waits for, after its effect was made; waiting never repeats the effect.

    ``kind`` says how the wait ends: ``follow``, by the read-only ``follow`` of the action type,
    which another worker may continue; ``resolution``, when the status updater reports that the
    ticket was resolved; ``approval``, by the signals approve and reject. ``state`` is what the
    wait needs.
    """

    kind: str
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OpenWait:
    """What an action waits for, as it is stored and shown: its target, or its ticket's end.

    ``kind`` is that of its ``Pending``; ``since`` is when the wait began.
    """

    kind: str
    since: str | None = None


@dataclass(frozen=True)
class Vote:
    """What one person has decided about an approval, when and why."""

    by: str
    decision: str
    at: str
    reason: str | None = None
    via: str = "workflow"


@dataclass(frozen=True)
class Approvers:
    """Who may decide about an approval."""

    users: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class OpenApproval(OpenWait):
    """An approval that an action waits for: who may decide, until when, and who has decided."""

    deadline: str | None = None
    on_deadline: str | None = None
    message: str | None = None
    approvers: Approvers = field(default_factory=Approvers)
    minimum: int = 1
    allow_self: bool = False
    decisions: list[Vote] = field(default_factory=list)


def read_wait(document: object) -> OpenWait | None:
    """Return what an action waits for; None if it waits for nothing."""
    if not document:
        return None
    wait = from_document(OpenWait, document)
    return from_document(OpenApproval, document) if wait.kind == "approval" else wait
