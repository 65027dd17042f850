"""HTTP for the execution log: its pages, forwards and backwards, and a search. Decides nothing."""

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field

from api.bodies import JsonRoute
from api.requests import schemas
from api.requests.log import LogQuery
from api.requests.schemas.status import LOGS
from api.responses import documented
from api.routes.parameters import Cursor, Limit, RequestId
from api.routes.query_values import storable
from api.services import Caller, ServicesDep

router = APIRouter(tags=["requests"], route_class=JsonRoute)

END: Literal["end"] = "end"
_PLACE = re.compile(r"[1-9][0-9]{0,17}|end")


def _check_before(value: object) -> object:
    """Refuse in one sentence what is neither a sequence nor the end."""
    if isinstance(value, str) and not _PLACE.fullmatch(value):
        raise ValueError("write the sequence of a line, such as 17, or end")
    return value


Before = Annotated[
    Annotated[int, Field(ge=1, lt=10**18)] | Literal["end"] | None,
    BeforeValidator(_check_before),
    Query(
        description="Page backwards: the last lines before the one with this `sequence`, or before "
        "the `end`. `nextCursor` then leads to earlier lines; send `before` with it, too"
    ),
]


@router.get(
    "/requests/{request_id}/logs",
    summary="Get a request's execution log",
    responses=documented({200: LOGS}, 400, 401, 404, 429, 503),
)
async def get_request_logs(
    services: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    *,
    action_id: Annotated[
        str | None, Query(alias="actionId", max_length=200, description="Only lines of this action")
    ] = None,
    component: Annotated[
        str | None, Query(max_length=200, description="Only lines of this component of a bundle")
    ] = None,
    q: Annotated[
        str | None,
        Query(max_length=200, description="Only lines whose message has this text, in any case"),
    ] = None,
    before: Before = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> schemas.LogPage:
    """Return a page of the execution log, its lines always oldest first.

    Pages begin with the first line; with `before`, at the other end. To follow the log live, use
    the events.
    """
    stored = await services.reading.get(caller, request_id)
    query = LogQuery(
        components=None if component is None else frozenset({storable("component", component)}),
        action=storable("actionId", action_id),
        text=storable("q", q),
    )
    if before is None:
        return await services.log.page(stored, query, cursor=cursor, limit=limit)
    line = None if before == END else before
    return await services.log.page_back(stored, query, before=line, cursor=cursor, limit=limit)
