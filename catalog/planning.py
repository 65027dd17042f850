"""From an item and its fields to the ordered plan, and from a planned action to what is sent.

Pure: the API plans and dry-runs with it, the worker renders with it, so both see the same.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from catalog import action_order as ordering
from catalog.bundle import CatalogBundle
from catalog.document_kinds import parse_definition
from catalog.loading import walk_texts
from catalog.model import Action, CatalogDocument, Mode
from catalog.scopes import ScopeContext, build_scopes
from catalog.templating import (
    Names,
    SecretValue,
    Target,
    TemplateError,
    check,
    check_when,
    evaluate_when,
    render,
    render_config,
)
from pao.core.definitions import password_fields
from pao.core.durations import seconds_of
from pao.core.names import MASK
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.context import ItemSnapshot, RequestContext
from pao.core.payloads.plan import PlannedAction

Place = tuple[str | int, ...]
Uses = list[tuple[str, ...]]

FALLBACK = "manual-"
"""What stands before the ids of a fallback's actions, so that both ways can be told apart."""
_SECRET = re.compile(r"\bsecrets[./]([A-Za-z][A-Za-z0-9_]*)")
_WIDE = {"fields", "outputs", "fulfillment", "components"}


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
    """Give what a request keeps of its item, so that later changes do not reach it."""
    return ItemSnapshot(
        id=item.id,
        version=item.version,
        name=item.name,
        owner_team=item.owner_team,
        git_sha=sha,
        definition=definition,
    )


def plan(item: CatalogDocument, traits: Traits | None = None) -> list[PlannedAction]:
    """Give the actions of the item's mode, each after what it waits for, templates still in them.

    A hybrid item's manual actions follow, marked as ``fallback``; their ids carry ``manual-`` in
    front, because both ways are shown, marked and looked for in one request.
    """
    known = traits or {}
    steps = _steps(item, known)
    return steps + _notices(item, known, after=len(steps))


def _steps(item: CatalogDocument, traits: Traits) -> list[PlannedAction]:
    if item.mode is Mode.MANUAL or item.fulfillment.automatic is None:
        return _planned(item, item.manual_actions, traits)
    parallel = item.fulfillment.automatic.parallel
    planned = _planned(item, item.automatic_actions, traits, parallel=parallel)
    if item.mode is Mode.HYBRID:
        planned += _as_fallback(_planned(item, item.manual_actions, traits), planned)
    return planned


def _notices(item: CatalogDocument, traits: Traits, *, after: int) -> list[PlannedAction]:
    """Give the item's notifications; they wait for nothing and nothing waits for them."""
    lists = {"failure": item.fulfillment.on_failure, "waiting": item.fulfillment.on_waiting}
    notices: list[PlannedAction] = []
    for event, actions in lists.items():
        for one in _planned(item, actions, traits, parallel=True):
            one.alias, one.id = one.id, f"on-{event}-{one.id}"
            one.index, one.notice = after + len(notices), event
            notices.append(one)
    return notices


def _planned(
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
    """Name what an action's templates read, or None where that cannot be told.

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
    """Name what an action's ``when`` reads, or None where that cannot be told."""
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
    if use[0] not in _WIDE:
        return []
    return [f"{use[0]}.{use[1] if len(use) > 1 else '*'}"]


def earlier_of(actions: Sequence[PlannedAction]) -> dict[str, list[str]]:
    """Give for each action of a plan the ids of all that have ended before it begins."""
    waits: dict[str, list[str]] = {}
    before: PlannedAction | None = None
    for action in actions:
        default = [before.id] if before and before.fallback == action.fallback else []
        waits[action.id] = default if action.depends_on is None else action.depends_on
        before = action
    return ordering.ancestors(waits)


def names_for(
    item: CatalogDocument, surroundings: ScopeContext | None, earlier: tuple[str, ...] = ()
) -> Names:
    """Give the names that templates of this item may use after the given actions."""
    return Names(
        groups={group.id: tuple(field.id for field in group.fields) for group in item.groups},
        outputs=earlier,
        environment=tuple(surroundings.variables) if surroundings else (),
        **_of_bundle(item),
    )


def _of_bundle(item: CatalogDocument) -> dict[str, Any]:
    """Give what the own actions of a bundle may name besides: all components, and its own id."""
    if not isinstance(item, CatalogBundle):
        return {}
    return {"components": tuple(one.id for one in item.components), "item": item.id}


def check_plan(
    item: CatalogDocument,
    actions: list[PlannedAction],
    surroundings: ScopeContext,
    targets: Mapping[str, Mapping[str, Target]],
) -> list[str]:
    """Check every template against the scopes that it will have; gives one sentence per problem."""
    problems: list[str] = []
    before = earlier_of(actions)
    keys = {action.id: action.key for action in actions}
    for action in actions:
        earlier = tuple(keys[other] for other in before[action.id])
        names = names_for(item, surroundings, earlier)
        choose = target_chooser(targets.get(action.type, {}))
        problems += _check_when(action, names)
        problems += _check_config(action, names, choose)
        problems += _check_cleanup(action, names_for(item, surroundings, (*earlier, action.key)))
    return problems


def render_action(  # noqa: PLR0913 -- what a rendering depends on, all of it named.
    action: PlannedAction,
    context: RequestContext,
    surroundings: ScopeContext,
    *,
    targets: Mapping[str, Target],
    secrets: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Any]],
    published: Mapping[str, Any] | None = None,
    kept: Mapping[str, str] | None = None,
    reveal: bool = True,
    learn: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Render an action's configuration; with ``reveal=False`` secrets show as stars.

    ``learn`` is told every text that functions and blocks have made of a secret.

    ``kept`` holds the operator's secrets that the action names (`secret_names`); without it, in a
    dry run, they are stars. Raises ``TemplateError`` for the first template that fails.
    """
    scopes, names = bind(
        context, surroundings, secrets=secrets, outputs=outputs, published=published
    )
    named = secret_names(action) if kept is None else ()
    scopes["secrets"] = {
        name: SecretValue(value) for name, value in (kept or dict.fromkeys(named, MASK)).items()
    }
    choose = target_chooser(targets, action.config)
    rendered: dict[str, Any] = render_config(
        action.config, scopes, names, choose, reveal=reveal, learn=learn
    )
    return rendered


def secret_names(action: PlannedAction) -> list[str]:
    """Give the names of the operator's secrets that an action's configuration reads."""
    found: dict[str, None] = {}
    for _, text in walk_texts(action.config):
        if "secrets" in text:
            found.update(dict.fromkeys(_SECRET.findall(text)))
    return list(found)


def condition_holds(
    given: ActionInput, surroundings: ScopeContext, *, secrets: Mapping[str, str]
) -> bool:
    """Tell whether an action's ``when`` holds; raises ``TemplateError`` where nobody can tell."""
    scopes, names = bind(
        given.context,
        surroundings,
        secrets=secrets,
        outputs=given.outputs,
        published=given.published,
    )
    return evaluate_when(given.action.when or "true", scopes, names)


