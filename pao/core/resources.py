"""What a request has created so far, and how to clean it up by hand. Pure."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any, Protocol

from pao.core.documents import to_document
from pao.core.names import mark
from pao.core.payloads.actions import ActionState
from pao.core.payloads.error_context import CleanupStep, ExistingResource, FailedAction
from pao.core.payloads.failures import PartialResource
from pao.core.states import ActionStatus


class HasAttempt(Protocol):
    """What an action's state and its row have in common."""

    @property
    def status(self) -> ActionStatus:
        """The action's status."""
        ...

    @property
    def attempt(self) -> int:
        """The number of attempts."""
        ...


# The instruction for a doubt, and the wording that its entry's id is derived from: what people
# report about an entry is stored under that id, so the id must survive changes of the wording.
_LOOK_INSTRUCTION = (
    "look in its target for what it has made, by the mark {mark} if the target shows one, and undo"
    " it"
)
_LOOK_INSTRUCTION_FOR_IDS = "look in its target for the mark {mark}, and undo what carries it"
_LOOK_PATTERN = re.compile(re.escape(_LOOK_INSTRUCTION).replace(re.escape("{mark}"), r"(\S+)"))

# Actions whose effect stays when the request is abandoned.
STATUSES_WITH_EFFECT = frozenset({ActionStatus.COMPLETED, ActionStatus.WAITING})


def resources_of(states: Sequence[ActionState]) -> list[dict[str, Any]]:
    """List what exists, including what failed actions left."""
    resources = [
        _resource_document(state) for state in states if state.status in STATUSES_WITH_EFFECT
    ]
    return (
        resources
        + [_partial_document(state, one) for state, one in _all_partial(states)]
        + left_behind_of(states)
    )


def cleanup_of(request_id: str, states: Sequence[ActionState]) -> list[dict[str, Any]]:
    """Return what to do by hand about each resource that exists or may exist."""
    with_cleanup = [
        state for state in states if state.status in STATUSES_WITH_EFFECT and state.cleanup
    ]
    unknown = [state for state in states if is_unknown(state)]
    return [
        *[_cleanup(state, state.cleanup) for state in with_cleanup],
        *[_cleanup_of_partial(state, one) for state, one in _all_partial(states)],
        *[_cleanup(state, _doubt_instructions_for(request_id, state)) for state in unknown],
        *[_cleanup_of_partial(state, one) for state in states for one in state.left_behind],
    ]


def instructions_for(one: PartialResource) -> str:
    """Return what to do by hand about something that was left in a target."""
    name = " ".join(part for part in (one.type, one.id, one.url) if part)
    return one.cleanup or f"Remove by hand what is not wanted: {name}."


def entry_id(
    action: str | None, resource: str | None, instructions: str | None, *, move: int = 0
) -> str:
    """Return the id of a cleanup entry: the same wherever the same thing is listed."""
    if instructions is not None:
        instructions = _LOOK_PATTERN.sub(
            lambda found: _LOOK_INSTRUCTION_FOR_IDS.format(mark=found[1]), instructions
        )
    identity = json.dumps([action, resource, instructions, move])
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def left_behind_of(states: Sequence[ActionState]) -> list[dict[str, Any]]:
    """List what corrections left at other places, whatever the actions' state is now."""
    return [_partial_document(state, one) for state in states for one in state.left_behind]


def orphaned_resources(request_id: str, state: ActionState) -> list[PartialResource]:
    """List what an action left in a target that it no longer owns.

    Corrections leave it at former places, earlier attempts beside what a retry has made, and a way
    that was given up wherever it was.
    """
    if state.status not in {*STATUSES_WITH_EFFECT, ActionStatus.SKIPPED}:
        return state.left_behind
    orphans = [*state.left_behind, *state.partial]
    if state.status == ActionStatus.SKIPPED and state.outcome_unknown:
        kind = state.resource_type or state.type
        orphans.append(
            PartialResource(type=kind, cleanup=_doubt_instructions_for(request_id, state))
        )
    return orphans


def resource_entry_id(state_id: str, resource: PartialResource) -> str:
    """Return the id of the entry under which something left behind is listed for cleanup."""
    return entry_id(state_id, resource.id, instructions_for(resource), move=resource.move)


def failed_actions_of(states: Sequence[ActionState]) -> list[dict[str, Any]]:
    """List the failed actions, each with the reason."""
    return [_failed_action(state) for state in states if state.status == ActionStatus.FAILED]


def attempt_of(states: Sequence[HasAttempt]) -> int:
    """Return the attempt that a decision is about: the highest of what failed, else of all."""
    failed = [state.attempt for state in states if state.status == ActionStatus.FAILED]
    return max(failed or [state.attempt for state in states], default=0)


def is_unknown(state: ActionState) -> bool:
    """Return whether it is unknown if the action took effect."""
    return state.outcome_unknown or (state.error is not None and state.error.outcome_unknown)


def _failed_action(state: ActionState) -> dict[str, Any]:
    failed = FailedAction(
        index=state.index,
        id=state.id,
        type=state.type,
        attempt=state.attempt,
        started_at=state.started_at,
        failed_at=state.finished_at,
        message=state.error.message if state.error else None,
        outcome_unknown=is_unknown(state),
    )
    return to_document(failed)


def _all_partial(states: Sequence[ActionState]) -> list[tuple[ActionState, PartialResource]]:
    return [(state, one) for state in states for one in partial_resources_of(state)]


def partial_resources_of(state: ActionState) -> list[PartialResource]:
    """Return what failed attempts left; states of earlier versions have it in the error alone."""
    return state.partial or (state.error.partial if state.error else [])


def _resource_document(state: ActionState) -> dict[str, Any]:
    kind = state.resource_type or state.type
    return to_document(
        ExistingResource(kind, id=state.external_reference, url=state.url, action=state.id)
    )


def _partial_document(state: ActionState, one: PartialResource) -> dict[str, Any]:
    return to_document(ExistingResource(one.type, id=one.id, url=one.url, action=state.id))


def _cleanup_of_partial(state: ActionState, one: PartialResource) -> dict[str, Any]:
    return _entry(state, one.id, instructions_for(one), move=one.move)


def _cleanup(state: ActionState, instructions: str | None) -> dict[str, Any]:
    return _entry(state, state.external_reference, instructions)


def _entry(
    state: ActionState, resource: str | None, instructions: str | None, *, move: int = 0
) -> dict[str, Any]:
    step = CleanupStep(
        action=state.id,
        resource=resource,
        instructions=instructions,
        entry_id=entry_id(state.id, resource, instructions, move=move),
    )
    return to_document(step)


def _doubt_instructions_for(request_id: str, state: ActionState) -> str:
    by_hand = state.by_hand or look_by_hand(mark(request_id, state.id, state.moves))
    return doubt_instructions(state.name, by_hand)


def doubt_instructions(name: str, by_hand: str) -> str:
    """Return what to do about an action of unknown outcome."""
    return f"It is not known whether {name!r} took effect: {by_hand}."


def look_by_hand(mark: str) -> str:
    """Return how a person finds an effect by its mark."""
    return _LOOK_INSTRUCTION.format(mark=mark)
