"""HTTP for statistics over many requests. Decides nothing."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.insights.schemas import INSIGHTS, Insights
from api.responses import documented
from api.routes.query_values import storable
from api.services import Caller, ServicesDep

router = APIRouter(tags=["requests"])


@router.get(
    "/insights",
    summary="Show where time goes and what fails",
    responses=documented({200: INSIGHTS}, 400, 401, 403, 429, 503),
)
async def show_insights(
    services: ServicesDep,
    caller: Caller,
    *,
    days: Annotated[Literal["7", "30", "90"], Query(description="The period")] = "30",
    item: Annotated[str | None, Query(max_length=255, description="Only of this item")] = None,
    team: Annotated[
        str | None, Query(max_length=255, description="Only of items that this team owns")
    ] = None,
) -> Insights:
    """Return statistics over the requests that you may see.

    How long they took and waited for people, what failed and why, and what waits now.
    """
    return await services.insights.read(
        caller, days=int(days), item=storable("item", item), team=storable("team", team)
    )
