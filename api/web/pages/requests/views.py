"""`/requests`: the requests that one may see, narrowed by what one remembers of them."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from api.requests.filters import RequestFilters
from api.services import Caller, ServicesDep
from api.web.rendering import page
from api.web.words import STATES
from pao.core.errors import ErrorCode, PaoError
from pao.core.states import RequestStatus

router = APIRouter()

PER_PAGE = 50
Word = Annotated[str, Query(max_length=200)]


@router.get("/requests")
async def requests(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    q: Word = "",
    status: Word = "",
    who: Word = "",
    item: Word = "",
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Show the requests; an id, a ticket key or a correlation id leads to its request at once."""
    if q:
        try:
            found = await services.references.resolve(caller, q.strip())
        except PaoError as error:
            if error.code not in {ErrorCode.REQUEST_NOT_FOUND, ErrorCode.AMBIGUOUS_REFERENCE}:
                raise
        else:
            return RedirectResponse(f"/requests/{found}", 303)
    filters = RequestFilters(
        text=q.replace("\x00", "").strip() or None,
        statuses=(RequestStatus(status),) if status in set(RequestStatus) else (),
        user_id=caller.id if who == "me" else None,
        catalog_item_id=item.replace("\x00", "") or None,
    )
    listed = await services.listing.page(
        caller, filters, cursor=cursor, limit=PER_PAGE, counted=True
    )
    chosen = {"q": q, "status": status, "who": who, "item": item}
    rows = services.catalog.state.index.rows
    following = listed.pagination.next_cursor
    return page(
        request,
        "pages/requests/requests.html",
        q=q,
        who=who,
        item=item,
        item_name=rows[item].name if item in rows else item,
        without_item=_address(chosen | {"item": ""}),
        rows=listed.data,
        count=listed.count,
        statuses=[
            {"value": one.value, "label": STATES[one.value], "chosen": one.value == status}
            for one in RequestStatus
        ],
        filtered=any(chosen.values()),
        after=_address(chosen | {"cursor": following}) if following else None,
    )


def _address(chosen: dict[str, str]) -> str:
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"/requests?{query}" if query else "/requests"
