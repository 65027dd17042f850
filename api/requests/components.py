"""A bundle with its components, read together, and how the components are shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.requests import presentation as presenting
from api.requests import schemas
from db.models import Request, RequestAction
from db.repositories.requests import RequestsRepository
from pao.core.components import COMPONENT


@dataclass(frozen=True, slots=True)
class ComponentRequest:
    """A component's own request; ``action`` represents it in the bundle."""

    action: RequestAction
    row: Request
    actions: list[RequestAction]

    @property
    def component(self) -> str:
        """The id of the component."""
        return self.row.component_id or ""


async def read_components(
    repository: RequestsRepository, request_id: str, actions: Sequence[RequestAction]
) -> list[ComponentRequest]:
    """Read the components of a bundle in the order of its plan; empty for other requests."""
    places = {one.config.get("requestId"): one for one in actions if one.type == COMPONENT}
    if not places:
        return []
    rows = {str(row.id): row for row in await repository.get_components(request_id)}
    found = await repository.get_actions_of([row.id for row in rows.values()])
    return [
        ComponentRequest(place, rows[key], found[rows[key].id])
        for key, place in places.items()
        if key in rows
    ]


def own_actions(actions: Sequence[RequestAction]) -> list[RequestAction]:
    """Return the actions of the request itself, without those that represent components."""
    return [one for one in actions if one.type != COMPONENT]


def component_document(component: ComponentRequest, *, workflow: str | None) -> schemas.Component:
    """Return one component: its own request, with its state and actions."""
    row = component.row
    return schemas.Component(
        id=component.component,
        name=component.action.name,
        title=presenting.title(row),
        request_id=str(row.id),
        catalog_item_id=row.catalog_item_id,
        catalog_item_version=row.catalog_item_version,
        status=row.status,
        retrying=row.retrying,
        depends_on=component.action.config.get("dependsOn") or [],
        error=presenting.failure(row.error),
        actions=[presenting.action(one) for one in component.actions],
        links=schemas.RequestLinks(self=f"{presenting.BASE}/requests/{row.id}", workflow=workflow),
    )


def component_status(component: ComponentRequest) -> schemas.ComponentStatus:
    """Return the state of one component, in short."""
    return schemas.ComponentStatus(
        id=component.component,
        request_id=str(component.row.id),
        status=component.row.status,
        retrying=component.row.retrying,
        progress=presenting.progress(component.actions),
    )
