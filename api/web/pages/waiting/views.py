"""`/waiting`: what waits for a decision of the reader, the longest first."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.requests.filters import RequestFilters, Sort
from api.services import Caller, ServicesDep
from api.web.rendering import page
from api.web.words import CAUSES
from pao.core.states import RequestStatus

router = APIRouter()

PER_PAGE = 50


@router.get("/waiting")
async def waiting(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Show what waits: failed requests and open approvals."""
    filters = RequestFilters(decidable=True, sort=Sort.WAITING)
    listed = await services.listing.page(
        caller, filters, cursor=cursor, limit=PER_PAGE, counted=True
    )
    failed = [one for one in listed.data if one.status == RequestStatus.FAILED]
    return page(
        request,
        "pages/waiting/waiting.html",
        count=listed.count or 0,
        failed=failed,
        approvals=[one for one in listed.data if one not in failed],
        causes=CAUSES,
        after=listed.pagination.next_cursor,
    )
