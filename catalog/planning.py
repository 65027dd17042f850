"""Turns an item into the ordered plan that is stored with a request and executed. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog import action_order as ordering
from catalog.fulfillment import Action, Mode
from catalog.loading import walk_texts
from catalog.model import CatalogDocument
from catalog.scopes import names_for
from catalog.templating import (
    TemplateError,
    check,
    check_when,
)
from pao.core.durations import seconds_of
from pao.core.payloads.context import ItemSnapshot
from pao.core.payloads.plan import PlannedAction

FALLBACK = "manual-"
"""The prefix of the ids of a fallback's actions, so that both ways can be distinguished."""
_SHARED_SCOPES = {"fields", "outputs", "fulfillment", "components"}


@dataclass(frozen=True, slots=True)
class ActionTraits:
    """What planning must know of an action type: how long one execution may take, and where.

    ``waits`` says that it waits for people or for others, longer than a caller does.
    """

    timeout: float | None = None
    slow: bool = False
    waits: bool = False


Traits = Mapping[str, ActionTraits]


def snapshot_of(item: CatalogDocument, definition: dict[str, Any], sha: str | None) -> ItemSnapshot:
    """Return what a request keeps of its item, so that later changes do not reach it.

    Its documentation is no part of that: nothing of a request reads it.
    """
    presentation = definition.get("presentation") or {}
    if "documentation" in presentation:
        kept = {name: one for name, one in presentation.items() if name != "documentation"}
        definition = {**definition, "presentation": kept}
    return ItemSnapshot(
        id=item.id,
        version=item.version,
        name=item.name,
        owner_team=item.owner_team,
        git_sha=sha,
        definition=definition,
    )


def plan(item: CatalogDocument, traits: Traits | None = None) -> list[PlannedAction]:
    """Return the actions of the item's mode, each after what it waits for, templates still in them.

    A hybrid item's manual actions follow, marked as ``fallback``; their ids carry ``manual-`` in
    front, because both ways are shown, marked and looked for in one request.
    """
    known = traits or {}
    steps = _steps(item, known)
    return steps + _notices(item, known, after=len(steps))


def _steps(item: CatalogDocument, traits: Traits) -> list[PlannedAction]:
    if item.mode is Mode.MANUAL or item.fulfillment.automatic is None:
        return _plan_actions(item, item.manual_actions, traits)
    parallel = item.fulfillment.automatic.parallel
    planned = _plan_actions(item, item.automatic_actions, traits, parallel=parallel)
    if item.mode is Mode.HYBRID:
        planned += _as_fallback(_plan_actions(item, item.manual_actions, traits), planned)
    return planned


def _notices(item: CatalogDocument, traits: Traits, *, after: int) -> list[PlannedAction]:
    """Return the item's notifications; they wait for nothing and nothing waits for them."""
    lists = {"failure": item.fulfillment.on_failure, "waiting": item.fulfillment.on_waiting}
    notices: list[PlannedAction] = []
    for event, actions in lists.items():
        for one in _plan_actions(item, actions, traits, parallel=True):
            one.alias, one.id = one.id, f"on-{event}-{one.id}"
            one.index, one.notice = after + len(notices), event
            notices.append(one)
    return notices


def _plan_actions(
    item: CatalogDocument, actions: Sequence[Action], traits: Traits, *, parallel: bool = False
) -> list[PlannedAction]:
    ordered = ordering.in_order(actions)
    waits = ordering.dependencies(ordered, parallel=parallel)
    before = ordering.ancestors(waits)
    planned = []
    for index, action in enumerate(ordered):
        of_type = traits.get(action.type, ActionTraits())
        one = PlannedAction(
            id=action.id,
            index=index,
            type=action.type,
            name=action.name,
            config=action.config,
            cleanup=action.cleanup,
            depends_on=waits[action.id],
            when=action.when,
            timeout=seconds_of(action.timeout) or of_type.timeout,
            slow=of_type.slow,
            publishes=[output.name for output in action.outputs],
        )
        one.reads = _reads(item, one, before[action.id])
        planned.append(one)
    return planned


def _as_fallback(
    manual: list[PlannedAction], automatic: Sequence[PlannedAction]
) -> list[PlannedAction]:
    """Rename the manual actions, so that no id of the automatic ones is met again."""
    prefix = FALLBACK
    while any(one.id.startswith(prefix) for one in automatic):
        prefix += FALLBACK
    for one in manual:
        one.alias, one.id = one.id, prefix + one.id
        one.index += len(automatic)
        one.depends_on = [prefix + other for other in one.depends_on or []]
        one.fallback = True
    return manual


def _reads(
    item: CatalogDocument, action: PlannedAction, earlier: Iterable[str]
) -> list[str] | None:
    """Return what an action's templates read, or None if unknown.

    A template that is wrong reads everything; it is refused when the plan is checked.
    """
    names = names_for(item, None, (*earlier, action.id))
    try:
        uses = [use for text in _texts(action) for use in check(text, names)]
        uses += check_when(action.when, names) if action.when else []
    except TemplateError:
        return None
    return sorted({read for use in uses for read in _read(use)})


def condition_reads(
    item: CatalogDocument, action: PlannedAction, earlier: Iterable[str]
) -> list[str] | None:
    """Return what an action's ``when`` reads, or None if unknown."""
    if not action.when:
        return []
    try:
        uses = check_when(action.when, names_for(item, None, tuple(earlier)))
    except TemplateError:
        return None
    return sorted({read for use in uses for read in _read(use)})


def _texts(action: PlannedAction) -> list[str]:
    return [*(text for _, text in walk_texts(action.config)), action.cleanup or ""]


def _read(use: tuple[str, ...]) -> list[str]:
    if use[:2] == ("request", "data"):
        use = ("fields", *use[2:])
    if use in (("request",), ("request", "*")):
        return ["fields.*"]
    if use[0] not in _SHARED_SCOPES:
        return []
    return [f"{use[0]}.{use[1] if len(use) > 1 else '*'}"]


def earlier_actions(actions: Sequence[PlannedAction]) -> dict[str, list[str]]:
    """Return for each action of a plan the ids of all that have ended before it begins."""
    waits: dict[str, list[str]] = {}
    before: PlannedAction | None = None
    for action in actions:
        default = [before.id] if before and before.fallback == action.fallback else []
        waits[action.id] = default if action.depends_on is None else action.depends_on
        before = action
    return ordering.ancestors(waits)
