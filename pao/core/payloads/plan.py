"""The planned actions of a request."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class PlannedAction:
    """One action to carry out: its configuration still holds templates.

    ``depends_on`` names the actions that must have succeeded or been skipped before; None, as in
    plans of old, is the one before it. ``when`` is the expression that decides whether it runs;
    ``timeout`` bounds one execution, in seconds; ``slow`` sends it to the queue of slow actions,
    so that it never holds up a ticket.
    ``alias`` is the id that templates know it by, where it is another one; ``publishes`` names the
    outputs that later actions see as ``fulfillment.<name>``; ``reads`` names what its templates
    read (``fields.size``, ``outputs.first``), None being everything. ``fallback`` marks the manual
    way of a hybrid item, which runs only when a person chooses it. ``notice`` marks a notification
    instead of a step: ``failure`` or ``waiting`` says of what.
    """

    id: str
    index: int
    type: str
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    cleanup: str | None = None
    depends_on: list[str] | None = None
    when: str | None = None
    timeout: float | None = None
    slow: bool = False
    alias: str | None = None
    publishes: list[str] = field(default_factory=list)
    reads: list[str] | None = None
    fallback: bool = False
    notice: str | None = None

    @property
    def is_step(self) -> bool:
        """Return whether it is carried out as soon as it may, unless it is skipped."""
        return not self.fallback and self.notice is None

    @property
    def key(self) -> str:
        """The id that templates of its plan use."""
        return self.alias or self.id
