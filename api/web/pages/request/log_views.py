"""`/requests/ID/log`: the log beyond the page: earlier lines, a search, a line's surroundings."""

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.requests.downloads import Download
from api.requests.log import LogQuery, LogSlice
from api.requests.reading import StoredRequest
from api.services import Caller, Services, ServicesDep
from api.web.pages.request.keys import key_of
from api.web.pages.request.logs import earlier_address, logs, mark_matches
from api.web.pages.request.views import LINES
from api.web.rendering import is_partial, page

router = APIRouter()

_Text = Annotated[str, Query(max_length=200)]
_Id = Annotated[str | None, Query(max_length=200)]
_Line = Annotated[int | None, Query(ge=1, lt=2**63)]


@router.get("/requests/{request_id}/log")
async def log(  # noqa: PLR0913 -- the filters of a log
    request: Request,
    services: ServicesDep,
    caller: Caller,
    request_id: UUID,
    *,
    q: _Text = "",
    before: _Line = None,
    at: _Line = None,
    action: _Id = None,
    component: _Id = None,
) -> Response:
    """Show a part of the log; htmx gets the earlier lines of an action alone."""
    stored = await services.reading.get(caller, str(request_id))
    text = q.replace("\x00", "").strip()
    if at is not None:
        log_slice = await services.log.around(stored, at, limit=LINES)
    else:
        of = frozenset({component}) if action is not None else None
        query = LogQuery(components=of, action=action, text=text or None)
        log_slice = await services.log.last(stored, query, before=before, limit=LINES)
    if is_partial(request) and action is not None:
        return _earlier(request, stored, log_slice, component, action)
    return _page(
        request, services, stored, log_slice, text=text, action=action, component=component
    )


@router.get("/requests/{request_id}/log.txt")
async def download(
    request: Request, services: ServicesDep, caller: Caller, request_id: UUID
) -> Response:
    """Return the whole log as text, line by line as it is read."""
    stored = await services.reading.get(caller, str(request_id))
    return Download(
        _lines(services, stored),
        services.streams,
        caller.id,
        is_allowed=partial(services.sessions.is_open, request.state.session.id),
        media_type="text/plain; charset=utf-8",
        file=f"request-{request_id}.log",
    )


async def _lines(services: Services, stored: StoredRequest) -> AsyncIterator[str]:
    async for line in services.log.whole(stored):
        where = "/".join(filter(None, (line.component, line.action_id)))
        data = f" {json.dumps(line.data, ensure_ascii=False)}" if line.data else ""
        yield f"{line.time} {line.level or 'info'} [{where}] {line.message or ''}{data}\n"


def _earlier(
    request: Request, stored: StoredRequest, log_slice: LogSlice, component: str | None, action: str
) -> Response:
    first = log_slice.lines[0].sequence if log_slice.lines else 1
    more = (
        earlier_address(str(stored.row.id), component, action, first) if log_slice.earlier else ""
    )
    return page(
        request,
        "pages/request/earlier.html",
        doc={"id": str(stored.row.id)},
        key=key_of(component, action),
        lines=log_slice.lines,
        more=more,
    )


def _page(  # noqa: PLR0913 -- what the page shows, each part named
    request: Request,
    services: Services,
    stored: StoredRequest,
    log_slice: LogSlice,
    *,
    text: str,
    action: str | None,
    component: str | None,
) -> Response:
    document = services.reading.present(stored)
    boxes = logs(document, [], None)
    names = {one.key: one.name for one in boxes}
    first = log_slice.lines[0].sequence if log_slice.lines else 1
    last = log_slice.lines[-1].sequence if log_slice.lines else 0
    return page(
        request,
        "pages/request/log.html",
        doc=document,
        lines=mark_matches(log_slice.lines, text, names),
        part=log_slice,
        first=first,
        last=last,
        q=text,
        name=names.get(key_of(component, action), "") if action else "",
        action=action,
        component=component,
    )
