"""Preparing a bundle: its own form, and every component as a submission of its own. Stores nothing.

What a submission is and how one item is prepared is in preparation.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from api.catalog.service import CatalogService, ServedItem
from api.requests import schemas
from api.requests.item_preparation import ItemPreparer, with_result
from api.requests.lifecycle import require_offered
from api.requests.prepared import (
    PreparedComponent,
    PreparedSubmission,
    SubmissionCall,
    require_carriable,
    size_of,
)
from api.requests.schemas import Submission
from catalog.bundle import CatalogBundle, Component, OrchestrationMode
from catalog.components import ComponentContext, ComponentValues, component_values
from catalog.forms import FieldError, FormContext
from pao.core.components import COMPONENT, TICKET_LINKS, TICKET_LINKS_ID, component_action
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.names import masked
from pao.core.payloads.plan import PlannedAction

MAX_BUNDLE_JSON = 8_000_000
"""Bytes of all components together: each is twice in the history of the bundle's workflow."""


async def served_items(bundle: CatalogBundle, catalog: CatalogService) -> dict[str, ServedItem]:
    """Return the items of a bundle as they are in service now, by their ids."""
    items: dict[str, ServedItem] = {}
    for component in bundle.components:
        try:
            items[component.catalog_item] = await catalog.served_item(component.catalog_item)
        except PaoError as error:
            if error.code != ErrorCode.CATALOG_ITEM_NOT_FOUND:
                raise
            message = f"the item {component.catalog_item} is not in service"
            raise _component_error(
                bundle, component, (_item_detail("catalogItem", message),)
            ) from error
    return items


def prepare_bundle(  # noqa: PLR0913 -- what a bundle is prepared from, each part named
    preparer: ItemPreparer,
    served_item: ServedItem,
    items: Mapping[str, ServedItem],
    *,
    body: Submission,
    call: SubmissionCall,
    context: FormContext,
) -> PreparedSubmission:
    """Check a bundle and all of its components, and plan it; nothing is stored."""
    bundle = served_item.loaded.item
    if not isinstance(bundle, CatalogBundle):
        raise TypeError("only bundles are prepared here")
    for one in (served_item, *items.values()):
        preparer.authorize(one, call.caller)
        require_offered(one.loaded.item, datetime.now(UTC).date())
    result = preparer.validate_fields(served_item, body.fields, context)
    prepared = preparer.plan_actions(served_item, result.values, body, call)
    prepared = with_result(prepared, body.fields, result)
    preparer.check_actions(served_item, prepared)
    preparer.check_templates(served_item, prepared, complete=False)
    components = tuple(
        _component(preparer, bundle, one, items[one.catalog_item], prepared, body=body, call=call)
        for one in bundle.ordered_components
    )
    planned = [
        *_component_actions(bundle, components),
        *_link_actions(bundle, components),
        *prepared.actions,
    ]
    for index, action in enumerate(planned):
        action.index = index
    slow = prepared.slow or any(one.prepared.slow for one in components)
    whole = replace(prepared, actions=planned, components=components, slow=slow)
    _require_bundle_carriable(whole)
    return whole


def _component(  # noqa: PLR0913 -- what a component is made from, each part named
    preparer: ItemPreparer,
    bundle: CatalogBundle,
    component: Component,
    served_item: ServedItem,
    whole: PreparedSubmission,
    *,
    body: Submission,
    call: SubmissionCall,
) -> PreparedComponent:
    found = _component_values(preparer, bundle, component, served_item, whole)
    prepared = preparer.plan_actions(served_item, found.values, body, call)
    prepared = replace(prepared, sent=tuple(component.config), computed=found.computed)
    try:
        preparer.check_actions(served_item, prepared, waiting=found.waiting)
        preparer.check_templates(served_item, prepared, complete=not found.waiting)
    except PaoError as error:
        details = tuple(_component_detail(component, one) for one in error.details)
        raise _component_error(bundle, component, details) from error
    return PreparedComponent(
        component.id, component.label, prepared, component.depends_on, found.waiting
    )


def _component_values(
    preparer: ItemPreparer,
    bundle: CatalogBundle,
    component: Component,
    served_item: ServedItem,
    whole: PreparedSubmission,
) -> ComponentValues:
    item = served_item.loaded.item
    if isinstance(item, CatalogBundle):
        message = f"{item.id} is a bundle, and bundles hold items only"
        raise _component_error(bundle, component, (_item_detail("catalogItem", message),))
    context = ComponentContext(
        context=whole.context,
        scope_context=preparer.settings.scope_context,
        secrets=whole.secrets,
    )
    found = component_values(bundle, component, item, context, datetime.now(UTC).date())
    if found.problems:
        raise refused_values(bundle, component, found.problems)
    return found


