"""Builders of requests for the worker: an item, its fields and its actions, all in a few words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from catalog.model import CatalogItem
from catalog.planning import plan, snapshot_of
from catalog.secrets import seal_fields
from pao.core.names import workflow_id
from pao.core.payloads.context import RequestContext, Requester
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import RequestInput, WorkflowTimeouts
from pao.core.timestamps import timestamp
from pao.runtime.crypto import SecretBox

Document = dict[str, Any]

FORM: list[Document] = [
    {"id": "title", "name": "Title", "type": "string", "required": True},
    {"id": "size", "name": "Size", "type": "integer", "default": 1, "validation": {"max": 100}},
    {"id": "token", "name": "Token", "type": "password"},
]


def ticket(name: str = "ticket", *, summary: str | None = None, **more: Any) -> Document:
    """Return an action that creates a ticket whose summary names the action and the title."""
    text = summary or f"{name}: {{{{fields.title}}}}"
    return {
        "id": name,
        "name": f"Ask for the {name}",
        "type": "jira-ticket",
        "config": {"ticket": {"project": "PLATFORM", "summaryTemplate": text}},
        **more,
    }


def automatic(
    *actions: Document, parallel: bool = False, manual: Sequence[Document] = ()
) -> Document:
    """Return an item with automatic actions: a hybrid one where manual actions are given."""
    document = item(manual)
    document["fulfillment"]["strategy"]["mode"] = "hybrid" if manual else "automatic"
    document["fulfillment"]["automatic"] = {"parallel": parallel, "actions": list(actions)}
    return document


def item(actions: Sequence[Document] = (), *, fields: Sequence[Document] = ()) -> Document:
    """Return an item's document; without actions it asks for one ticket."""
    return {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": {
            "id": "thing",
            "name": "Thing",
            "version": "1.0.0",
            "category": "things",
            "owner": {"team": "team-things"},
        },
        "presentation": {
            "form": {"groups": [{"id": "main", "name": "Main", "fields": [*FORM, *fields]}]}
        },
        "fulfillment": {
            "strategy": {"mode": "manual"},
            "manual": {"actions": list(actions) or [ticket()]},
        },
    }


@dataclass(frozen=True, slots=True)
class Request:
    """A request ready to be stored and started."""

    context: RequestContext
    plan: list[PlannedAction]
    waits: WorkflowTimeouts = field(default_factory=WorkflowTimeouts)
    metadata: Document = field(default_factory=lambda: {"tags": ["kept"]})

    @property
    def id(self) -> str:
        """The request's id."""
        return self.context.request_id

    @property
    def workflow_id(self) -> str:
        """The id of its workflow."""
        return workflow_id(self.id)

    @property
    def given(self) -> RequestInput:
        """What its workflow is started with."""
        return RequestInput(
            context=self.context, plan=self.plan, waits=self.waits, metadata=self.metadata
        )


def new_request(
    *actions: Document,
    box: SecretBox | None = None,
    definition: Document | None = None,
    waits: WorkflowTimeouts | None = None,
    **fields: Any,
) -> Request:
    """Return a request of a new id, as the API would have planned it; passwords need the box."""
    document = definition or item(actions)
    parsed = CatalogItem.model_validate(document)
    request_id = str(uuid4())
    values = {"title": f"thing {request_id[:8]}", "size": 1, **fields}
    if box is not None:
        values = seal_fields(box, request_id, values, parsed.passwords)
    context = RequestContext(
        request_id=request_id,
        correlation_id=str(uuid4()),
        submitted_at=timestamp(datetime.now(UTC)),
        item=snapshot_of(parsed, document, "abc123"),
        requester=Requester(id="dana", email="dana@example.com", teams=["team-orders"]),
        fields=values,
    )
    return Request(context, plan(parsed), waits or WorkflowTimeouts())
