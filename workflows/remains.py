"""What an action may have left in its target: it only grows, until somebody has looked.

An attempt that ends before it acts adds its error and takes nothing away. What ends a doubt: a look
that was answered, an effect that was adopted or made, a human's word. Pure.
"""

from collections.abc import Iterable
from dataclasses import replace

from pao.core.payloads import ActionFailure, ActionState, PartialResource
from pao.core.states import ActionStatus

STILL_UNKNOWN = "It is still not known whether an earlier attempt took effect."
LONGEST_MESSAGE = 4_000


def after_failure(
    state: ActionState, failure: ActionFailure, *, now: str | None = None
) -> ActionFailure:
    """Note on the state what a failed attempt adds; return the failure as it is to be shown.

    ``now`` is when the attempt has ended.
    """
    doubt = state.outcome_unknown and not failure.answered
    known = [] if failure.whole else [*state.partial, *_waited_for(state)]
    state.outcome_unknown = doubt or failure.outcome_unknown
    if failure.outcome_unknown:
        state.doubt_since = now
    if not state.outcome_unknown:
        state.doubt_since = state.pending = None
    state.partial = merged(known, failure.partial)
    message = failure.message
    if doubt and not failure.outcome_unknown:
        message = f"{message[: LONGEST_MESSAGE - len(STILL_UNKNOWN) - 1]} {STILL_UNKNOWN}"
    return replace(
        failure,
        message=message,
        outcome_unknown=state.outcome_unknown,
        partial=list(state.partial),
    )


def settle(state: ActionState) -> None:
    """Note that the effect exists and is the action's own: nothing is left in doubt."""
    state.outcome_unknown = False
    state.partial = []
    state.doubt_since = state.pending = None


def merged(
    known: Iterable[PartialResource], told: Iterable[PartialResource]
) -> list[PartialResource]:
    """Merge two lists by type, id and address; what was told last wins."""
    found: dict[tuple[str, str | None, str | None], PartialResource] = {}
    for one in (*known, *told):
        before = found.get(_identity(one))
        cleanup = one.cleanup or (before.cleanup if before else None)
        found[_identity(one)] = replace(one, cleanup=cleanup)
    return list(found.values())


def _identity(one: PartialResource) -> tuple[str, str | None, str | None]:
    return (one.type, one.id, one.url)


def _waited_for(state: ActionState) -> list[PartialResource]:
    """Give the effect of an action whose wait has failed: it exists all the same."""
    if state.status != ActionStatus.WAITING or state.external_reference is None:
        return []
    left = PartialResource(
        type=state.resource_type or state.type,
        id=state.external_reference,
        url=state.url,
        cleanup=state.cleanup,
    )
    return [left]
