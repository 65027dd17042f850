"""`/`: what goes on, and where to go."""

from fastapi import APIRouter, Request, Response

from api.requests.filters import RequestFilters, Sort
from api.services import Caller, ServicesDep
from api.web.rendering import page
from pao.core.states import RequestStatus

router = APIRouter()

SHOWN = 5
RECENT = 20


@router.get("/")
async def home(request: Request, services: ServicesDep, caller: Caller) -> Response:
    """Show drafts to continue, what runs, what waits for the reader, what was requested lately."""
    mine = RequestFilters(user_id=caller.id)
    listing = services.listing
    recent = (await listing.page(caller, mine, cursor=None, limit=RECENT)).data
    waiting = await listing.page(
        caller, RequestFilters(decidable=True, sort=Sort.WAITING), cursor=None, limit=SHOWN
    )
    open_states = {RequestStatus.SUBMITTED, RequestStatus.IN_PROGRESS}
    rows = services.catalog.state.index.rows
    items = dict.fromkeys(one.catalog_item_id for one in recent if one.catalog_item_id in rows)
    return page(
        request,
        "pages/home/home.html",
        drafts=[
            {"id": one.id, "name": rows[one.item_id].name, "changed_at": one.changed_at}
            for one in await services.drafts.list(caller)
            if one.item_id in rows
        ],
        running=[one for one in recent if one.status in open_states][:SHOWN],
        waiting=waiting.data,
        recent=recent[:SHOWN],
        lacks_groups=request.state.session.lacks_groups,
        items=[rows[name] for name in list(items)[:SHOWN]],
    )
