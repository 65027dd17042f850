"""`/insights`: how long requests take and wait, what fails, what waits now; and the same as CSV."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.insights.schemas import Insights
from api.insights.service import PERIODS
from api.services import Caller, Services, ServicesDep
from api.web.pages.insights.tables import (
    AGES,
    csv_of,
    failures_rows,
    times_rows,
    waits_rows,
)
from api.web.rendering import page
from api.web.words import _
from pao.core.errors import ErrorCode, PaoError

router = APIRouter()

DEFAULT = 30
Word = Annotated[str, Query(max_length=200)]


@router.get("/insights")
async def insights(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    days: Word = "",
    item: Word = "",
    team: Word = "",
) -> Response:
    """Show the insights of a period, narrowed to an item or a team."""
    found = await _read(services, caller, days, item, team)
    index = services.catalog.state.index
    chosen = {"days": str(found.days), "item": found.item or "", "team": found.team or ""}
    chosen_team = {found.team} if found.team else set()
    return page(
        request,
        "pages/insights/insights.html",
        found=found,
        periods=PERIODS,
        teams=sorted(index.owners | {one.team for one in found.waiting if one.team} | chosen_team),
        items=_items(found),
        times=times_rows(found.times),
        failures=failures_rows(found.failures),
        waiting=waits_rows(found.waiting),
        ages=[label for _name, label in AGES],
        chosen=urlencode({name: value for name, value in chosen.items() if value}),
        narrowed=bool(found.item or found.team),
    )


@router.get("/insights/{table}.csv")
async def insights_csv(
    services: ServicesDep,
    caller: Caller,
    table: Annotated[str, Path(max_length=20)],
    days: Word = "",
    item: Word = "",
    team: Word = "",
) -> Response:
    """Download one table."""
    text = csv_of(table, await _read(services, caller, days, item, team))
    if text is None:
        raise PaoError(ErrorCode.NOT_FOUND, _("There is no such table."))
    return Response(
        text,
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="pao-{table}.csv"'},
    )


async def _read(services: Services, caller: Caller, days: str, item: str, team: str) -> Insights:
    """Read the insights; a period that does not exist is the usual one."""
    return await services.insights.read(
        caller,
        days=int(days) if days in map(str, PERIODS) else DEFAULT,
        item=item.replace("\x00", "").strip() or None,
        team=team.replace("\x00", "").strip() or None,
    )


def _items(found: Insights) -> list[tuple[str, str]]:
    """Return what can be chosen: what is shown, and what was chosen, by name."""
    names = {one.item: one.name for one in found.times}
    names |= {one.item: one.name for one in found.failures}
    if found.item:
        names.setdefault(found.item, found.item)
    return sorted(names.items(), key=lambda one: (one[1].casefold(), one[0]))
