"""The plan as a graph: when an action may run, and what its templates see then. Pure."""

from collections.abc import Sequence
from typing import Any

from pao.core.payloads.actions import ActionState
from pao.core.payloads.plan import PlannedAction
from pao.core.states import ActionStatus

OVER = frozenset({ActionStatus.COMPLETED, ActionStatus.SKIPPED})


class Graph:
    """A plan with the direct and indirect dependencies of each action."""

    def __init__(self, plan: Sequence[PlannedAction]) -> None:
        self._actions = {action.id: action for action in plan}
        self._dependencies = _dependencies(plan)
        self._ancestors = _ancestors(self._dependencies)

    def action(self, state: ActionState) -> PlannedAction:
        """Return the planned action of a state."""
        return self._actions[state.id]

    def ready(self, states: Sequence[ActionState]) -> list[ActionState]:
        """Return the pending actions whose dependencies are all done."""
        done = {state.id for state in states if state.status in OVER}
        return [
            state
            for state in states
            if state.status == ActionStatus.PENDING
            and done.issuperset(self._dependencies[state.id])
        ]

    def outputs(
        self, action: PlannedAction, states: Sequence[ActionState]
    ) -> dict[str, dict[str, Any]]:
        """Return what the action's templates see as ``outputs``, by the ids that they know.

        Only what they read has values; the others, and skipped ones, are empty.
        """
        return {
            key: (state.outputs or {}) if _reads(action, "outputs", key) else {}
            for state in self._states_before(action, states)
            for key in (self._actions[state.id].key,)
        }

    def published(self, action: PlannedAction, states: Sequence[ActionState]) -> dict[str, Any]:
        """Return what the action's templates see as ``fulfillment``; of a key, the last one."""
        return {
            name: state.outputs[name]
            for state in self._states_before(action, states)
            for name in self._actions[state.id].publishes
            if state.outputs is not None
            and name in state.outputs
            and _reads(action, "fulfillment", name)
        }

    def _states_before(
        self, action: PlannedAction, states: Sequence[ActionState]
    ) -> list[ActionState]:
        before = self._ancestors[action.id]
        return [state for state in states if state.id in before]


def _dependencies(plan: Sequence[PlannedAction]) -> dict[str, list[str]]:
    waits: dict[str, list[str]] = {}
    before: PlannedAction | None = None
    for action in plan:
        follows = before is not None and before.fallback == action.fallback
        default = [before.id] if before is not None and follows else []
        waits[action.id] = default if action.depends_on is None else action.depends_on
        before = action
    return waits


def _ancestors(waits: dict[str, list[str]]) -> dict[str, frozenset[str]]:
    """Plans are ordered: every action comes after its dependencies."""
    before: dict[str, frozenset[str]] = {}
    for action_id, direct in waits.items():
        nothing: frozenset[str] = frozenset()
        before[action_id] = frozenset(direct).union(*(before.get(one, nothing) for one in direct))
    return before


def _reads(action: PlannedAction, scope: str, name: str) -> bool:
    reads = action.reads
    return reads is None or f"{scope}.{name}" in reads or f"{scope}.*" in reads
