"""The stand-in's own API, which no JIRA has: faults on demand, all tickets at once, reset.

It takes JSON only and no foreign origin, so a web page elsewhere cannot reach it through a browser.
"""

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.jira.adf_check import adf_text
from sandbox.jira.faults import JiraFault
from sandbox.jira.store import StoredTicket, TicketStore
from sandbox.kit.faults import FaultQueue, fault_routes
from sandbox.kit.origin import is_foreign

_ALL = 100_000


class JiraControl:
    """Serves /sandbox/."""

    def __init__(self, store: TicketStore, faults: FaultQueue[JiraFault]) -> None:
        self._store = store
        self._faults = faults

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            *fault_routes(self._faults, _error_response),
            Route("/sandbox/tickets", self._tickets, methods=["GET"]),
            Route("/sandbox/reset", self._reset, methods=["POST"]),
            Route("/sandbox/health", self._health, methods=["GET"]),
        ]

    async def _tickets(self, _: Request) -> Response:
        tickets = self._store.newest(_ALL)
        return JSONResponse({"tickets": [self._ticket(ticket) for ticket in reversed(tickets)]})

    async def _reset(self, request: Request) -> Response:
        if is_foreign(request):
            return _error_response(403, ["not from a foreign page"])
        self._store.reset()
        return Response(status_code=204)

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def _ticket(self, ticket: StoredTicket) -> dict[str, Any]:
        comments = [plain_text(comment.body) for comment in self._store.comments(ticket)]
        links = self._store.links(ticket.key)
        return {
            "id": str(ticket.id),
            "key": ticket.key,
            "project": ticket.project,
            "status": ticket.status,
            "resolution": ticket.resolution,
            "summary": ticket.fields.get("summary"),
            "description": plain_text(ticket.fields.get("description")),
            "labels": list(ticket.labels),
            "fields": ticket.fields,
            "comments": comments,
            "attachments": [
                {
                    "name": one.name,
                    "mediaType": one.media_type,
                    "size": len(one.content),
                    "sha256": hashlib.sha256(one.content).hexdigest(),
                }
                for one in self._store.attachments(ticket)
            ],
            "links": [{"type": x.type, "inward": x.inward, "outward": x.outward} for x in links],
            "created": ticket.created.isoformat(),
            "correlationId": ticket.correlation_id,
        }


def plain_text(text: Any) -> str:
    """Return wiki markup as it is, and an ADF document as text."""
    return adf_text(text) if isinstance(text, dict) else str(text or "")


def _error_response(status: int, messages: list[str]) -> Response:
    return JSONResponse({"errorMessages": messages, "errors": {}}, status)