def render_cleanup(
    text: str,
    context: RequestContext,
    surroundings: ScopeContext,
    *,
    outputs: Mapping[str, Mapping[str, Any]],
) -> str:
    """Render what an item says about cleaning up; it is read by people, so secrets stay masked.

    A template that fails is given as it stands: an effect exists, and its guidance must not be
    what makes the action fail.
    """
    scopes, names = bind(
        context,
        surroundings,
        secrets=dict.fromkeys(password_fields(context.item.definition), ""),
        outputs=outputs,
    )
    try:
        return str(render(text, scopes, names, reveal=False))
    except TemplateError:
        return text


def bind(
    context: RequestContext,
    surroundings: ScopeContext,
    *,
    secrets: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Any]],
    published: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], Names]:
    """Return the scopes of a request's templates, and the names that exist in them."""
    item = parse_definition(context.item.definition)
    scopes = build_scopes(
        context,
        surroundings,
        field_ids=[field.id for group in item.groups for field in group.fields],
        secrets=secrets,
        outputs=outputs,
        published=published or {},
    )
    return scopes, names_for(item, surroundings, tuple(outputs))


def target_chooser(
    targets: Mapping[str, Target], config: Mapping[str, Any] | None = None
) -> Callable[[Place], Target]:
    """Give the function that says for a place in a configuration which escaping it needs.

    A key may end in a condition on another one, ``body.content?body.type=json``; nothing after the
    equals sign means that the other one is not written. A star in it stands for any way down:
    ``blocks.*.url``; the longest such key counts.
    """
    chosen = dict(targets)
    for key, target in targets.items():
        place, _, condition = key.partition("?")
        other, _, value = condition.partition("=")
        if condition and _written(config or {}, other) == value:
            chosen[place] = target

    stars = sorted((key for key in chosen if "*" in key), key=len, reverse=True)

    def choose(place: Place) -> Target:
        dotted = ".".join(str(part) for part in place)
        if dotted in chosen:
            return chosen[dotted]
        return next((chosen[key] for key in stars if fnmatchcase(dotted, key)), Target.NONE)

    return choose


def _written(config: Mapping[str, Any], key: str) -> str:
    found: Any = config
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return "" if found is None else str(found)


def _check_config(
    action: PlannedAction, names: Names, choose: Callable[[Place], Target]
) -> list[str]:
    problems = []
    for place, text in walk_texts(action.config):
        try:
            check(text, names, choose(place))
        except TemplateError as error:
            where = ".".join(str(part) for part in place)
            problems.append(f"action {action.id}, {where}: {error}")
    return problems


def _check_when(action: PlannedAction, names: Names) -> list[str]:
    try:
        check_when(action.when or "true", names)
    except TemplateError as error:
        return [f"action {action.id}, when: {error}"]
    return []


def _check_cleanup(action: PlannedAction, names: Names) -> list[str]:
    try:
        check(action.cleanup or "", names, Target.NONE)
    except TemplateError as error:
        return [f"action {action.id}, cleanup: {error}"]
    return []
