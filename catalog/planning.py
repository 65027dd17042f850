"""From an item and its fields to the ordered plan, and from a planned action to what is sent.

Pure: the API plans and dry-runs with it, the worker renders with it, so both see the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

from catalog.kinds import parse_definition
from catalog.loading import walk_texts
from catalog.model import CatalogDocument
from catalog.scopes import Surroundings, build_scopes
from catalog.templating import Names, Target, TemplateError, check, render, render_config
from pao.core.definitions import password_fields
from pao.core.payloads import ItemSnapshot, PlannedAction, RequestContext

Place = tuple[str | int, ...]


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


def plan(item: CatalogDocument) -> list[PlannedAction]:
    """Give the actions in the order in which they run, with templates still in them."""
    return [
        PlannedAction(
            id=action.id,
            index=index,
            type=action.type,
            name=action.name,
            config=action.config,
            cleanup=action.cleanup,
        )
        for index, action in enumerate(item.manual_actions)
    ]


def names_for(
    item: CatalogDocument, surroundings: Surroundings, earlier: tuple[str, ...] = ()
) -> Names:
    """Give the names that templates of this item may use after the given actions."""
    return Names(
        groups={group.id: tuple(field.id for field in group.fields) for group in item.groups},
        outputs=earlier,
        environment=tuple(surroundings.variables),
    )


def check_plan(
    item: CatalogDocument,
    actions: list[PlannedAction],
    surroundings: Surroundings,
    targets: Mapping[str, Mapping[str, Target]],
) -> list[str]:
    """Check every template against the scopes that it will have; gives one sentence per problem."""
    problems: list[str] = []
    for action in actions:
        earlier = tuple(other.id for other in actions[: action.index])
        names = names_for(item, surroundings, earlier)
        choose = target_chooser(targets.get(action.type, {}))
        problems += _check_config(action, names, choose)
        problems += _check_cleanup(action, names_for(item, surroundings, (*earlier, action.id)))
    return problems


def render_action(  # noqa: PLR0913 -- what a rendering depends on, all of it named.
    action: PlannedAction,
    context: RequestContext,
    surroundings: Surroundings,
    *,
    targets: Mapping[str, Target],
    secrets: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Any]],
    reveal: bool = True,
) -> dict[str, Any]:
    """Render an action's configuration; with ``reveal=False`` secrets show as stars.

    Raises ``TemplateError`` for the first template that fails.
    """
    scopes, names = _bind(context, surroundings, secrets=secrets, outputs=outputs)
    rendered: dict[str, Any] = render_config(
        action.config, scopes, names, target_chooser(targets), reveal=reveal
    )
    return rendered


def render_cleanup(
    text: str,
    context: RequestContext,
    surroundings: Surroundings,
    *,
    outputs: Mapping[str, Mapping[str, Any]],
) -> str:
    """Render what an item says about cleaning up; it is read by people, so secrets stay masked.

    A template that fails is given as it stands: an effect exists, and its guidance must not be
    what makes the action fail.
    """
    scopes, names = _bind(
        context,
        surroundings,
        secrets=dict.fromkeys(password_fields(context.item.definition), ""),
        outputs=outputs,
    )
    try:
        return str(render(text, scopes, names, reveal=False))
    except TemplateError:
        return text


def _bind(
    context: RequestContext,
    surroundings: Surroundings,
    *,
    secrets: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, Any], Names]:
    item = parse_definition(context.item.definition)
    scopes = build_scopes(
        context,
        surroundings,
        field_ids=[field.id for group in item.groups for field in group.fields],
        secrets=secrets,
        outputs=outputs,
    )
    return scopes, names_for(item, surroundings, tuple(outputs))


def target_chooser(targets: Mapping[str, Target]) -> Callable[[Place], Target]:
    """Give the function that says for a place in a configuration which escaping it needs."""

    def choose(place: Place) -> Target:
        return targets.get(".".join(str(part) for part in place), Target.NONE)

    return choose


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


def _check_cleanup(action: PlannedAction, names: Names) -> list[str]:
    try:
        check(action.cleanup or "", names, Target.NONE)
    except TemplateError as error:
        return [f"action {action.id}, cleanup: {error}"]
    return []
