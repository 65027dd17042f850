"""HTTP for what people decide: retry, abort, cancel, approve and so on. Decides nothing."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from api import examples
from api.bodies import JsonRoute
from api.requests.decision_idempotency import DecisionCall
from api.requests.parameters import IdempotencyKey, RequestId
from api.requests.schemas import DecisionBody, LookBody, ReasonedBody, RetryBody, VoteBody
from api.responses import documented
from api.services import Caller, Services, ServicesDep
from pao.core.states import ApprovalVote, Decision

router = APIRouter(tags=["requests"], route_class=JsonRoute)


@router.post(
    "/requests/{request_id}/retry",
    summary="Retry a failed request",
    responses=documented({200: examples.REQUEST, 202: examples.REQUEST_OPEN}, *examples.DECIDING),
)
async def retry(
    given: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    body: RetryBody,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Run the failed action again, with corrected fields if given; `dryRun` only shows it."""
    if body.dry_run:
        return JSONResponse(await given.decisions.preview(caller, str(request_id), body))
    return await _decide(given, caller, request_id, Decision.RETRY, body, idempotency_key)


@router.post(
    "/requests/{request_id}/abort",
    summary="Abort a failed request",
    responses=documented({200: examples.REQUEST, 202: examples.REQUEST_OPEN}, *examples.DECIDING),
)
async def abort(
    given: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    body: DecisionBody,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """End the request; its error context lists what is to be cleaned up by hand."""
    return await _decide(given, caller, request_id, Decision.ABORT, body, idempotency_key)


@router.post(
    "/requests/{request_id}/escalate",
    summary="Escalate a failed request",
    responses=documented({200: examples.REQUEST, 202: examples.REQUEST_OPEN}, *examples.DECIDING),
)
async def escalate(
    given: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    body: DecisionBody,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Hand the request over by a JIRA ticket that holds everything needed; 502 without JIRA."""
    return await _decide(given, caller, request_id, Decision.ESCALATE, body, idempotency_key)


@router.post(
    "/requests/{request_id}/cancel",
    summary="Cancel what a request runs or waits for",
    responses=documented({200: examples.REQUEST, 202: examples.REQUEST_OPEN}, *examples.DECIDING),
)
async def cancel(
    given: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    body: DecisionBody,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """End what runs or waits; the request is `failed` then and waits for the usual decision.

    What was made until then stays listed. Refused with 409 when nothing runs or waits.
    """
    return await _decide(given, caller, request_id, Decision.CANCEL, body, idempotency_key)


@router.post(
    "/requests/{request_id}/look",
    summary="Look for a failed action's effect",
    responses=documented({200: examples.LOOK}, 400, 401, 403, 404, 409, 422, 429, 503),
)
async def look(
    given: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    body: Annotated[LookBody | None, Body()] = None,
) -> dict[str, Any]:
    """Ask the target, read-only, whether the effect exists: found, absent, or unknown and why."""
    action_id = body.action_id if body else None
    return await given.decisions.look(caller, str(request_id), action_id)


@router.post(
    "/requests/{request_id}/approve",
    summary="Approve a waiting action",
    responses=documented({200: examples.REQUEST, 202: examples.REQUEST_OPEN}, *examples.DECIDING),
)
async def approve(
    given: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    body: VoteBody,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Approve an action that waits for it; only its approvers may, and not who submitted."""
    return await _decide(given, caller, request_id, ApprovalVote.APPROVE, body, idempotency_key)


@router.post(
    "/requests/{request_id}/reject",
    summary="Reject a waiting action",
    responses=documented({200: examples.REQUEST, 202: examples.REQUEST_OPEN}, *examples.DECIDING),
)
async def reject(
    given: ServicesDep,
    caller: Caller,
    request_id: RequestId,
    body: VoteBody,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Reject an action that waits for an approval: it fails, with the reason."""
    return await _decide(given, caller, request_id, ApprovalVote.REJECT, body, idempotency_key)


async def _decide(
    given: Services,
    caller: Caller,
    request_id: UUID,
    decision: Decision | ApprovalVote,
    body: ReasonedBody,
    idempotency_key: str | None,
) -> JSONResponse:
    call = DecisionCall(
        caller=caller,
        request_id=str(request_id),
        decision=decision,
        body=body,
        idempotency_key=idempotency_key,
    )
    outcome = "refused"
    try:
        decided = await given.decisions.decide(call)
        outcome = "open" if decided.open else "done"
    finally:
        given.metrics.decisions.labels(decision, outcome).inc()
    document = await given.reading.document(caller, str(request_id))
    headers = {"Idempotency-Replayed": "true"} if decided.replayed else None
    return JSONResponse(document, status_code=202 if decided.open else 200, headers=headers)
