"""What a request with these fields would do: refused fields, or every call as it would be sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.action_rendering import render_action
from catalog.forms.form import FieldError
from catalog.model import CatalogDocument
from catalog.planning import plan
from catalog.scopes import ScopeContext
from catalog.templating import Escaping, TemplateError
from catalog.testing.generated_values import outputs_of, with_variables
from catalog.testing.samples import Sample, context_of, validate_sample
from catalog.validation import ActionSchema
from pao.core.payloads.context import RequestContext
from pao.core.payloads.plan import PlannedAction


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """Either ``refused`` says why the fields are not taken, or ``actions`` are what is sent.

    ``title`` is what the request would be called. An action has ``id``, ``type``, ``name`` and
    ``config``, or ``error`` in place of the latter.
    """

    values: dict[str, Any]
    title: str = ""
    refused: tuple[FieldError, ...] = ()
    actions: tuple[dict[str, Any], ...] = ()

    @property
    def works(self) -> bool:
        """Whether the fields are taken and everything can be rendered."""
        return not self.refused and not any("error" in action for action in self.actions)


def dry_run(
    item: CatalogDocument,
    definition: dict[str, Any],
    sample: Sample,
    *,
    known_actions: Mapping[str, ActionSchema],
    scope_context: ScopeContext | None = None,
) -> DryRunResult:
    """Do everything that submission does, except submitting; secrets are masked.

    Outputs of earlier actions are the sample's, or made up; without ``scope_context`` so are
    variables of the environment.
    """
    around = scope_context or with_variables(ScopeContext(), definition, sample.environment)
    result = validate_sample(item, sample, around)
    context, secrets = context_of(item, definition, result.values, sample)
    if not result.valid:
        return DryRunResult(context.fields, refused=result.errors)
    outputs: dict[str, Mapping[str, Any]] = {}
    published: dict[str, Any] = {}
    actions = []
    for action in plan(item):
        schema = known_actions.get(action.type) or ActionSchema(config={})
        rendered = _render(
            action,
            context,
            around,
            targets={key: Escaping(value) for key, value in schema.targets.items()},
            secrets=secrets,
            outputs=outputs,
            published=published,
        )
        rendered = _check_config(rendered, schema)
        actions.append({"id": action.id, "type": action.type, "name": action.name, **rendered})
        given = sample.outputs.get(action.key, {})
        made = outputs_of(schema.outputs, action.key, action.config, action.publishes)
        outputs[action.key] = {**made, **given}
        published |= {name: outputs[action.key][name] for name in action.publishes}
    return DryRunResult(context.fields, context.title or "", actions=tuple(actions))


def _check_config(rendered: dict[str, Any], schema: ActionSchema) -> dict[str, Any]:
    """Add what the model of the action says, where everything could be rendered."""
    if "config" not in rendered or schema.validate_config is None:
        return rendered
    problems = schema.validate_config(rendered["config"])
    message = "; ".join(f"{'.'.join(map(str, one.place))}: {one.message}" for one in problems)
    if message:
        return {"error": message}
    return {"config": schema.reader(rendered["config"])} if schema.reader else rendered


def _render(
    action: PlannedAction, context: RequestContext, scope_context: ScopeContext, **given: Any
) -> dict[str, Any]:
    try:
        return {"config": render_action(action, context, scope_context, reveal=False, **given)}
    except TemplateError as error:
        return {"error": str(error)}
