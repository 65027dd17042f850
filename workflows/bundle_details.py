"""What an operator reads in the Temporal UI about a bundle: Markdown, one line per component."""

from collections.abc import Mapping
from typing import Protocol

from pao.core.payloads.actions import ActionState
from pao.core.payloads.context import RequestContext
from pao.core.states import ActionStatus, RequestStatus
from workflows.decision_log import DecisionLog
from workflows.details import SEND_SIGNAL, markdown_text, refusal_lines, signal_lines, title_lines


class DescribedBundle(Protocol):
    """The parts of a bundle that are described; its ledger provides them."""

    status: RequestStatus
    context: RequestContext
    retrying: bool
    decisions: DecisionLog

    @property
    def components(self) -> list[ActionState]:
        """The states of the components."""
        ...

    @property
    def own(self) -> list[ActionState]:
        """The states of the bundle's own actions."""
        ...

    def has_failed_component(self) -> bool:
        """Return whether a component has failed."""
        ...

    def is_terminal(self, state: ActionState) -> bool:
        """Return whether a component has ended for good."""
        ...


def bundle_details(ledger: DescribedBundle, requests: Mapping[str, str]) -> str:
    """Describe the state of a bundle and its components; ``requests`` names their workflows."""
    headline = f"**{ledger.status.replace('_', ' ')}**{_hint(ledger)}"
    lines = [
        *title_lines(ledger.context),
        headline,
        "",
        *refusal_lines(ledger.decisions.last_refusal),
        "### Components",
        "",
    ]
    for state in ledger.components:
        line = f"- `{state.name}`: {state.status.replace('_', ' ')}, `{requests[state.id]}`"
        lines.append(line + (f": {markdown_text(state.error.message)}" if state.error else ""))
    if ledger.own:
        lines += ["", "### Actions of the bundle", ""]
    for state in ledger.own:
        text = f", {markdown_text(state.error.message)}" if state.error else ""
        lines.append(
            f"- `{state.id}` {markdown_text(state.name)}: {state.status.replace('_', ' ')}{text}"
        )
    if ledger.status == RequestStatus.FAILED and not ledger.retrying:
        lines += ["", *_decision_lines(ledger, requests)]
    return "\n".join(lines)


def _decision_lines(ledger: DescribedBundle, requests: Mapping[str, str]) -> list[str]:
    lines = [
        f"- Decide about `{state.name}` in its own workflow, `{requests[state.id]}`"
        for state in ledger.components
        if state.status == ActionStatus.FAILED and not ledger.is_terminal(state)
    ]
    only = ("abort", "escalate") if ledger.has_failed_component() else None
    lines += ["", "### Decide about the whole bundle (applies to every open component)", ""]
    return [*lines, SEND_SIGNAL, "", *signal_lines(only=only)]


def _hint(ledger: DescribedBundle) -> str:
    return (
        ": a component is being retried"
        if ledger.retrying and ledger.has_failed_component()
        else ""
    )