def refused_values(
    bundle: CatalogBundle, component: Component, problems: Sequence[FieldError]
) -> PaoError:
    """Return the error for values that the form of a component's item refuses."""
    details = tuple(
        Detail(
            field=f"components.{component.id}.config.{one.field}",
            constraint=one.constraint,
            message=one.message,
            received=one.received,
            expected=one.expected,
        )
        for one in problems
    )
    return _component_error(bundle, component, details)


def _component_actions(
    bundle: CatalogBundle, components: tuple[PreparedComponent, ...]
) -> list[PlannedAction]:
    """Return the actions that represent the components; templates use the components' ids."""
    actions: list[PlannedAction] = []
    for component, planned_component in zip(bundle.ordered_components, components, strict=True):
        waits = list(dict.fromkeys(planned_component.depends_on))
        if bundle.orchestration.mode is OrchestrationMode.SEQUENTIAL and actions:
            waits = list(dict.fromkeys([actions[-1].key, *waits]))
        actions.append(
            PlannedAction(
                id=component_action(planned_component.id),
                index=0,
                type=COMPONENT,
                name=planned_component.name,
                alias=planned_component.id,
                depends_on=[component_action(one) for one in waits],
                config={
                    "component": planned_component.id,
                    "catalogItem": component.catalog_item,
                    "requestId": planned_component.prepared.context.request_id,
                    "dependsOn": list(planned_component.depends_on),
                    "waiting": list(planned_component.waiting),
                },
            )
        )
    return actions


def _link_actions(
    bundle: CatalogBundle, components: tuple[PreparedComponent, ...]
) -> list[PlannedAction]:
    """Return the action that ties the components' tickets together, where there are any to tie."""
    linking = bundle.orchestration.jira_linking
    with_ticket = {one.id for one in components if _has_ticket(one.prepared)}
    pairs = [
        [earlier, one.id]
        for one in components
        for earlier in one.depends_on
        if {earlier, one.id} <= with_ticket
    ]
    if not pairs and not linking.parent_ticket:
        return []
    config = {
        "linkType": linking.link_type,
        "pairs": pairs,
        "parentTicket": linking.parent_ticket,
    }
    return [
        PlannedAction(
            id=TICKET_LINKS_ID,
            index=0,
            type=TICKET_LINKS,
            name="Link the tickets",
            config=config,
            depends_on=[],
        )
    ]


def _has_ticket(prepared: PreparedSubmission) -> bool:
    return any(one.type == "jira-ticket" and one.notice is None for one in prepared.actions)


def render_components(
    preparer: ItemPreparer, prepared: PreparedSubmission
) -> list[schemas.RenderedComponent]:
    """Show every component as it would be requested: its fields and actions, secrets masked.

    What depends on other components is named under ``waiting``.
    """
    return [
        schemas.RenderedComponent(
            id=one.id,
            name=one.name,
            catalog_item_id=one.prepared.context.item.id,
            catalog_item_version=one.prepared.context.item.version,
            depends_on=list(one.depends_on),
            fields=masked(one.prepared.context.fields),
            waiting=list(one.waiting),
            actions=preparer.render(one.prepared, complete=not one.waiting),
        )
        for one in prepared.components
    ]


def _require_bundle_carriable(whole: PreparedSubmission) -> None:
    require_carriable(whole)
    for one in whole.components:
        require_carriable(one.prepared)
    size = sum(size_of(one.prepared) for one in whole.components)
    if size > MAX_BUNDLE_JSON:
        raise PaoError(
            ErrorCode.VALIDATION_ERROR,
            f"{whole.context.item.name} is too large to be requested: its components are {size:,} "
            f"bytes of JSON; the limit is {MAX_BUNDLE_JSON:,}. Tell its owner.",
        )


def _component_detail(component: Component, detail: Detail) -> Detail:
    """Return the path in the bundle that sets a field of a component's item."""
    scope, _, name = detail.field.partition(".")
    if scope != "fields":
        return detail
    return replace(detail, field=f"components.{component.id}.config.{name}")


def _item_detail(field: str, message: str) -> Detail:
    return Detail(field=field, constraint="component", message=message)


def _component_error(
    bundle: CatalogBundle, component: Component, details: tuple[Detail, ...]
) -> PaoError:
    return PaoError(
        ErrorCode.VALIDATION_ERROR,
        f"The component {component.label} cannot be requested with these values: "
        f"{details[0].message if details else 'its templates are invalid'}. If the bundle's form "
        f"takes them, tell its owner, {bundle.owner_team or 'the platform team'}.",
        details=details,
    )
