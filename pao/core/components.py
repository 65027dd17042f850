"""Messages between a bundle and its components: plain data, kept in Temporal's history.

As in `pao/core/payloads`, every field added later has a default, and unknown ones are ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pao.core.documents import from_document
from pao.core.payloads.actions import ActionState
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import RequestInput
from pao.core.payloads.tickets import Escalation
from pao.core.resources import cleanup_of, failed_actions_of, resources_of
from pao.core.states import ActionStatus, RequestStatus

COMPONENT = "component"
"""The type of a bundle's action that stands for one of its components."""
TICKET_LINKS = "ticket-links"
"""The type of a bundle's action that ties the tickets of its components together."""
BUNDLE_ACTION_TYPES = frozenset({COMPONENT, TICKET_LINKS})
"""Both are no action types: nothing can be looked for by them."""
TICKET_LINKS_ID = "bundle.links"
"""Its id: with a dot, as no author's action that templates can read."""
COMPONENT_PREFIX = "components."
"""The prefix of a component's id in the id of its action."""


@dataclass(frozen=True)
class ComponentReport:
    """The state of a component, as its own request has it.

    Of two reports the one with the greater ``(at, seq)`` counts: the pair of its mirror write.
    ``resources`` and ``cleanup`` are those of an error context, whether it has failed or not.
    """

    component: str
    request_id: str
    status: RequestStatus
    retrying: bool = False
    at: str = ""
    seq: int = 0
    outputs: dict[str, Any] = field(default_factory=dict)
    resources: list[dict[str, Any]] = field(default_factory=list)
    cleanup: list[dict[str, Any]] = field(default_factory=list)
    failed_actions: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, Any] | None = None

    @property
    def position(self) -> tuple[str, int]:
        """The key that orders the reports of the component."""
        return (self.at, self.seq)


@dataclass(frozen=True)
class ComponentView:
    """What templates of a bundle see of one of its components.

    The mirror does not keep the ``tickets``: a look sees none of them.
    """

    id: str
    status: str
    outputs: dict[str, Any] = field(default_factory=dict)
    tickets: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class ComponentQuery:
    """Which component to start, and what its templates see of the others.

    With ``held`` it does not run: it starts in ``failed``, with this as the reason.
    """

    bundle_id: str
    request_id: str
    component: str
    components: dict[str, Any] = field(default_factory=dict)
    held: str | None = None


@dataclass(frozen=True)
class ComponentStart:
    """The input of a component's workflow, or the ``report`` of one that was started before."""

    given: RequestInput | None = None
    report: ComponentReport | None = None


@dataclass(frozen=True)
class BundleDecision:
    """What a person has decided about a bundle, as it is sent to its components.

    ``escalation`` is the bundle's ticket, which stands for all of them.
    """

    decision: str
    decision_id: str
    by: str
    via: str
    reason: str | None = None
    escalation: Escalation | None = None


def is_bundle(plan: Sequence[PlannedAction]) -> bool:
    """Return whether a plan contains components."""
    return any(action.type == COMPONENT for action in plan)


def component_action(component: str) -> str:
    """Return the id of the action that stands for a component."""
    return f"{COMPONENT_PREFIX}{component}"


def build_report(  # noqa: PLR0913 -- what a report says, each part named.
    component: str,
    request_id: str,
    states: Sequence[ActionState],
    *,
    status: RequestStatus,
    retrying: bool,
    position: tuple[str, int],
    error: dict[str, Any] | None,
) -> ComponentReport:
    """Return the report of a component, built from the state of its request."""
    return ComponentReport(
        component=component,
        request_id=request_id,
        status=status,
        retrying=retrying,
        at=position[0],
        seq=position[1],
        outputs=_outputs(states) if status == RequestStatus.COMPLETED else {},
        resources=resources_of(states),
        cleanup=cleanup_of(request_id, states),
        failed_actions=failed_actions_of(states),
        tickets=[
            {"action": state.id, "key": state.external_reference, "url": state.url}
            for state in states
            if state.type == "jira-ticket" and state.external_reference is not None
        ],
        error=error,
    )


def read_report(payload: object) -> ComponentReport | None:
    """Return the report in a signal's payload; None for anything else."""
    try:
        report = from_document(ComponentReport, payload)
    except ValueError:
        return None
    lists = (report.resources, report.cleanup, report.failed_actions, report.tickets)
    is_readable = isinstance(report.outputs, dict) and all(isinstance(one, list) for one in lists)
    is_readable = is_readable and isinstance(report.error, dict | None)
    has_position = isinstance(report.at, str) and isinstance(report.seq, int)
    return report if is_readable and has_position else None


def _outputs(states: Sequence[ActionState]) -> dict[str, Any]:
    """Return what other components may read: the outputs of all actions, of a name the last one."""
    outputs: dict[str, Any] = {}
    for state in states:
        if state.status == ActionStatus.COMPLETED:
            outputs |= state.outputs or {}
    return outputs
