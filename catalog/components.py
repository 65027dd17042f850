"""The values that a bundle passes to its components: rendered and validated. Pure.

The API renders when a bundle is submitted, the worker when a component begins whose values depend
on others, so both see the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from catalog.bundle import CatalogBundle, Component
from catalog.form_context import form_context
from catalog.forms import FieldError
from catalog.loading import walk_texts
from catalog.model import CatalogDocument
from catalog.scopes import ScopeContext, build_scopes, names_for
from catalog.secrets import mask_passwords
from catalog.templating import Escaping, Names, TemplateError, check, render_config
from pao.core.passwords import PasswordFields
from pao.core.payloads.context import RequestContext

# What depends on a field that is not known yet; rules may as well.
_DEPENDENT_CONSTRAINTS = frozenset({"hidden", "required", "readOnly", "computed"})


@dataclass(frozen=True, slots=True)
class ComponentValues:
    """The values of a component's form; ``waiting`` names those that depend on other components.

    Values are complete, with defaults, when nothing waits and there are no problems; ``computed``
    names those that the form computed.
    """

    values: dict[str, Any]
    waiting: tuple[str, ...] = ()
    problems: tuple[FieldError, ...] = ()
    computed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentContext:
    """What the values of a component are rendered from: the bundle's request, secrets, results."""

    context: RequestContext
    scope_context: ScopeContext
    secrets: Mapping[str, str]
    components: Mapping[str, Any] | None = None


def component_values(
    bundle: CatalogBundle,
    component: Component,
    item: CatalogDocument,
    context: ComponentContext,
    today: date,
) -> ComponentValues:
    """Render the values for a component and validate them by the form of the component's item.

    Without ``components`` nothing has run yet: what needs other components waits.
    """
    names = names_for_component(bundle, component, context.scope_context)
    scopes = _scopes(bundle, context)
    values: dict[str, Any] = {}
    waiting: list[str] = []
    problems: list[FieldError] = []
    for key, template in component.config.items():
        try:
            uses = {use[0] for use in _uses(template, names)}
            if context.components is None and "components" in uses:
                waiting.append(key)
                continue
            values[key] = _value(key, template, names, scopes, item.passwords)
        except TemplateError as error:
            problems.append(FieldError(key, "template", str(error)))
    if not problems:
        given, at = context.context, datetime.fromisoformat(context.context.submitted_at)
        about = form_context(item, given.requester, at, context.scope_context)
        result = item.form.validate(_present(values), today, about)
        problems += _certain_errors(result.errors, waiting)
        if not waiting and not problems:
            return ComponentValues(result.values, computed=result.computed)
    return ComponentValues(values, tuple(waiting), tuple(problems))


def names_for_component(
    bundle: CatalogBundle, component: Component, scope_context: ScopeContext
) -> Names:
    """Return the names that a component's templates may use: those that surely ran before it."""
    names = names_for(bundle, scope_context)
    return Names(
        groups=names.groups,
        outputs=(),
        components=bundle.ready_before[component.id],
        environment=names.environment,
        item=bundle.id,
    )


def _scopes(bundle: CatalogBundle, context: ComponentContext) -> dict[str, Any]:
    scopes = build_scopes(
        context.context,
        context.scope_context,
        form=bundle.fields,
        secrets=context.secrets,
        outputs={},
    )
    return scopes | {"components": dict(context.components or {})}


def _uses(template: Any, names: Names) -> Iterator[tuple[str, ...]]:
    for _, text in walk_texts(template):
        yield from check(text, names)


def _value(
    key: str, template: Any, names: Names, scopes: Mapping[str, Any], passwords: PasswordFields
) -> Any:
    plain = render_config(template, scopes, names, _no_escaping)
    masked = render_config(template, scopes, names, _no_escaping, reveal=False)
    if mask_passwords({key: plain}, passwords) != mask_passwords({key: masked}, passwords):
        raise TemplateError("template-refused", "a secret may only be passed to a password field")
    return plain


def _no_escaping(_place: tuple[str | int, ...]) -> Escaping:
    return Escaping.NONE


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _may_depend_on_others(constraint: str) -> bool:
    return constraint in _DEPENDENT_CONSTRAINTS or constraint.startswith("rule:")


def _certain_errors(errors: tuple[FieldError, ...], waiting: list[str]) -> list[FieldError]:
    """Return the errors; as long as something waits, only what cannot depend on it."""
    return [
        error
        for error in errors
        if not waiting
        or (error.field not in waiting and not _may_depend_on_others(error.constraint))
    ]
