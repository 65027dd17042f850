"""Every template of an item, tried with a sample: what it reads, its result, its error."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.action_rendering import escaping_chooser
from catalog.fulfillment import Action
from catalog.loading import walk_texts
from catalog.model import CatalogDocument
from catalog.scopes import ScopeContext, build_scopes, names_for
from catalog.templating import (
    Escaping,
    Names,
    TemplateError,
    check,
    check_when,
    evaluate_when,
    render,
)
from catalog.testing.generated_values import outputs_of
from catalog.testing.samples import Sample, context_of, validate_sample
from catalog.validation import ActionSchema
from catalog.validation.templates import ended_before


@dataclass(frozen=True, slots=True)
class TemplateSample:
    """One template: its place, what it reads, and its result or its error.

    ``path`` leads to it in the document; line and column of the error count in the template.
    """

    action: str
    path: str
    template: str
    references: tuple[str, ...]
    result: Any = None
    error: TemplateError | None = None


@dataclass(frozen=True, slots=True)
class _TemplatePlace:
    """A text of an action with the names it may use."""

    action: Action
    path: str
    text: str
    names: Names
    target: Escaping = Escaping.NONE
    condition: bool = False


def try_templates(
    item: CatalogDocument,
    definition: dict[str, Any],
    sample: Sample,
    *,
    known_actions: Mapping[str, ActionSchema],
    scope_context: ScopeContext | None = None,
) -> list[TemplateSample]:
    """Try every text that has a template in it, manual actions first; secrets are masked.

    Outputs that the sample does not give are made up, so that what reads them can be seen.
    """
    around = scope_context or ScopeContext()
    result = validate_sample(item, sample, around)
    context, secrets = context_of(item, definition, result.values, sample)
    trials: list[TemplateSample] = []
    for way, actions in (("manual", item.manual_actions), ("automatic", item.automatic_actions)):
        outputs = _outputs(actions, sample, known_actions)
        scopes = build_scopes(
            context,
            around,
            form=item.fields,
            secrets=secrets,
            outputs=outputs,
        )
        for place in _places(item, way, actions, around, known_actions):
            trials += _trial(place, scopes)
    return trials


def _outputs(
    actions: tuple[Action, ...], sample: Sample, known: Mapping[str, ActionSchema]
) -> dict[str, Mapping[str, Any]]:
    made: dict[str, Mapping[str, Any]] = {}
    for action in actions:
        schema = known[action.type].outputs if action.type in known else {}
        given = sample.outputs.get(action.id, {})
        named = [output.name for output in action.outputs]
        made[action.id] = {**outputs_of(schema, action.id, action.config, named), **given}
    return made


def _places(
    item: CatalogDocument,
    way: str,
    actions: tuple[Action, ...],
    scope_context: ScopeContext,
    known: Mapping[str, ActionSchema],
) -> Iterator[_TemplatePlace]:
    automatic = item.fulfillment.automatic
    parallel = way == "automatic" and automatic is not None and automatic.parallel
    before = ended_before(actions, parallel=parallel)
    for index, action in enumerate(actions):
        earlier = tuple(before[action.id])
        names, after = (
            names_for(item, scope_context, ids) for ids in (earlier, (*earlier, action.id))
        )
        path = f"$.fulfillment.{way}.actions[{index}]"
        targets = known[action.type].targets if action.type in known else {}
        choose = escaping_chooser({key: Escaping(value) for key, value in targets.items()})
        if action.when:
            yield _TemplatePlace(action, f"{path}.when", action.when, names, condition=True)
        for place, text in walk_texts(action.config):
            yield _TemplatePlace(
                action, f"{path}.config{_path_text(place)}", text, names, choose(place)
            )
        if action.cleanup:
            yield _TemplatePlace(action, f"{path}.cleanup", action.cleanup, after)


def _trial(place: _TemplatePlace, scopes: Mapping[str, Any]) -> Iterator[TemplateSample]:
    """Try one text; yields nothing for a text without a template."""
    action, path, text = place.action.id, place.path, place.text
    references: tuple[str, ...] = ()
    try:
        uses = (check_when if place.condition else check)(text, place.names)
        references = tuple(".".join(use) for use in uses)
        result = _evaluate(place, scopes)
    except TemplateError as error:
        yield TemplateSample(action, path, text, references, error=error)
        return
    if references or place.condition or result != text:
        yield TemplateSample(action, path, text, references, result)


def _evaluate(place: _TemplatePlace, scopes: Mapping[str, Any]) -> Any:
    if place.condition:
        return evaluate_when(place.text, scopes, place.names)
    return render(place.text, scopes, place.names, place.target, reveal=False)


def _path_text(place: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
