"""Builders of bundles for the worker: a parent and a request per component, in a few words."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.bundle import CatalogBundle
from catalog.planning import snapshot_of
from db.repositories.requests import NewRequest, RequestsRepository
from pao.core.components import COMPONENT, component_action
from pao.core.payloads.plan import PlannedAction
from tests.support.requests import Document, Request, item, new_request, ticket
from tests.support.worker import Workbench


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle ready to be stored and started; ``parts`` are its components' requests by id."""

    whole: Request
    parts: dict[str, Request]

    async def submit(self, bench: Workbench) -> Request:
        """Store bundle and components at once, and start the bundle; waits for nothing."""
        await self.store(bench)
        await bench.workflows.start(self.whole.given, summary=self.whole.context.summary)
        return self.whole

    async def store(self, bench: Workbench) -> None:
        """Store bundle and components at once."""
        whole = self.whole
        async with bench.database.unit_of_work() as session:
            repository = RequestsRepository(session)
            await repository.insert(NewRequest(context=whole.context, plan=whole.plan))
            for name in self.parts:
                await self.insert(name, session)

    async def insert(self, name: str, session: AsyncSession) -> None:
        """Store a component's request."""
        part = self.parts[name]
        new = NewRequest(
            context=part.context, plan=part.plan, parent_id=self.whole.id, component_id=name
        )
        await RequestsRepository(session).insert(new)


def new_bundle(
    *own: Document,
    after: dict[str, list[str]] | None = None,
    items: dict[str, Document] | None = None,
) -> Bundle:
    """Return a bundle whose components each ask for one ticket that is named after the component.

    ``after`` names what each waits for; the title of one that waits is that of the first it names.
    ``items`` are the documents of components that do something else.
    """
    order = after or {"left": [], "right": [], "last": ["left"]}
    given = items or {}
    parts = {
        name: new_request(ticket(name), definition=given.get(name), title=name) for name in order
    }
    document = _document(order, own)
    bundle = CatalogBundle.model_validate(document)
    whole = new_request(*own) if own else new_request()
    context = replace(whole.context, item=snapshot_of(bundle, document, "abc123"))
    actions = [_action(name, waits, parts[name]) for name, waits in order.items()]
    planned = [*actions, *(whole.plan if own else [])]
    for index, action in enumerate(planned):
        action.index = index
    return Bundle(Request(context, planned), parts)


def _document(order: dict[str, list[str]], own: tuple[Document, ...]) -> Document:
    document = item(own or (ticket(),))
    metadata = {**document["metadata"], "id": f"bundle-{uuid4().hex[:6]}", "name": "Bundle"}
    components = [
        {
            "id": name,
            "catalogItem": "thing",
            "dependsOn": waits,
            "config": {"title": f"{{{{components.{waits[0]}.outputs.key}}}}" if waits else name},
        }
        for name, waits in order.items()
    ]
    return {
        **document,
        "kind": "CatalogBundle",
        "metadata": metadata,
        "components": components,
        "fulfillment": {"orchestration": {"mode": "parallel"}},
    }


def _action(name: str, waits: list[str], part: Request) -> PlannedAction:
    config: dict[str, Any] = {
        "component": name,
        "catalogItem": "thing",
        "requestId": part.id,
        "dependsOn": waits,
        "waiting": ["title"] if waits else [],
    }
    return PlannedAction(
        id=component_action(name),
        index=0,
        type=COMPONENT,
        name=name,
        alias=name,
        config=config,
        depends_on=[component_action(one) for one in waits],
    )
