"""`/requests/ID`: where a request stands, what it made, its log; and the stream of its news."""

import time
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import RedirectResponse, Response

from api.requests.reading import Stored
from api.requests.streams import EventStream
from api.services import Caller, Services, ServicesDep
from api.sessions.service import Session
from api.web import times
from api.web.pages.request.showing import Shown, answers, key_of, logs, shown
from api.web.rendering import page, part
from pao.core.states import TERMINAL

router = APIRouter()

LINES = 500
PING_SECONDS = 10
LONGEST_SECONDS = 3600
END = "pao:end"


@router.get("/requests/{reference}")
async def one_request(
    request: Request, services: ServicesDep, caller: Caller, reference: str
) -> Response:
    """Show a request; a short id or a ticket key leads to its full address."""
    request_id = await services.references.resolve(caller, reference)
    if reference != request_id:
        return RedirectResponse(f"/requests/{request_id}", 303)
    stored = await services.reading.get(caller, request_id)
    lines, more = await services.reading.latest_lines(stored, limit=LINES)
    now = _shown(services, stored)
    return page(
        request,
        "pages/request/request.html",
        shown=now,
        doc=now.document,
        fields=answers(stored, now.document.fields),
        logs=logs(now.document, lines),
        more=more,
        first=lines[0].sequence if lines else 0,
        last=lines[-1].sequence if lines else 0,
        tickets=_has_tickets(now),
    )


@router.get("/requests/{request_id}/now")
async def standing(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID
) -> Response:
    """Return what changes while a request runs, for windows that have no stream."""
    stored = await services.reading.get(caller, str(request_id))
    return page(request, "pages/request/now.html", shown=_shown(services, stored))


@router.get("/requests/{request_id}/tickets")
async def tickets(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID
) -> Response:
    """Return the tickets with their status, asked of JIRA now."""
    status = await services.reading.status(caller, str(request_id))
    return page(request, "pages/request/tickets.html", tickets=status.tickets)


@router.get("/requests/{request_id}/log")
async def log(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    request_id: UUID,
    before: Annotated[int, Query(ge=1)],
) -> Response:
    """Show the part of the log before a line."""
    stored = await services.reading.get(caller, str(request_id))
    lines, more = await services.reading.latest_lines(stored, before=before, limit=LINES)
    return page(
        request,
        "pages/request/log.html",
        doc=services.reading.present(stored),
        lines=lines,
        more=more,
        first=lines[0].sequence if lines else 0,
    )


@router.get("/requests/{request_id}/stream")
async def stream(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    request_id: UUID,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,18}$")] = None,
) -> EventSourceResponse:
    """Stream parts of the page as they change: one rendering for what happened at once."""
    stored = await services.reading.get(caller, str(request_id))
    parts = _parts(request, services, stored, int(last_event_id or after))
    return EventStream(parts, services.streams, caller.id, ping=PING_SECONDS)


async def _parts(
    request: Request, services: Services, stored: Stored, after: int
) -> AsyncGenerator[ServerSentEvent, None]:
    session: Session = request.state.session
    started = time.monotonic()

    async def is_allowed() -> bool:
        # A browser comes back at once, and is judged anew.
        if time.monotonic() - started > LONGEST_SECONDS:
            return False
        return await services.sessions.is_open(session.id)

    batches = services.reading.event_batches(stored, after=after, is_allowed=is_allowed)
    async for batch in batches:
        now = _shown(services, await services.reading.get(session.caller, str(stored.row.id)))
        lines = [
            {"key": key_of(component, entry.data.get("actionId")), "line": line}
            for entry, component in batch
            if entry.kind == "log"
            for line in [services.reading.log_line(entry, component)]
        ]
        text = part(request, "pages/request/parts.html", shown=now, lines=lines)
        yield ServerSentEvent(text, id=str(batch[-1][0].id), sep="\n")
    status = await services.reading.stored_status(str(stored.row.id))
    if status in TERMINAL:
        yield ServerSentEvent("", event=END, sep="\n")


def _shown(services: Services, stored: Stored) -> Shown:
    return shown(stored, services.reading.present(stored), times.now())


def _has_tickets(now: Shown) -> int:
    parts: Sequence[Sequence[object]] = [
        now.document.actions,
        *(one.actions for one in now.document.components or ()),
    ]
    return sum(
        getattr(one, "type", "") == "jira-ticket" and bool(getattr(one, "external_reference", ""))
        for some in parts
        for one in some
    )
