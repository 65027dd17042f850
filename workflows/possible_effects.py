"""What an action may have left in its target: possible effects are kept until a look succeeds.

An attempt that ends before it acts adds its error and removes nothing. A doubt ends with a
successful look, an effect that was adopted or made, or a person's evidence. Pure.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pao.core.errors import ErrorCode
from pao.core.payloads.actions import ActionState, FormerCall
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.sentences import as_sentence
from pao.core.states import ActionStatus

STILL_UNKNOWN = "It is still not known whether an earlier attempt took effect."
LONGEST_MESSAGE = 4_000


MAX_FORMER_CALLS = 16
"""The number of different calls of one action that are kept while their effect is unknown."""


def record_failed_attempt(
    state: ActionState,
    failure: ActionFailure,
    fields: dict[str, Any] | None = None,
    *,
    now: str | None = None,
) -> ActionFailure:
    """Add what a failed attempt may have left to the state; return the failure to show.

    ``fields`` are those that the attempt was rendered from; ``now`` is when it ended.
    """
    doubt = state.outcome_unknown and not failure.answered
    earlier = [] if failure.whole else [*state.partial, *_resource_of_wait(state)]
    state.outcome_unknown = doubt or failure.outcome_unknown
    if failure.outcome_unknown:
        state.doubt_since = now
        state.by_hand = failure.by_hand
    if not state.outcome_unknown:
        state.doubt_since = state.pending = state.by_hand = None
    state.partial = merge(earlier, failure.partial)
    if failure.absent:
        state.former = []
    if failure.outcome_unknown or failure.sent:
        _add_former_call(state, failure, fields or {})
    known_former = failure.code == ErrorCode.EXISTS_WITH_FORMER_VALUES
    if not (state.outcome_unknown or state.partial or known_former):
        state.former = []
    message = failure.message
    if doubt and not failure.outcome_unknown:
        shortened = message[: LONGEST_MESSAGE - len(STILL_UNKNOWN) - 2].rstrip()
        message = f"{as_sentence(shortened)} {STILL_UNKNOWN}"
    return replace(
        failure,
        message=message,
        sent=None,
        outcome_unknown=state.outcome_unknown,
        partial=list(state.partial),
        by_hand=state.by_hand,
    )


def clear_doubt(state: ActionState, partial: Iterable[PartialResource] = ()) -> None:
    """Record that the effect exists and is the action's own: nothing is in doubt.

    ``partial`` is what earlier attempts left beside it, which stays listed.
    """
    state.outcome_unknown = False
    state.partial = merge((), partial)
    state.doubt_since = state.pending = state.by_hand = None
    state.former = []


def confirm_absent(state: ActionState) -> None:
    """Record a person's evidence that nothing exists."""
    clear_doubt(state)
    if state.error is not None:
        state.error = replace(state.error, outcome_unknown=False, partial=[])


def leave_behind(state: ActionState, place: str, partial: PartialResource | None) -> None:
    """Record what is left behind; the action starts again elsewhere, under another mark."""
    resources = [*state.partial, *([partial] if partial else [])]
    if state.outcome_unknown and partial is None:
        resources.append(_possible_resource(state, place))
    state.moves += 1
    moved = [replace(one, move=state.moves) for one in resources]
    state.left_behind = merge(state.left_behind, moved)
    confirm_absent(state)


def _possible_resource(state: ActionState, place: str) -> PartialResource:
    return PartialResource(
        type=state.resource_type or state.type,
        cleanup=f"It is not known whether {state.name!r} took effect at {place}: look there for "
        "what an earlier attempt made, and undo it.",
    )


def _add_former_call(state: ActionState, failure: ActionFailure, fields: dict[str, Any]) -> None:
    stored_fields = None if failure.sent else fields
    call = FormerCall(
        state.attempt, sealed=failure.sent, digest=failure.digest, fields=stored_fields
    )
    others = [one for one in state.former if not _is_same_call(one, call)]
    state.former = [*others, call]


def _is_same_call(one: FormerCall, other: FormerCall) -> bool:
    if one.digest is not None:
        return one.digest == other.digest
    return one.sealed is None and other.sealed is None and one.fields == other.fields


def merge(
    earlier: Iterable[PartialResource], later: Iterable[PartialResource]
) -> list[PartialResource]:
    """Merge two lists by type, id and address; the later entry wins."""
    resources: dict[tuple[str, str | None, str | None], PartialResource] = {}
    for one in (*earlier, *later):
        before = resources.get(_identity(one))
        cleanup = one.cleanup or (before.cleanup if before else None)
        resources[_identity(one)] = replace(one, cleanup=cleanup)
    return list(resources.values())


def _identity(one: PartialResource) -> tuple[str, str | None, str | None]:
    """Return what identifies a resource: its text if it has neither id nor address."""
    if one.id is None and one.url is None:
        return (one.type, one.cleanup, None)
    return (one.type, one.id, one.url)


def _resource_of_wait(state: ActionState) -> list[PartialResource]:
    """Return the effect of an action whose wait has failed: it still exists."""
    if state.status != ActionStatus.WAITING or state.external_reference is None:
        return []
    resource = PartialResource(
        type=state.resource_type or state.type,
        id=state.external_reference,
        url=state.url,
        cleanup=state.cleanup,
    )
    return [resource]
