"""HTTP for what people decide: retry, abort, cancel, approve and so on. Decides nothing."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Response

from api.bodies import JsonRoute
from api.requests import schemas
from api.requests.decision_idempotency import DecisionCall
from api.requests.schemas import (
    CleanupBody,
    DecisionBody,
    LookBody,
    ReasonedBody,
    RetryBody,
    VoteBody,
)
from api.requests.schemas.decision import LOOK, RETRY_PREVIEW
from api.requests.schemas.request import REQUEST, REQUEST_OPEN
from api.responses import documented
from api.routes.parameters import EntryId, IdempotencyKey, RequestId
from api.services import Caller, Services, ServicesDep
from pao.core.states import ApprovalVote, Decision

router = APIRouter(tags=["requests"], route_class=JsonRoute)

ERRORS = (400, 401, 403, 404, 409, 413, 422, 429, 502, 503)
DECIDED = {200: REQUEST, 202: REQUEST_OPEN}


@dataclass(frozen=True, slots=True)
class _Command:
    """A decision with its own path, and the body that it takes."""

    decision: Decision | ApprovalVote
    body: type[ReasonedBody]
    summary: str
    description: str


COMMANDS = (
    _Command(
        Decision.ABORT,
        DecisionBody,
        "Abort a failed request",
        "End the request. Its error context lists what to clean up by hand.",
    ),
    _Command(
        Decision.ESCALATE,
        DecisionBody,
        "Escalate a failed request",
        "Hand the request over in a JIRA ticket that holds everything people need; 502 "
        "when the ticket cannot be created.",
    ),
    _Command(
        Decision.CANCEL,
        DecisionBody,
        "Cancel what a request is running or waiting for",
        "Stop what runs or waits. The request is then `failed` and waits for the usual decision; "
        "what was created until then stays listed. 409 when nothing runs or waits.",
    ),
    _Command(
        ApprovalVote.APPROVE,
        VoteBody,
        "Approve a waiting action",
        "Approve an action that waits for an approval. Only its approvers may, but not the "
        "submitter of the request.",
    ),
    _Command(
        ApprovalVote.REJECT,
        VoteBody,
        "Reject a waiting action",
        "Reject an action that waits for an approval: it fails with the reason.",
    ),
)


@router.post(
    "/requests/{request_id}/retry",
    summary="Retry a failed request",
    responses=documented(
        {**DECIDED, 200: {"decided": REQUEST, "dryRun": RETRY_PREVIEW}},
        *ERRORS,
        headers=["Idempotency-Replayed"],
    ),
)
async def retry_request(
    response: Response,
    services: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    body: RetryBody,
    idempotency_key: IdempotencyKey = None,
) -> schemas.Request | schemas.RetryPreview:
    """Run the failed action again, with corrected fields if any; `dryRun` only previews it."""
    if body.dry_run:
        return await services.decisions.preview(caller, request_id, body)
    call = DecisionCall(
        caller=caller,
        request_id=request_id,
        decision=Decision.RETRY,
        body=body,
        idempotency_key=idempotency_key,
    )
    return await _decide(services, response, call)


def _add(command: _Command) -> None:
    async def decide(
        response: Response,
        services: ServicesDep,
        caller: Caller,
        request_id: RequestId,
        body: command.body,  # type: ignore[name-defined]  # FastAPI reads it at run time
        idempotency_key: IdempotencyKey = None,
    ) -> schemas.Request:
        call = DecisionCall(
            caller=caller,
            request_id=request_id,
            decision=command.decision,
            body=body,
            idempotency_key=idempotency_key,
        )
        return await _decide(services, response, call)

    router.add_api_route(
        f"/requests/{{request_id}}/{command.decision}",
        decide,
        methods=["POST"],
        name=f"{command.decision}_request",
        summary=command.summary,
        description=command.description,
        responses=documented(DECIDED, *ERRORS, headers=["Idempotency-Replayed"]),
    )


for _command in COMMANDS:
    _add(_command)


@router.post(
    "/requests/{request_id}/look",
    summary="Look for a failed action's effect",
    responses=documented({200: LOOK}, 400, 401, 403, 404, 409, 413, 422, 429, 503),
)
async def look_for_effect(
    services: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    body: Annotated[LookBody | None, Body()] = None,
) -> schemas.Look:
    """Check the target, read-only, for the effect: found, absent, or unknown and why."""
    action_id = body.action_id if body else None
    return await services.decisions.look(caller, request_id, action_id)


@router.post(
    "/requests/{request_id}/cleanup/{entry_id}",
    summary="Mark something as cleaned up",
    responses=documented({200: REQUEST}, *ERRORS),
)
async def mark_cleaned_up(
    services: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    entry_id: EntryId,
    body: CleanupBody,
) -> schemas.Request:
    """Report that an entry of `leftBehind`, or of a request that has ended, is cleaned up.

    It stays listed, with who reported it, when and how. A repeat changes nothing.
    """
    await services.cleanups.mark(caller, request_id, entry_id, body.note)
    return await services.reading.document(caller, request_id)


async def _decide(services: Services, response: Response, call: DecisionCall) -> schemas.Request:
    outcome = "refused"
    try:
        decided = await services.decisions.decide(call)
        outcome = decided.outcome
    finally:
        services.metrics.decisions.labels(call.decision, outcome).inc()
    if decided.open:
        response.status_code = 202
    if decided.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return await services.reading.document(call.caller, call.request_id)
