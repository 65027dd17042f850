"""Renders a planned action for a request into what is sent.

Pure: the API dry-runs with it, the worker renders with it, so both see the same.
"""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from catalog.document_kinds import parse_definition
from catalog.scopes import ScopeContext, build_scopes, names_for
from catalog.secret_names import secret_names
from catalog.templating import (
    Escaping,
    Names,
    SecretValue,
    TemplateError,
    check_when,
    evaluate_when,
    render,
    render_config,
)
from pao.core.names import MASK
from pao.core.passwords import passwords_of
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.context import RequestContext
from pao.core.payloads.plan import PlannedAction

Place = tuple[str | int, ...]

RUNTIME_SCOPES = frozenset({"outputs", "fulfillment", "components", "secrets"})
"""Scopes that are empty until earlier actions have run on a worker."""


def render_action(  # noqa: PLR0913 -- what a rendering depends on, all of it named.
    action: PlannedAction,
    context: RequestContext,
    scope_context: ScopeContext,
    *,
    targets: Mapping[str, Escaping],
    secrets: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Any]],
    published: Mapping[str, Any] | None = None,
    kept: Mapping[str, str] | None = None,
    reveal: bool = True,
    learn: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Render an action's configuration; with ``reveal=False`` secrets are masked.

    ``learn`` is called with every text that functions and blocks make from a secret.

    ``kept`` holds the operator's secrets that the action names (`secret_names`); without it, in a
    dry run, they are masked. Raises ``TemplateError`` for the first template that fails.
    """
    scopes, names = bind(
        context, scope_context, secrets=secrets, outputs=outputs, published=published
    )
    named = secret_names(action.config) if kept is None else ()
    scopes["secrets"] = {
        name: SecretValue(value) for name, value in (kept or dict.fromkeys(named, MASK)).items()
    }
    choose = escaping_chooser(targets, action.config)
    rendered: dict[str, Any] = render_config(
        action.config, scopes, names, choose, reveal=reveal, learn=learn
    )
    return rendered


def condition_holds(
    action_input: ActionInput, scope_context: ScopeContext, *, secrets: Mapping[str, str]
) -> bool:
    """Return whether an action's ``when`` holds; raises ``TemplateError`` if it has no result."""
    scopes, names = bind(
        action_input.context,
        scope_context,
        secrets=secrets,
        outputs=action_input.outputs,
        published=action_input.published,
    )
    return evaluate_when(action_input.action.when or "true", scopes, names)


def condition_before(
    action: PlannedAction,
    context: RequestContext,
    scope_context: ScopeContext,
    *,
    secrets: Mapping[str, str],
) -> bool | None:
    """Return whether an action's ``when`` holds before anything has run.

    None where that is not known yet: it reads what earlier actions make, or has no result.
    """
    if action.when is None:
        return True
    scopes, names = bind(context, scope_context, secrets=secrets, outputs={})
    try:
        if any(use[0] in RUNTIME_SCOPES for use in check_when(action.when, names)):
            return None
        return evaluate_when(action.when, scopes, names)
    except TemplateError:
        return None


def render_cleanup(
    text: str,
    context: RequestContext,
    scope_context: ScopeContext,
    *,
    outputs: Mapping[str, Mapping[str, Any]],
) -> str:
    """Render what an item says about cleaning up; it is read by people, so secrets stay masked.

    A template that fails is given as it stands: an effect exists, and its guidance must not be
    what makes the action fail.
    """
    scopes, names = bind(
        context,
        scope_context,
        secrets=_empty_passwords(context),
        outputs=outputs,
    )
    try:
        return str(render(text, scopes, names, reveal=False))
    except TemplateError:
        return text


def _empty_passwords(context: RequestContext) -> dict[str, str]:
    """Return nothing for each password, as a secret."""
    passwords = passwords_of(context.item.definition)
    return dict.fromkeys([*passwords.fields, *passwords.values_in(context.fields)], "")


def bind(
    context: RequestContext,
    scope_context: ScopeContext,
    *,
    secrets: Mapping[str, str],
    outputs: Mapping[str, Mapping[str, Any]],
    published: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], Names]:
    """Return the scopes of a request's templates, and the names that exist in them."""
    item = parse_definition(context.item.definition)
    scopes = build_scopes(
        context,
        scope_context,
        form=item.fields,
        secrets=secrets,
        outputs=outputs,
        published=published or {},
    )
    return scopes, names_for(item, scope_context, tuple(outputs))


def escaping_chooser(
    targets: Mapping[str, Escaping], config: Mapping[str, Any] | None = None
) -> Callable[[Place], Escaping]:
    """Return the function that says for a place in a configuration which escaping it needs.

    A key may end in a condition on another one, ``body.content?body.type=json``; nothing after the
    equals sign means that the other one is not written. A star in it matches any path:
    ``blocks.*.url``; the longest such key counts.
    """
    chosen = dict(targets)
    for key, target in targets.items():
        place, _, condition = key.partition("?")
        other, _, value = condition.partition("=")
        if condition and _configured_text(config or {}, other) == value:
            chosen[place] = target

    stars = sorted((key for key in chosen if "*" in key), key=len, reverse=True)

    def choose(place: Place) -> Escaping:
        dotted = ".".join(str(part) for part in place)
        if dotted in chosen:
            return chosen[dotted]
        return next((chosen[key] for key in stars if fnmatchcase(dotted, key)), Escaping.NONE)

    return choose


def _configured_text(config: Mapping[str, Any], key: str) -> str:
    found: Any = config
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return "" if found is None else str(found)
