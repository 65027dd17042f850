"""HTTP for checks that submit nothing."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from api import examples
from api.bodies import JsonRoute
from api.requests.preparing import Call
from api.requests.schemas import Submission
from api.responses import documented
from api.services import Caller, Correlation, Given
from pao.core.names import masked

router = APIRouter(tags=["requests"], route_class=JsonRoute)


@router.post(
    "/validate/request",
    summary="Check a submission",
    responses=documented({200: examples.DRY_RUN}, 400, 401, 403, 404, 413, 422, 429),
)
async def validate_request(
    request: Request, given: Given, caller: Caller, correlation: Correlation, body: Submission
) -> dict[str, Any]:
    """Check everything that submission checks, and show what would be sent, secrets masked."""
    call = Call(caller=caller, correlation_id=correlation, raw_body=request.state.raw_body)
    prepared = await given.submission.prepare(body, call)
    # In a thread: templates may take a second, and other callers must not wait for them.
    actions = await asyncio.to_thread(given.submission.render, prepared)
    return {"valid": True, "fields": masked(prepared.context.fields), "actions": actions}
