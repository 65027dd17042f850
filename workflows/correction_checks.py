"""Checks before corrected fields apply: looks for what earlier attempts made with former ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.components import BUNDLE_ACTION_TYPES
from pao.core.correction_checks import (
    CorrectionRefusal,
    check_correction,
    found_resource,
    leaves_behind,
)
from pao.core.graph import Graph
from pao.core.payloads.actions import ActionInput, ActionState, FormerCall, LookResult
from pao.core.payloads.context import RequestContext
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import PartialResource
from pao.core.payloads.requests import WorkflowTimeouts
from pao.core.states import ActionStatus
from workflows import policies
from workflows.failures import classify
from workflows.ledger import Ledger
from workflows.possible_effects import MAX_FORMER_CALLS


@dataclass
class CheckedCorrection:
    """The result of the looks: a refusal, or what the correction leaves behind."""

    refusal: CorrectionRefusal | None = None
    left_behind: list[tuple[ActionState, str, PartialResource | None]] = field(default_factory=list)


def actions_in_doubt(ledger: Ledger) -> list[ActionState]:
    """Return the failed actions that may have had an effect."""
    return [
        state
        for state in ledger.states
        if state.status == ActionStatus.FAILED
        and state.type not in BUNDLE_ACTION_TYPES
        and (state.outcome_unknown or state.partial)
    ]


async def check_former_effects(
    ledger: Ledger,
    doubtful: Sequence[ActionState],
    record: DecisionRecord,
    context: RequestContext,
    *,
    waits: WorkflowTimeouts,
) -> CheckedCorrection:
    """Look for the effects of actions in doubt, as sent before; ``context`` has the new fields."""
    checked = CheckedCorrection()
    for state in doubtful:
        if len(state.former) >= MAX_FORMER_CALLS:
            checked.refusal = CorrectionRefusal(
                f"{state.name!r} was tried with {MAX_FORMER_CALLS} different values whose outcome "
                "is not known; retry without changes, or give evidence"
            )
            return checked
        look = await _look(ledger, state, context, waits)
        checked.refusal = check_correction(state, look, record)
        if checked.refusal is not None:
            return checked
        if record.leave_behind and leaves_behind(state, look):
            place = (look.moved or [""])[0]
            checked.left_behind.append((state, place, found_resource(state, look)))
    return checked


async def _look(
    ledger: Ledger, state: ActionState, context: RequestContext, waits: WorkflowTimeouts
) -> LookResult:
    action = ledger.plan[state.id]
    graph = Graph(list(ledger.plan.values()))
    former = state.former or [FormerCall(state.attempt, fields=ledger.fields_of(state))]
    action_input = ActionInput(
        context=context.for_action(action.reads),
        action=action,
        attempt=state.attempt,
        look_first=True,
        outputs=graph.outputs(action, ledger.states),
        run_id=workflow.info().run_id,
        published=graph.published(action, ledger.states),
        unclear=state.outcome_unknown,
        partial=list(state.partial),
        doubt_since=state.doubt_since,
        earlier=state.pending,
        former=list(former),
        moves=state.moves,
    )
    try:
        result: LookResult = await workflow.execute_activity(
            names.LOOK_ACTIVITY,
            action_input,
            result_type=LookResult,
            summary=f"does {action.name} exist with former values?",
            **policies.look(waits, action, queue=workflow.info().task_queue),
        )
    except FailureError as error:
        return LookResult(answer="unknown", reason=classify(error).message, changed=True)
    return result
