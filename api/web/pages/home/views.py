"""`/`: current requests, and where to go; and stars, which list items there."""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.requests.filters import RequestFilters, Sort
from api.services import Caller, ServicesDep
from api.web.forms import Posted, text_of
from api.web.rendering import page
from pao.core.states import RequestStatus

router = APIRouter()

SHOWN = 5
RECENT = 20
STARRED = 12


@router.get("/")
async def home(request: Request, services: ServicesDep, caller: Caller) -> Response:
    """Show drafts to continue, what runs, what waits for the reader, what was requested lately."""
    mine = RequestFilters(user_id=caller.id)
    listing = services.listing
    recent = (await listing.page(caller, mine, cursor=None, limit=RECENT)).data
    waiting = await listing.page(
        caller,
        RequestFilters(decidable=True, sort=Sort.WAITING),
        cursor=None,
        limit=SHOWN,
        counted=True,
    )
    open_states = (RequestStatus.SUBMITTED, RequestStatus.IN_PROGRESS)
    running = RequestFilters(user_id=caller.id, statuses=open_states)
    rows = services.catalog.state.index.rows
    starred = [name for name in await services.stars.list(caller) if name in rows]
    open_now = (await listing.page(caller, running, cursor=None, limit=SHOWN)).data
    above = {one.id for one in (*waiting.data, *open_now)}
    items = dict.fromkeys(one.catalog_item_id for one in recent if one.catalog_item_id in rows)
    return page(
        request,
        "pages/home/home.html",
        drafts=[
            {"id": one.id, "name": rows[one.item_id].name, "changed_at": one.changed_at}
            for one in await services.drafts.list(caller)
            if one.item_id in rows
        ],
        running=open_now,
        waiting=waiting.data,
        more_waiting=max((waiting.count or 0) - SHOWN, 0),
        recent=[one for one in recent if one.id not in above][:SHOWN],
        requested=bool(recent),
        lacks_groups=request.state.session.lacks_groups,
        starred=[rows[name] for name in starred[:STARRED]],
        more_starred=len(starred) > STARRED,
        items=[rows[name] for name in [one for one in items if one not in starred][:SHOWN]],
    )


@router.post("/catalog/{item_id}/star")
async def star(services: ServicesDep, caller: Caller, item_id: str, posted: Posted) -> Response:
    """Star an item, or take its star away; both redirect back to it."""
    item = services.catalog.row(item_id)
    await services.stars.set(caller, item.id, starred=text_of(posted, "starred") == "yes")
    back = "/" if text_of(posted, "to") == "home" else f"/catalog/{item.id}"
    return RedirectResponse(back, 303)
