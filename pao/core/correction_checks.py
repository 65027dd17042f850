"""Whether a correction is allowed, by a look for what earlier attempts may have made. Pure.

The workflow uses it when a retry is decided, the API for a dry run of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pao.core.errors import ErrorCode
from pao.core.payloads.actions import ActionState, LookResult
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import PartialResource
from pao.core.states import ActionStatus

MANUAL = "manual"
REVISE = "revise"
NO_MANUAL_WAY = "there is no manual way, or it was used already; retry without mode"


@dataclass(frozen=True)
class CorrectionRefusal:
    """Why a correction is refused, as a message and a code."""

    message: str
    code: str | None = None


def outdated_message(decision: str, upon: int | None, now: int) -> str | None:
    """Return why a decision is outdated: it was made for another attempt than the current one."""
    if upon in (None, now):
        return None
    return (
        f"this {decision} was made for attempt {upon}, but the request is now at attempt {now}; "
        "look at it again, then decide"
    )


def action_of_evidence(
    states: Sequence[ActionState], evidence: Mapping[str, Any], *, corrects: bool
) -> tuple[ActionState | None, str | None]:
    """Return the action that a person's evidence is about, or why the evidence is refused.

    ``corrects`` says whether corrected fields come with it.
    """
    doubtful = [one for one in states if one.status == ActionStatus.FAILED and one.outcome_unknown]
    wanted_id = evidence.get("actionId")
    chosen = [one for one in doubtful if wanted_id in (None, one.id)]
    names = ", ".join(one.id for one in doubtful) or "none"
    if not chosen:
        return None, f"evidence is about a failed action of unknown outcome; there are: {names}"
    if len(chosen) > 1:
        return None, f"evidence needs the actionId of one of these actions: {names}"
    if evidence.get("present") and corrects:
        return None, "what exists has the former values; send the evidence without corrected fields"
    return chosen[0], None


def check_correction(
    state: ActionState, look: LookResult, record: DecisionRecord
) -> CorrectionRefusal | None:
    """Return why the corrected fields are refused, or None if they are accepted."""
    if not look.changed or record.mode == MANUAL:
        return None
    if look.moved is not None:
        return _check_move(state, look, record)
    if look.answer == "unknown":
        return _refuse_unknown(state, look)
    if not look.exists or (record.mode == REVISE and look.revisable):
        return None
    return CorrectionRefusal(
        f"{_describe_existing(state, look)}. {_describe_options(look)}",
        ErrorCode.EXISTS_WITH_FORMER_VALUES,
    )


def leaves_behind(state: ActionState, look: LookResult) -> bool:
    """Return whether the correction goes to another place, and something may stay at the former."""
    if not look.changed or look.moved is None:
        return False
    nothing = look.answer == "absent" and look.reason is None
    return not nothing or bool(state.partial)


def _check_move(
    state: ActionState, look: LookResult, record: DecisionRecord
) -> CorrectionRefusal | None:
    former, present = look.moved or ["", ""]
    if record.leave_behind or not leaves_behind(state, look):
        return None
    return CorrectionRefusal(
        f"the correction takes {state.name!r} from {former} to {present}, and "
        f"{_describe_existing(state, look)}. Correct it so that it stays, or retry with "
        "leaveBehind: true (--leave-behind): what is there is then listed for somebody to remove",
        ErrorCode.WOULD_LEAVE_BEHIND,
    )


def _refuse_unknown(state: ActionState, look: LookResult) -> CorrectionRefusal:
    options = "retry without changes, which looks again"
    if not look.askable:
        options = "look in the target and retry with evidence first"
    return CorrectionRefusal(
        f"it could not be determined whether {state.name!r} took effect with its former values "
        f"({look.reason or 'no reason is known'}); nothing was changed: {options}, or abort"
    )


def _describe_existing(state: ActionState, look: LookResult) -> str:
    result = look.result
    if result is not None:
        names = " ".join(one for one in (result.external_reference, result.url) if one)
        return f"{state.name!r} exists with the values of an earlier attempt ({names or 'found'})"
    if state.partial:
        names = ", ".join(one.id or one.type for one in state.partial[:10])
        return f"an earlier attempt of {state.name!r} has left {names} there"
    if look.answer == "absent":
        return f"a part of {state.name!r} exists with former values: {look.reason}"
    return f"an earlier attempt of {state.name!r} may have taken effect there"


def _describe_options(look: LookResult) -> str:
    revise = ", retry with mode revise (--revise) to change it," if look.revisable else ""
    return f"Retry without changes to adopt it as it is{revise} or abort"


def found_resource(state: ActionState, look: LookResult) -> PartialResource | None:
    """Return what a look found as something to be removed by hand."""
    result = look.result
    if result is None:
        return None
    cleanup = result.cleanup
    if not (result.external_reference or result.url):
        place = (look.moved or ["its former place"])[0]
        cleanup = f"{state.name!r} took effect at {place}: look there for it, and undo it."
    return PartialResource(
        type=result.resource_type or state.type,
        id=result.external_reference,
        url=result.url,
        cleanup=cleanup,
    )
