"""HTTP for the audit trail. Decides nothing."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from api.audit.schemas import LINE, PAGE, AuditPage
from api.requests.downloads import Download
from api.responses import documented
from api.routes.parameters import Cursor, Limit, Moment
from api.routes.query_values import aware, storable
from api.services import Caller, ServicesDep
from db.repositories.audit import AuditFilters

router = APIRouter(tags=["administration"])

NDJSON = "application/x-ndjson"
_Text = Annotated[str | None, Query(max_length=200)]
_EventTypes = Annotated[
    list[Annotated[str, Query(max_length=100)]] | None,
    Query(alias="eventType", max_length=50, description="Repeatable; `key.*` is all of a kind"),
]


async def _filters(
    services: ServicesDep,
    caller: Caller,
    *,
    actor: _Text = None,
    event_type: _EventTypes = None,
    request_id: Annotated[
        str | None,
        Query(alias="requestId", max_length=255, description="Id, short id, ticket key, ..."),
    ] = None,
    via: _Text = None,
    since: Annotated[Moment | None, Query(description="RFC 3339, included")] = None,
    until: Annotated[Moment | None, Query(description="RFC 3339, not included")] = None,
) -> AuditFilters:
    return await services.audit.filters(
        caller,
        actor=storable("actor", actor),
        event_types=tuple(storable("eventType", one) or "" for one in event_type or ()),
        request=request_id,
        via=storable("via", via),
        since=aware("since", since),
        until=aware("until", until),
    )


Filters = Annotated[AuditFilters, Depends(_filters)]


@router.get(
    "/audit",
    summary="List the audit trail",
    responses=documented({200: PAGE}, 400, 401, 403, 404, 429, 503),
)
async def list_audit(
    services: ServicesDep,
    caller: Caller,
    filters: Filters,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AuditPage:
    """List who did what, when and why, the newest first; for admins."""
    return await services.audit.page(caller, filters, cursor=cursor, limit=limit)


@router.get(
    "/audit/export",
    summary="Export the audit trail",
    response_class=StreamingResponse,
    responses=documented({}, 400, 401, 403, 404, 429, 503)
    | {
        200: {
            "description": "One line of the trail per line, as JSON",
            "content": {
                NDJSON: {
                    "schema": {"$ref": "#/components/schemas/AuditLine"},
                    "example": LINE.model_dump(),
                }
            },
        }
    },
)
async def export_audit(services: ServicesDep, caller: Caller, filters: Filters) -> Download:
    """Stream all lines as NDJSON, the newest first; for admins.

    A connection that breaks leaves a shorter file; compare its last line's `id` with a list. It is
    one of the caller's streams, and breaks when the caller's key is revoked or their token ends:
    for a long trail open a session (`POST /sessions`), or ask for it in parts.
    """

    async def is_allowed() -> bool:
        return await services.identity.is_still_valid(caller, datetime.now(UTC))

    lines = services.audit.ndjson(filters)
    return Download(lines, services.streams, caller.id, is_allowed=is_allowed, media_type=NDJSON)
