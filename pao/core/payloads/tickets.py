"""Tickets of a request: the one it was escalated with, and what JIRA says of the others."""

from dataclasses import dataclass, field
from typing import Any

from pao.core.documents import to_document
from pao.core.payloads.actions import ActionState
from pao.core.payloads.context import RequestContext


@dataclass(frozen=True)
class Escalation:
    """The ticket that continues an escalated request."""

    ticket_key: str
    url: str
    escalated_at: str
    escalated_by: str
    reason: str | None = None


@dataclass(frozen=True)
class KnownTicketStatus:
    """What JIRA last said of an action's ticket, as it is stored and shown."""

    status: str | None = None
    status_category: str | None = None
    mapped_status: str | None = None
    mapped: bool = False
    resolution: str | None = None
    checked_at: str | None = None
    gone: bool = False

    def document(self) -> dict[str, Any]:
        """Return the stored document; of a ticket that is gone nothing else is known."""
        if self.gone:
            return {"gone": True, "checkedAt": self.checked_at}
        document = to_document(self)
        del document["gone"]
        return document


@dataclass(frozen=True)
class TicketResolved:
    """The status updater's signal to a workflow with an action that waits for a ticket's end.

    ``gone``: the ticket was deleted; a worker of an earlier version uses ``mapped_status``.
    ``since`` is when the wait began that this is about.
    """

    action_id: str
    status: str | None = None
    status_category: str | None = None
    mapped_status: str | None = None
    resolution: str | None = None
    gone: bool = False
    since: str | None = None


@dataclass(frozen=True)
class EscalationInput:
    """What the escalation ticket is rendered from."""

    context: RequestContext
    error_context: dict[str, Any]
    actions: list[ActionState] = field(default_factory=list)
    by: str = "unknown"
    reason: str | None = None
    tried_before: bool = False
    tried_at: str | None = None
    run_id: str | None = None
    components: list[dict[str, Any]] = field(default_factory=list)
