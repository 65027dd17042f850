"""HTTP for the list of requests: reads the filters, calls the service. Decides nothing."""

from enum import StrEnum
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BeforeValidator

from api.bodies import JsonRoute
from api.requests import schemas
from api.requests.schemas.request import PAGE
from api.responses import documented
from api.routes.parameters import Cursor, Limit, Moment
from api.routes.query_values import aware, storable
from api.services import Caller, ServicesDep
from db.repositories.request_filters import RequestFilters, Sort
from pao.core.failure_classes import Cause
from pao.core.states import RequestStatus

router = APIRouter(tags=["requests"], route_class=JsonRoute)

Word = TypeVar("Word", bound=StrEnum)


def _split_values(given: object) -> object:
    """Return the members of a list that may be repeated, separated by commas, or both."""
    if not isinstance(given, list):
        return given
    return [part.strip() for one in given for part in str(one).split(",")]


SeveralOf = Annotated[list[Word] | None, BeforeValidator(_split_values)]
_SEVERAL = "Several are separated by commas, or the parameter is repeated; one of them must match"


@router.get(
    "/requests",
    summary="List requests",
    responses=documented({200: PAGE}, 400, 401, 404, 429, 503),
)
async def list_requests(
    services: ServicesDep,
    caller: Caller,
    *,
    status: Annotated[SeveralOf[RequestStatus], Query(description=_SEVERAL)] = None,
    cause: Annotated[
        SeveralOf[Cause],
        Query(description=f"Why it failed: the `cause` of its error. {_SEVERAL}"),
    ] = None,
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Free-text search: words of its title, item or tags, "
            "each by its beginning; the key of a ticket; or at least 4 digits with which its id or "
            "its correlation id begins. A component is found as its bundle.",
        ),
    ] = None,
    tag: Annotated[
        list[Annotated[str, Query(max_length=100)]] | None,
        Query(description="A tag of the request, whole. Repeated, the request has all of them"),
    ] = None,
    catalog_item_id: Annotated[str | None, Query(alias="catalogItemId", max_length=200)] = None,
    user_id: Annotated[
        str | None,
        Query(alias="userId", max_length=200, description="Who submitted it; `me` is the caller"),
    ] = None,
    team: Annotated[
        str | None, Query(max_length=200, description="A team that the submitter was in")
    ] = None,
    correlation_id: Annotated[UUID | None, Query(alias="correlationId")] = None,
    external_reference: Annotated[
        str | None,
        Query(
            alias="externalReference",
            max_length=200,
            description="What an action has made, such as a ticket key; components are listed, too",
        ),
    ] = None,
    parent: Annotated[
        str | None,
        Query(max_length=255, description="The bundle whose components are listed, as in paths"),
    ] = None,
    since: Annotated[Moment | None, Query(description="Submitted then or later; RFC 3339")] = None,
    until: Annotated[Moment | None, Query(description="Submitted earlier; RFC 3339")] = None,
    decidable: Annotated[
        Literal["me"] | None, Query(description="Only what waits for the caller's decision")
    ] = None,
    sort: Annotated[
        Sort,
        Query(
            description="`created`: newest first. `waiting`: only what waits for a decision (it "
            "failed, or an approval is open), the longest first"
        ),
    ] = Sort.CREATED,
    count: Annotated[
        bool, Query(description="Also count what matches, on all pages; up to 100")
    ] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.RequestPage:
    """List the requests that the caller may see, newest first."""
    filters = RequestFilters(
        statuses=tuple(status or ()),
        causes=tuple(cause or ()),
        tags=tuple(storable("tag", one) or "" for one in tag or ()),
        text=storable("q", q),
        catalog_item_id=storable("catalogItemId", catalog_item_id),
        user_id=caller.id if user_id == "me" else storable("userId", user_id),
        team=storable("team", team),
        correlation_id=str(correlation_id) if correlation_id else None,
        external_reference=storable("externalReference", external_reference),
        since=aware("since", since),
        until=aware("until", until),
        parent=await services.references.resolve(caller, parent) if parent else None,
        decidable=decidable is not None,
        sort=sort,
    )
    return await services.listing.page(caller, filters, cursor=cursor, limit=limit, counted=count)
