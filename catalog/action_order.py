"""The order of actions: from the list in a document to a graph of dependencies."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from catalog.fulfillment import Action


def in_order(actions: Sequence[Action]) -> list[Action]:
    """Return the actions so that each comes after what it depends on, else as they are written.

    Validation refuses circles; of a document that holds one all the same the written order stays.
    """
    by_id = {action.id: action for action in actions}
    known = {action.id: [one for one in action.depends_on if one in by_id] for action in actions}
    try:
        TopologicalSorter(known).prepare()
    except CycleError:
        return list(actions)
    ordered: dict[str, Action] = {}
    for action in actions:
        _append(action.id, by_id, known, ordered)
    return list(ordered.values())


def _append(
    action_id: str,
    by_id: Mapping[str, Action],
    known: Mapping[str, Sequence[str]],
    ordered: dict[str, Action],
) -> None:
    """Append an action after all that it waits for; iteratively, as chains may be long."""
    waiting = [action_id]
    while waiting:
        missing = [one for one in known[waiting[-1]] if one not in ordered]
        if missing:
            waiting.extend(reversed(missing))
            continue
        done = waiting.pop()
        ordered.setdefault(done, by_id[done])


def dependencies(actions: Sequence[Action], *, parallel: bool) -> dict[str, list[str]]:
    """Return for each action of an ordered list the ids of those that it waits for.

    One after the other unless ``parallel``: then each waits only for what it names.
    """
    known = {action.id for action in actions}
    waits: dict[str, list[str]] = {}
    before: str | None = None
    for action in actions:
        named = [one for one in dict.fromkeys(action.depends_on) if one in known]
        if not parallel and before is not None and before not in named:
            named.insert(0, before)
        waits[action.id] = named
        before = action.id
    return waits


def ancestors(waits: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return for each action all that have ended before it begins, in the order of the list.

    ``waits`` is in an order in which everything comes after what it waits for.
    """
    place = {action_id: index for index, action_id in enumerate(waits)}
    before: dict[str, set[str]] = {}
    for action_id, direct in waits.items():
        known = [one for one in direct if one in before]
        before[action_id] = set(known).union(*(before[one] for one in known))
    return {key: sorted(found, key=place.__getitem__) for key, found in before.items()}
