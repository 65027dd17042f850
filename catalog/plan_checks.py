"""Checks every template of a plan against the scopes that it will have. Pure."""

from collections.abc import Callable, Mapping

from catalog.action_rendering import Place, escaping_chooser
from catalog.loading import walk_texts
from catalog.model import CatalogDocument
from catalog.planning import earlier_actions
from catalog.scopes import ScopeContext, names_for
from catalog.templating import Escaping, Names, TemplateError, check, check_when
from pao.core.payloads.plan import PlannedAction


def check_plan(
    item: CatalogDocument,
    actions: list[PlannedAction],
    scope_context: ScopeContext,
    targets: Mapping[str, Mapping[str, Escaping]],
) -> list[str]:
    """Check every template against its later scopes; returns one sentence per problem."""
    problems: list[str] = []
    before = earlier_actions(actions)
    keys = {action.id: action.key for action in actions}
    for action in actions:
        earlier = tuple(keys[other] for other in before[action.id])
        names = names_for(item, scope_context, earlier)
        choose = escaping_chooser(targets.get(action.type, {}))
        problems += _check_when(action, names)
        problems += _check_config(action, names, choose)
        problems += _check_cleanup(action, names_for(item, scope_context, (*earlier, action.key)))
    return problems


def _check_config(
    action: PlannedAction, names: Names, choose: Callable[[Place], Escaping]
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
        check(action.cleanup or "", names, Escaping.NONE)
    except TemplateError as error:
        return [f"action {action.id}, cleanup: {error}"]
    return []
