"""Rules for decisions about bundles: components are retried on their own requests."""

from typing import Any

from pao.core.payloads.decisions import DecisionRecord
from pao.core.states import ActionStatus, Decision
from workflows.bundle_ledger import BundleLedger


def objection_to(
    ledger: BundleLedger, record: DecisionRecord, changes: dict[str, Any]
) -> str | None:
    """Return why a bundle refuses a decision that any other request would accept."""
    if ledger.retrying:
        return "a component is being retried; wait for its outcome"
    if record.decision != Decision.RETRY:
        return None
    if ledger.has_failed_component():
        where = ", ".join(
            f"{state.name}: {ledger.request_of(state)}"
            for state in ledger.components
            if state.status == ActionStatus.FAILED
        )
        return f"retry the component on its own request ({where}); the bundle then continues"
    if changes and any(one.status != ActionStatus.COMPLETED for one in ledger.components):
        return "the components already have their fields; correct them on their own requests"
    return None
