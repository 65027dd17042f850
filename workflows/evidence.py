"""A person's evidence about an effect that PAO cannot look for."""

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.graph import Graph
from pao.core.payloads.actions import ActionInput, ActionResult, ActionState
from pao.core.payloads.decisions import DecisionRecord, EvidenceAnswer, EvidenceInput
from workflows import policies
from workflows.failures import classify
from workflows.ledger import Ledger


@dataclass(frozen=True, slots=True)
class ObservedEffect:
    """An action's effect as a person has seen it; ``result`` is None if nothing exists."""

    state: ActionState
    result: ActionResult | None = None


async def check(ledger: Ledger, state: ActionState, record: DecisionRecord) -> EvidenceAnswer:
    """Check the outputs against the declaration of the action's type."""
    action = ledger.plan[state.id]
    graph = Graph(list(ledger.plan.values()))
    about = ActionInput(
        context=ledger.context.for_action(action.reads),
        action=action,
        attempt=state.attempt,
        outputs=graph.outputs(action, ledger.states),
        run_id=workflow.info().run_id,
        published=graph.published(action, ledger.states),
        moves=state.moves,
    )
    outputs = (record.evidence or {}).get("outputs") or {}
    try:
        answer: EvidenceAnswer = await workflow.execute_activity(
            names.EVIDENCE_ACTIVITY,
            EvidenceInput(about=about, outputs=outputs),
            result_type=EvidenceAnswer,
            summary=f"check the evidence about {state.name}",
            **policies.EVIDENCE,
        )
    except FailureError as error:
        return EvidenceAnswer(message=f"it could not be checked: {classify(error).message}")
    return answer


def apply(ledger: Ledger, record: DecisionRecord, observed: ObservedEffect) -> None:
    """Apply a person's evidence: the action is completed with what exists, or has left nothing."""
    summary = {"actionId": observed.state.id, "present": observed.result is not None}
    record.details = {**(record.details or {}), "evidence": summary}
    if observed.result is None:
        ledger.confirm_no_effect(observed.state, record)
    else:
        ledger.complete_by_evidence(observed.state, record, observed.result)
