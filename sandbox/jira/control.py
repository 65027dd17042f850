"""The stand-in's own API, which no JIRA has: faults on demand, all tickets at once, reset.

It takes JSON only and no foreign origin, so a web page elsewhere cannot reach it through a browser.
"""

import hashlib
import json
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pao.runtime.model_errors import messages_of
from sandbox.jira.adf_check import adf_text
from sandbox.jira.faults import MEANING, Fault, FaultBook
from sandbox.jira.store import Store, Ticket
from sandbox.kit.origin import is_foreign

_ALL = 100_000


class Control:
    """Serves /sandbox/."""

    def __init__(self, store: Store, book: FaultBook) -> None:
        self._store = store
        self._book = book

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/sandbox/faults", self._list, methods=["GET"]),
            Route("/sandbox/faults", self._add, methods=["POST"]),
            Route("/sandbox/faults", self._clear, methods=["DELETE"]),
            Route("/sandbox/faults/{id:int}", self._clear, methods=["DELETE"]),
            Route("/sandbox/tickets", self._tickets, methods=["GET"]),
            Route("/sandbox/reset", self._reset, methods=["POST"]),
            Route("/sandbox/health", self._health, methods=["GET"]),
        ]

    async def _list(self, _: Request) -> Response:
        faults = [stored.document() for stored in self._book.all()]
        return JSONResponse({"faults": faults, "kinds": MEANING})

    async def _add(self, request: Request) -> Response:
        if is_foreign(request) or not _is_json(request):
            return _no(403, "send JSON, from here")
        try:
            fault = Fault.model_validate(json.loads(await request.body()))
        except ValidationError as exc:
            return _no(422, *messages_of(exc))
        except ValueError:
            return _no(400, "the body is not JSON")
        return JSONResponse({"id": self._book.add(fault)}, 201)

    async def _clear(self, request: Request) -> Response:
        if is_foreign(request):
            return _no(403, "not from a foreign page")
        self._book.clear(request.path_params.get("id"))
        return Response(status_code=204)

    async def _tickets(self, _: Request) -> Response:
        tickets = self._store.newest(_ALL)
        return JSONResponse({"tickets": [self._ticket(ticket) for ticket in reversed(tickets)]})

    async def _reset(self, request: Request) -> Response:
        if is_foreign(request):
            return _no(403, "not from a foreign page")
        self._store.reset()
        return Response(status_code=204)

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def _ticket(self, ticket: Ticket) -> dict[str, Any]:
        comments = [plain(comment.body) for comment in self._store.comments(ticket)]
        links = self._store.links(ticket.key)
        return {
            "id": str(ticket.id),
            "key": ticket.key,
            "project": ticket.project,
            "status": ticket.status,
            "resolution": ticket.resolution,
            "summary": ticket.fields.get("summary"),
            "description": plain(ticket.fields.get("description")),
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


def plain(text: Any) -> str:
    """Return wiki markup as it is, and an ADF document as text."""
    return adf_text(text) if isinstance(text, dict) else str(text or "")


def _is_json(request: Request) -> bool:
    return request.headers.get("Content-Type", "").startswith("application/json")


def _no(status: int, *messages: str) -> Response:
    return JSONResponse({"errorMessages": list(messages), "errors": {}}, status)
