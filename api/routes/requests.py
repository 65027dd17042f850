"""HTTP for requests: reads what came, calls the service, writes the answer. Decides nothing."""

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.auth.principal import Principal
from api.bodies import JsonRoute
from api.requests import schemas
from api.requests.item_preparation import preferred_wait
from api.requests.lifecycle import headers_of
from api.requests.prepared import SubmissionCall
from api.requests.presentation import title
from api.requests.reading import StoredRequest
from api.requests.schemas import Submission
from api.requests.schemas.event import EXAMPLE as EVENTS
from api.requests.schemas.history import SIMILAR
from api.requests.schemas.request import BUNDLE, REQUEST, REQUEST_OPEN
from api.requests.schemas.status import ESCALATION, STATUS
from api.requests.streams import EventStream
from api.response_headers import OF_SUBMISSIONS
from api.responses import documented, documented_text
from api.routes.parameters import IdempotencyKey, RequestId
from api.services import Caller, Correlation, Services, ServicesDep
from pao.core.states import SETTLED
from pao.core.timestamps import timestamp

router = APIRouter(tags=["requests"], route_class=JsonRoute)

Prefer = Annotated[
    str | None,
    Header(max_length=200, description="`wait=N`: wait up to N seconds for the request to settle."),
]


@router.post(
    "/requests",
    status_code=201,
    summary="Submit a request",
    responses=documented(
        {
            201: {"item": REQUEST, "bundle": BUNDLE},
            202: REQUEST_OPEN,
            200: REQUEST,
        },
        *(400, 401, 403, 404, 409, 413, 422, 429, 503),
        headers=OF_SUBMISSIONS,
    ),
)
async def submit_request(
    request: Request,
    response: Response,
    services: ServicesDep,
    caller: Caller,
    correlation: Correlation,
    body: Submission,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
) -> schemas.Request:
    """Check, store and start a request, and wait for it to settle within the budget.

    201 when it has settled (a failed one is a created resource, too), 202 while it continues, 200
    with `Idempotency-Replayed: true` for a repeat. Items that are inherently slow return 202 at
    once, unless `Prefer: wait=N` says otherwise.
    """
    call = SubmissionCall(
        caller=caller,
        correlation_id=correlation,
        raw_body=request.state.raw_body,
        idempotency_key=idempotency_key,
        wait=preferred_wait(prefer),
    )
    with services.metrics.submission.time():
        submitted = await services.submission.submit(body, call)
        stored = await services.reading.read_submitted(caller, submitted)
    settled = stored.row.status in SETTLED
    services.metrics.submitted.labels(stored.row.catalog_item_id, stored.row.status).inc()
    response.headers["Location"] = f"/api/v1/requests/{submitted.request_id}"
    response.headers.update(headers_of(stored.row.item_definition))
    if call.wait is not None:
        response.headers["Preference-Applied"] = f"wait={call.wait:g}"
    if submitted.replayed:
        response.headers["Idempotency-Replayed"] = "true"
        response.status_code = 200
    elif not settled:
        response.status_code = 202
    return services.reading.present(stored)


@router.get(
    "/requests/{request_id}",
    summary="Get a request",
    responses=documented({200: REQUEST}, 400, 401, 404, 429, 503),
)
async def get_request(
    services: ServicesDep, caller: Caller, request_id: RequestId
) -> schemas.Request:
    """Return everything: fields (masked), actions, outputs, error context, decisions."""
    return await services.reading.document(caller, request_id)


@router.get(
    "/requests/{request_id}/status",
    summary="Get a request's live status",
    responses=documented({200: STATUS}, 400, 401, 404, 429, 503),
)
async def get_request_status(
    services: ServicesDep, caller: Caller, request_id: RequestId
) -> schemas.Status:
    """Return the current state, with each ticket's status queried from JIRA now."""
    return await services.reading.status(caller, request_id)


@router.get(
    "/requests/{request_id}/events",
    summary="Follow a request",
    response_class=EventSourceResponse,
    responses=documented_text("text/event-stream", EVENTS, 400, 401, 404, 422, 429, 503),
)
async def stream_request_events(
    services: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    last_event_id: Annotated[
        str | None, Header(description="Resume after this event", pattern=r"^[0-9]{1,18}$")
    ] = None,
) -> EventSourceResponse:
    """Stream `state`, `action`, `log` and `decision` events.

    Ends after a final state, when the key is revoked, or when the serving process shuts down. The
    number of concurrent streams per caller is limited; one more is refused with 429.
    """
    stored = await services.reading.get(caller, request_id)
    stream = _stream(services, caller, stored, int(last_event_id or 0))
    return EventStream(stream, services.streams, caller.id)


@router.get(
    "/requests/{request_id}/similar-failures",
    summary="Get failures like a request's",
    responses=documented({200: SIMILAR}, 400, 401, 404, 429, 503),
)
async def get_similar_failures(
    services: ServicesDep, caller: Caller, request_id: RequestId
) -> schemas.SimilarFailures:
    """Return how requests of the same item fared that failed in the same action alike.

    Of the last 90 days, and only those that the caller may see.
    """
    return await services.history.similar_failures(caller, request_id)


@router.get(
    "/requests/{request_id}/escalation",
    summary="Get a request's escalation",
    responses=documented({200: ESCALATION}, 400, 401, 404, 429, 503),
)
async def get_request_escalation(
    services: ServicesDep, caller: Caller, request_id: RequestId
) -> schemas.EscalationStatus:
    """Return ticket key, URL, when, by whom and why, and the ticket's live status."""
    return await services.reading.escalation(caller, request_id)


async def _stream(
    services: Services, caller: Principal, stored: StoredRequest, after: int
) -> AsyncGenerator[ServerSentEvent, None]:
    async def is_allowed() -> bool:
        return await services.identity.is_still_valid(caller, datetime.now(UTC))

    titles = {str(row.id): title(row) for row in stored.rows}
    stream = services.reading.events(stored, after=after, is_allowed=is_allowed)
    async for entry, component in stream:
        where = {"component": component} if component else {}
        called = {"title": titles[entry.request_id]} if entry.kind == "state" else {}
        data = {"time": timestamp(entry.at), **where, **called, **entry.data}
        yield ServerSentEvent(
            json.dumps(data, ensure_ascii=False), event=entry.kind, id=str(entry.id), sep="\n"
        )
