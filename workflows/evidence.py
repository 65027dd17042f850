"""A human's word about an effect that nobody else can look for."""

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from pao.core import names
    from pao.core.payloads import (
        ActionInput,
        ActionResult,
        ActionState,
        DecisionRecord,
        EvidenceAnswer,
        EvidenceInput,
    )
    from pao.core.states import ActionStatus
    from workflows import policies
    from workflows.failures import classify
    from workflows.graph import Graph
    from workflows.ledger import Ledger


def subject(ledger: Ledger, record: DecisionRecord) -> tuple[ActionState | None, str | None]:
    """Return the action that evidence is about, or why it is about none."""
    doubtful = [
        state
        for state in ledger.states
        if state.status == ActionStatus.FAILED and state.outcome_unknown
    ]
    wanted = (record.evidence or {}).get("actionId")
    chosen = [state for state in doubtful if wanted in (None, state.id)]
    names_ = ", ".join(state.id for state in doubtful) or "none"
    if not chosen:
        return None, f"evidence is about a failed action of unknown outcome; there are: {names_}"
    if len(chosen) > 1:
        return None, f"say by actionId of which action the evidence is: {names_}"
    return chosen[0], None


async def check(ledger: Ledger, state: ActionState, record: DecisionRecord) -> EvidenceAnswer:
    """Have the outputs checked against what the action's type declares."""
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


def take(
    ledger: Ledger, state: ActionState, record: DecisionRecord, *, result: ActionResult | None
) -> None:
    """Go by a human's word: the action is completed with what is there, or has left nothing."""
    present = bool((record.evidence or {}).get("present"))
    told = {"actionId": state.id, "present": present}
    record.details = {**(record.details or {}), "evidence": told}
    if result is None:
        ledger.vouch(state, record)
    else:
        ledger.complete_by_evidence(state, record, result)
