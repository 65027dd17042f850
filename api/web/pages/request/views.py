"""`/requests/ID`: the state of a request, what it created, and what happened to it."""

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import RedirectResponse, Response

from api.requests.log import LogQuery
from api.requests.reading import StoredRequest
from api.requests.schemas import Request as RequestDocument
from api.requests.streams import EventStream
from api.services import Caller, Services, ServicesDep
from api.sessions.service import BrowserSession
from api.web import times
from api.web.pages.request.keys import key_of
from api.web.pages.request.logs import logs
from api.web.pages.request.notes import corrected_of, labels_of
from api.web.pages.request.presentation import (
    RequestHistory,
    RequestView,
    answers,
    form_of,
    request_view,
    usual_words,
)
from api.web.pages.request.timeline import timeline
from api.web.rendering import is_partial, page, render_part
from pao.core.states import TERMINAL

router = APIRouter()

LINES = 500
END, BEAT = "pao:end", "pao:beat"
BEATS_MISSED, LEAST_SILENCE = 3, 5.0
"""After so many missing heartbeats, and not before so many seconds, a page takes it for lost."""


@router.get("/requests/{reference}")
async def one_request(
    request: Request, services: ServicesDep, caller: Caller, reference: str
) -> Response:
    """Show a request; a short id or a ticket key redirects to its full address."""
    request_id = await services.references.resolve(caller, reference)
    if reference != request_id:
        return RedirectResponse(f"/requests/{request_id}", 303)
    stored = await services.reading.get(caller, request_id)
    log = await services.log.last(stored, LogQuery(), limit=LINES)
    totals = await services.log.count(stored) if log.earlier else None
    past = await history_of(services, stored)
    now = request_view(stored, services.reading.present(stored), times.now(), past)
    return page(
        request,
        "pages/request/request.html",
        shown=now,
        doc=now.document,
        fields=answers(stored, now.document.fields),
        corrected=corrected_of(now.document, labels_of(stored.row.item_definition)),
        logs=logs(now.document, log.lines, totals),
        total=sum(totals.values()) if totals else len(log.lines),
        last=log.lines[-1].sequence if log.lines else 0,
        tickets=_tickets(now),
        usual=usual_words(past.usual),
        silence=_silence_limit(services),
    )


@router.get("/requests/{request_id}/now")
async def current_state(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID
) -> Response:
    """Return what changes while a request runs, for windows that have no stream."""
    stored = await services.reading.get(caller, str(request_id))
    now = await current_view(services, stored)
    return page(request, "pages/request/now.html", shown=now)


@router.get("/requests/{request_id}/tickets")
async def tickets(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID
) -> Response:
    """Return the tickets with their status, asked of JIRA now."""
    status = await services.reading.status(caller, str(request_id))
    return page(request, "pages/request/tickets.html", tickets=status.tickets)


@router.get("/requests/{request_id}/history")
async def history(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID
) -> Response:
    """Show everything that happened to a request as one list."""
    stored = await services.reading.get(caller, str(request_id))
    document = services.reading.present(stored)
    events = await services.history.timeline(stored)
    form = form_of(stored)
    fields = {one.id: one for one in form.fields} if form else {}
    return page(
        request,
        f"pages/request/{'history_list' if is_partial(request) else 'history'}.html",
        doc=document,
        lines=timeline(document, events, fields),
    )


@router.get("/requests/{request_id}/json")
async def as_json(services: ServicesDep, caller: Caller, request_id: UUID) -> RequestDocument:
    """Return the document that the API gives of a request."""
    return await services.reading.document(caller, str(request_id))


@router.get("/requests/{request_id}/stream")
async def stream(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    request_id: UUID,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,18}$")] = None,
) -> EventSourceResponse:
    """Stream parts of the page as they change: one rendering for what happened at once."""
    stored = await services.reading.get(caller, str(request_id))
    parts = _parts(request, services, stored, int(last_event_id or after))
    lifetime = services.streams.limits.lifetime
    return EventStream(parts, services.streams, caller.id, lifetime=lifetime, heartbeat=_heartbeat)


def _heartbeat() -> ServerSentEvent:
    # An event, not a comment: the page hears it, and knows when it is missing.
    return ServerSentEvent("", event=BEAT, sep="\n")


def _silence_limit(services: Services) -> int:
    """Return after how many milliseconds of silence a stream is lost."""
    beats = services.streams.limits.heartbeat.total_seconds() * BEATS_MISSED
    return round(max(beats, LEAST_SILENCE) * 1000)


async def _parts(
    request: Request, services: Services, stored: StoredRequest, after: int
) -> AsyncGenerator[ServerSentEvent, None]:
    session: BrowserSession = request.state.session

    async def is_allowed() -> bool:
        return await services.sessions.is_open(session.id)

    batches = services.reading.event_batches(stored, after=after, is_allowed=is_allowed)
    async for batch in batches:
        now = await current_view(
            services, await services.reading.get(session.caller, str(stored.row.id))
        )
        lines = [
            {"key": key_of(component, entry.data.get("actionId")), "line": line}
            for entry, component in batch
            if entry.kind == "log"
            for line in [services.reading.log_line(entry, component)]
        ]
        text = render_part(request, "pages/request/parts.html", shown=now, lines=lines)
        yield ServerSentEvent(text, id=str(batch[-1][0].id), sep="\n")
    status = await services.reading.stored_status(str(stored.row.id))
    if status in TERMINAL:
        yield ServerSentEvent("", event=END, sep="\n")


async def current_view(services: Services, stored: StoredRequest) -> RequestView:
    """Return what changes while a request runs, as it is now."""
    past = await history_of(services, stored)
    return request_view(stored, services.reading.present(stored), times.now(), past)


async def history_of(services: Services, stored: StoredRequest) -> RequestHistory:
    """Return when a request waited for people, and how long its item usually takes."""
    item = stored.row.catalog_item_id
    return RequestHistory(
        waits=await services.history.waits(stored),
        usual=await services.history.usual_times(item),
        usual_steps=await services.history.usual_step_seconds(item),
    )


def _tickets(now: RequestView) -> int:
    parts = [now.document.actions, *(one.actions for one in now.document.components or ())]
    return sum(
        one.type == "jira-ticket" and bool(one.external_reference) for some in parts for one in some
    )
