"""`/requests`: the requests that one may see, narrowed by what one remembers of them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth.principal import Principal
from api.requests.filters import RequestFilters
from api.services import Caller, ServicesDep
from api.web import times
from api.web.rendering import page
from api.web.words import CAUSES, STATES
from pao.core.errors import ErrorCode, PaoError
from pao.core.failure_classes import Cause
from pao.core.states import RequestStatus

router = APIRouter()

PER_PAGE = 50
Word = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilters:
    """The filters of the list, as they are in the address."""

    q: Word = ""
    status: Word = ""
    who: Word = ""
    cause: Word = ""
    item: Word = ""
    tag: Word = ""
    team: Word = ""
    since: Word = ""
    until: Word = ""

    @property
    def has_more(self) -> bool:
        """Whether a filter is set that is folded away otherwise."""
        return any((self.cause, self.tag, self.team, self.since, self.until))

    @property
    def days(self) -> dict[str, str]:
        """The days between which requests were submitted."""
        return {"since": self.since, "until": self.until}

    def filters(self, caller: Principal, zone: ZoneInfo) -> RequestFilters:
        """Return it for the list; a day is one of the reader's, the last is included."""
        return RequestFilters(
            text=_without_nulls(self.q).strip() or None,
            statuses=(RequestStatus(self.status),) if self.status in set(RequestStatus) else (),
            causes=(Cause(self.cause),) if self.cause in set(Cause) else (),
            tags=(_without_nulls(self.tag),) if _without_nulls(self.tag) else (),
            user_id=caller.id if self.who == "me" else None,
            team=_without_nulls(self.team) or None,
            catalog_item_id=_without_nulls(self.item) or None,
            since=_day(self.since, zone),
            until=_day(self.until, zone, later=1),
        )


@router.get("/requests")
async def requests(
    request: Request,
    services: ServicesDep,
    caller: Caller,
    narrowed: Annotated[ListFilters, Depends()],
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Show the requests; an id, a ticket key or a correlation id redirects to its request."""
    if narrowed.q:
        try:
            found = await services.references.resolve(caller, narrowed.q.strip())
        except PaoError as error:
            if error.code not in {ErrorCode.REQUEST_NOT_FOUND, ErrorCode.AMBIGUOUS_REFERENCE}:
                raise
        else:
            return RedirectResponse(f"/requests/{found}", 303)
    zone = times.zone_of(request.cookies.get(times.COOKIE))
    requests_page = await services.listing.page(
        caller, narrowed.filters(caller, zone), cursor=cursor, limit=PER_PAGE, counted=True
    )
    chosen, items = asdict(narrowed), services.catalog.state.index.rows
    next_cursor = requests_page.pagination.next_cursor
    return page(
        request,
        "pages/requests/requests.html",
        chosen=narrowed,
        item_name=items[narrowed.item].name if narrowed.item in items else narrowed.item,
        without_item=_address(chosen | {"item": ""}),
        # An invalid day is not put into an input for days.
        days={name: day if _day(day, zone) else "" for name, day in narrowed.days.items()},
        rows=requests_page.data,
        count=requests_page.count,
        statuses=_choices({one.value: STATES[one.value] for one in RequestStatus}, narrowed.status),
        causes=_choices(CAUSES, narrowed.cause),
        filtered=any(chosen.values()),
        after=_address(chosen | {"cursor": next_cursor}) if next_cursor else None,
    )


def _choices(words: Mapping[str, str], chosen: str) -> list[dict[str, Any]]:
    return [
        {"value": value, "label": label, "chosen": value == chosen}
        for value, label in words.items()
    ]


def _without_nulls(text: str) -> str:
    return text.replace("\x00", "")


def _day(text: str, zone: ZoneInfo, *, later: int = 0) -> datetime | None:
    """Return when a day, or one so many days later, begins; None for what is no day."""
    try:
        day = date.fromisoformat(text) + timedelta(days=later)
        return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _address(chosen: dict[str, str]) -> str:
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"/requests?{query}" if query else "/requests"
