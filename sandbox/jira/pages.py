"""The pages for people: tickets to read and to move, and the active faults."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pao.runtime.model_errors import messages_of
from sandbox.jira.control import plain_text
from sandbox.jira.faults import JiraFault
from sandbox.jira.settings import STATUS_BY_NAME, STATUSES
from sandbox.jira.store import TicketStore
from sandbox.kit.faults import FaultQueue
from sandbox.kit.origin import is_foreign
from sandbox.kit.pages import PageRenderer, foreign_form_refusal, read_form, see_other

_TEMPLATES = Path(__file__).parent / "templates"
_SHOWN = 200


class JiraPages:
    """Serves /, /browse/ and what their forms send."""

    def __init__(self, store: TicketStore, faults: FaultQueue[JiraFault]) -> None:
        self._store = store
        self._faults = faults
        self._renderer = PageRenderer(_TEMPLATES, product="JIRA", home="Tickets")

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self._index),
            Route("/browse/{key}", self._ticket),
            Route("/browse/{key}/move", self._move, methods=["POST"]),
            Route("/page/faults", self._add_fault, methods=["POST"]),
            Route("/page/faults/clear", self._clear_faults, methods=["POST"]),
            self._renderer.style_route(),
        ]

    async def _index(self, _: Request) -> Response:
        return self._list()

    async def _ticket(self, request: Request) -> Response:
        ticket = self._store.get(request.path_params["key"])
        if ticket is None:
            return self._renderer.page("missing.html", 404, key=request.path_params["key"])
        return self._renderer.page(
            "ticket.html",
            ticket=ticket,
            category=STATUS_BY_NAME[ticket.status].category.key,
            description=plain_text(ticket.fields.get("description")),
            comments=[(plain_text(c.body), c.created) for c in self._store.comments(ticket)],
            links=self._store.links(ticket.key),
            moves=[status for status in STATUSES if status.name != ticket.status],
            details=_details(ticket.fields),
        )

    async def _move(self, request: Request) -> Response:
        if is_foreign(request):
            return foreign_form_refusal()
        ticket = self._store.get(request.path_params["key"])
        if ticket is None:
            return self._renderer.page("missing.html", 404, key=request.path_params["key"])
        wanted = (await read_form(request)).get("transition")
        for status in STATUSES:
            if status.transition_id == wanted:
                self._store.move(ticket.key, status)
        return see_other(f"/browse/{ticket.key}")

    async def _add_fault(self, request: Request) -> Response:
        if is_foreign(request):
            return foreign_form_refusal()
        form = await read_form(request)
        match = {name: form[name] for name in ("method", "path", "summaryContains") if form[name]}
        optional = {name: form[name] for name in ("seconds", "status") if form[name]}
        document = {"kind": form["kind"], "match": match, "times": form["times"] or None}
        try:
            self._faults.add(self._faults.read({**document, **optional}))
        except ValidationError as exc:
            return self._list(wrong="; ".join(messages_of(exc)), status=422)
        return see_other("/#faults")

    async def _clear_faults(self, request: Request) -> Response:
        if is_foreign(request):
            return foreign_form_refusal()
        given = (await read_form(request)).get("id", "")
        self._faults.clear(int(given) if given.isdecimal() else None)
        return see_other("/#faults")

    def _list(self, *, wrong: str = "", status: int = 200) -> Response:
        tickets = [
            (ticket, STATUS_BY_NAME[ticket.status].category.key)
            for ticket in self._store.newest(_SHOWN)
        ]
        return self._renderer.page(
            "index.html",
            status,
            tickets=tickets,
            faults=self._faults.all(),
            kinds=self._faults.meanings,
            wrong=wrong,
        )


def _details(fields: Any) -> list[tuple[str, str]]:
    shown = []
    for name, value in fields.items():
        if name in {"summary", "description", "labels"}:
            continue
        label = value.get("name") or value.get("key") if isinstance(value, dict) else value
        shown.append((name, plain_text(value) if name == "environment" else str(label)))
    return shown
