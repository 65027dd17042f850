"""The pages for people: tickets to read and to move, and the faults in force."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.jira.control import plain
from sandbox.jira.faults import MEANING, Fault, FaultBook
from sandbox.jira.store import Store
from sandbox.jira.world import STATUS_BY_NAME, STATUSES
from sandbox.kit.origin import is_foreign

_HERE = Path(__file__).parent / "templates"
_SHOWN = 200
_SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Forms need the Origin header, which "no-referrer" would turn into "null".
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Pages:
    """Serves /, /browse/ and what their forms send."""

    def __init__(self, store: Store, book: FaultBook) -> None:
        self._store = store
        self._book = book
        self._templates = Environment(
            loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined
        )
        self._style = (_HERE / "style.css").read_text(encoding="utf-8")

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self._index),
            Route("/browse/{key}", self._ticket),
            Route("/browse/{key}/move", self._move, methods=["POST"]),
            Route("/page/faults", self._add_fault, methods=["POST"]),
            Route("/page/faults/clear", self._clear_faults, methods=["POST"]),
            Route("/style.css", self._stylesheet),
        ]

    async def _index(self, _: Request) -> Response:
        return self._list()

    async def _ticket(self, request: Request) -> Response:
        ticket = self._store.get(request.path_params["key"])
        if ticket is None:
            return self._page("missing.html", 404, key=request.path_params["key"])
        return self._page(
            "ticket.html",
            ticket=ticket,
            category=STATUS_BY_NAME[ticket.status].category.key,
            description=plain(ticket.fields.get("description")),
            comments=[(plain(c.body), c.created) for c in self._store.comments(ticket)],
            links=self._store.links(ticket.key),
            moves=[status for status in STATUSES if status.name != ticket.status],
            details=_details(ticket.fields),
        )

    async def _move(self, request: Request) -> Response:
        if is_foreign(request):
            return _refused()
        ticket = self._store.get(request.path_params["key"])
        if ticket is None:
            return self._page("missing.html", 404, key=request.path_params["key"])
        wanted = (await _form(request)).get("transition")
        for status in STATUSES:
            if status.transition_id == wanted:
                self._store.move(ticket.key, status)
        return RedirectResponse(f"/browse/{ticket.key}", 303, headers=_SECURITY)

    async def _add_fault(self, request: Request) -> Response:
        if is_foreign(request):
            return _refused()
        form = await _form(request)
        match = {name: form[name] for name in ("method", "path", "summaryContains") if form[name]}
        optional = {name: form[name] for name in ("seconds", "status") if form[name]}
        document = {"kind": form["kind"], "match": match, "times": form["times"] or None}
        try:
            self._book.add(Fault.model_validate({**document, **optional}))
        except ValidationError as exc:
            return self._list(wrong="; ".join(error["msg"] for error in exc.errors()), status=422)
        return RedirectResponse("/#faults", 303, headers=_SECURITY)

    async def _clear_faults(self, request: Request) -> Response:
        if is_foreign(request):
            return _refused()
        given = (await _form(request)).get("id", "")
        self._book.clear(int(given) if given.isdecimal() else None)
        return RedirectResponse("/#faults", 303, headers=_SECURITY)

    async def _stylesheet(self, _: Request) -> Response:
        return PlainTextResponse(self._style, media_type="text/css", headers=_SECURITY)

    def _list(self, *, wrong: str = "", status: int = 200) -> Response:
        tickets = [
            (ticket, STATUS_BY_NAME[ticket.status].category.key)
            for ticket in self._store.newest(_SHOWN)
        ]
        return self._page(
            "index.html",
            status,
            tickets=tickets,
            faults=self._book.all(),
            kinds=MEANING,
            wrong=wrong,
        )

    def _page(self, name: str, status: int = 200, **values: Any) -> Response:
        text = self._templates.get_template(name).render(**values)
        return HTMLResponse(text, status, headers=_SECURITY)


class _Form(dict[str, str]):
    """A form's fields; one that was not sent is empty."""

    def __missing__(self, _: str) -> str:
        return ""


async def _form(request: Request) -> _Form:
    body = (await request.body()).decode("utf-8", errors="replace")
    return _Form({name: values[-1].strip() for name, values in parse_qs(body).items()})


def _details(fields: Any) -> list[tuple[str, str]]:
    shown = []
    for name, value in fields.items():
        if name in {"summary", "description", "labels"}:
            continue
        named = value.get("name") or value.get("key") if isinstance(value, dict) else value
        shown.append((name, plain(value) if name == "environment" else str(named)))
    return shown


def _refused() -> Response:
    text = "This form was sent by a page of another origin; it is not taken."
    return PlainTextResponse(text, 403, headers=_SECURITY)
