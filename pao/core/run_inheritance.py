"""What a run of a request inherits, action by action, from the run before it. Pure.

After a reset a run begins with what it replays; what a later attempt of the run before may have
left in its target, and with which values it asked, only the mirror knows.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from pao.core.payloads.actions import ActionState
from pao.core.states import ActionStatus

T = TypeVar("T")
INHERITED_FIELDS = (
    "outcome_unknown",
    "doubt_since",
    "partial",
    "former",
    "left_behind",
    "pending",
    "moves",
)
OVER = frozenset({ActionStatus.COMPLETED, ActionStatus.SKIPPED})


def has_inheritance(state: ActionState) -> bool:
    """Return whether a later run must take anything over from this state."""
    return bool(
        state.outcome_unknown or state.partial or state.former or state.left_behind or state.pending
    )


def inherit(state: ActionState, stored: ActionState) -> ActionState:
    """Return the state with the doubts and resources of the stored one added; nothing is removed.

    An action that is done in this run was done in the earlier run, too.
    """
    if state.status in OVER:
        return state
    return replace(
        state,
        outcome_unknown=state.outcome_unknown or stored.outcome_unknown,
        doubt_since=stored.doubt_since or state.doubt_since,
        partial=_union(stored.partial, state.partial),
        former=_union(stored.former, state.former),
        left_behind=_union(stored.left_behind, state.left_behind),
        pending=state.pending or stored.pending,
        moves=max(state.moves, stored.moves),
    )


def _union(stored: Sequence[T], own: Sequence[T]) -> list[T]:
    return [*stored, *(one for one in own if one not in stored)]
