"""Before corrected fields are taken over: looks at what earlier attempts made with former ones."""

from dataclasses import dataclass, field

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from pao.core import names
    from pao.core.components import COMPONENT
    from pao.core.errors import ErrorCode
    from pao.core.payloads import (
        ActionInput,
        ActionState,
        DecisionRecord,
        FormerCall,
        LookResult,
        PartialResource,
        RequestContext,
        Waits,
    )
    from pao.core.states import ActionStatus
    from workflows import policies
    from workflows.failures import classify
    from workflows.graph import Graph
    from workflows.ledger import Ledger
    from workflows.remains import MOST_FORMER

REVISE = "revise"


@dataclass
class Refusal:
    """Why a correction is not taken over, for people and as a code."""

    message: str
    code: str | None = None


@dataclass
class Weighed:
    """What the looks said: a refusal, or what the correction leaves at former places."""

    refusal: Refusal | None = None
    leaving: list[tuple[ActionState, str, PartialResource | None]] = field(default_factory=list)


def in_doubt(ledger: Ledger) -> list[ActionState]:
    """Return the failed actions that may have left something."""
    return [
        state
        for state in ledger.states
        if state.status == ActionStatus.FAILED
        and state.type != COMPONENT
        and (state.outcome_unknown or state.partial)
    ]


async def weigh(
    ledger: Ledger, record: DecisionRecord, context: RequestContext, *, waits: Waits
) -> Weighed:
    """Look for every action in doubt, as its attempts were sent; ``context`` has the new fields."""
    weighed = Weighed()
    for state in in_doubt(ledger):
        if len(state.former) >= MOST_FORMER:
            weighed.refusal = Refusal(
                f"{state.name!r} was tried with {MOST_FORMER} different values whose outcome is "
                "not known; retry without changes, or give evidence"
            )
            return weighed
        look = await _look(ledger, state, context, waits)
        weighed.refusal = _judge(state, look, record, weighed)
        if weighed.refusal is not None:
            return weighed
    return weighed


async def _look(
    ledger: Ledger, state: ActionState, context: RequestContext, waits: Waits
) -> LookResult:
    action = ledger.plan[state.id]
    graph = Graph(list(ledger.plan.values()))
    former = state.former or [FormerCall(state.attempt, fields=ledger.fields_of(state))]
    given = ActionInput(
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
        found: LookResult = await workflow.execute_activity(
            names.LOOK_ACTIVITY,
            given,
            result_type=LookResult,
            summary=f"does {action.name} exist with former values?",
            **policies.look(waits, action),
        )
    except FailureError as error:
        return LookResult(answer="unknown", reason=classify(error).message, changed=True)
    return found


def _judge(
    state: ActionState, look: LookResult, record: DecisionRecord, weighed: Weighed
) -> Refusal | None:
    if not look.changed or record.mode == "manual":
        return None
    if look.moved is not None:
        return _judge_move(state, look, record, weighed)
    if look.answer == "unknown":
        return _unknown(state, look)
    if not look.exists or (record.mode == REVISE and look.revisable):
        return None
    return Refusal(f"{_there(state, look)}. {_ways(look)}", ErrorCode.EXISTS_WITH_FORMER_VALUES)


def _judge_move(
    state: ActionState, look: LookResult, record: DecisionRecord, weighed: Weighed
) -> Refusal | None:
    former, present = look.moved or ["", ""]
    if look.answer == "absent" and look.reason is None and not state.partial:
        return None
    if record.leave_behind:
        weighed.leaving.append((state, former, _found(state, look)))
        return None
    return Refusal(
        f"the correction takes {state.name!r} from {former} to {present}, and "
        f"{_there(state, look)}. Correct it so that it stays, or retry with leaveBehind: true "
        "(--leave-behind): what is there is then listed for somebody to remove",
        ErrorCode.WOULD_LEAVE_BEHIND,
    )


def _unknown(state: ActionState, look: LookResult) -> Refusal:
    ways = "retry without changes, which looks again"
    if not look.askable:
        ways = "look in the target and retry with evidence first"
    return Refusal(
        f"it could not be found out whether {state.name!r} took effect with its former values "
        f"({look.reason or 'no reason is known'}); nothing was changed: {ways}, or abort"
    )


def _there(state: ActionState, look: LookResult) -> str:
    found = look.result
    if found is not None:
        named = " ".join(one for one in (found.external_reference, found.url) if one)
        return f"{state.name!r} exists with the values of an earlier attempt ({named or 'found'})"
    if state.partial:
        named = ", ".join(one.id or one.type for one in state.partial[:10])
        return f"an earlier attempt of {state.name!r} has left {named} there"
    if look.answer == "absent":
        return f"a part of {state.name!r} exists with former values: {look.reason}"
    return f"an earlier attempt of {state.name!r} may have taken effect there"


def _ways(look: LookResult) -> str:
    revise = ", retry with mode revise (--revise) to change it," if look.revisable else ""
    return f"Retry without changes to adopt it as it is{revise} or abort"


def _found(state: ActionState, look: LookResult) -> PartialResource | None:
    found = look.result
    if found is None or not (found.external_reference or found.url):
        return None
    return PartialResource(
        type=found.resource_type or state.type,
        id=found.external_reference,
        url=found.url,
        cleanup=found.cleanup,
    )
