"""Why a decision is refused, as answers of the API."""

from pao.core.errors import Detail, ErrorCode, PaoError
from pao.core.states import TERMINAL, ApprovalVote, RequestStatus, describe_allowed

_WORKFLOW_ENDED = "its workflow has ended, and its end is not shown yet; look again within a minute"
_NOT_STARTED = {
    False: "it has not started yet; it is started within a minute",
    True: "it has not started yet; a component of a bundle starts after those it depends on",
}


def workflow_gone(
    decision: str, status: RequestStatus, lost: str | None, *, is_component: bool
) -> PaoError:
    """Return why no workflow takes a decision; ``lost`` is the fate of one that was resumed."""
    why = _WORKFLOW_ENDED if lost is None else lost.removesuffix(".")
    if status == RequestStatus.SUBMITTED:
        why = _NOT_STARTED[is_component]
    return decision_refused(decision, status, None if status in TERMINAL else why)


def decision_refused(
    decision: str, status: RequestStatus, why: str | None = None, *, code: str | None = None
) -> PaoError:
    """Return the error of an impossible decision, with those that are possible now."""
    reason = why or f"{decision} is not possible while {status}"
    possible = f" Possible now: {describe_allowed(status)}."
    if decision in tuple(ApprovalVote):
        possible = " The request's actions show who may decide what."
    return PaoError(
        ErrorCode(code or ErrorCode.INVALID_STATE_TRANSITION),
        f"The request is {status}: {reason}.{possible}",
        details=(
            Detail(
                field="status",
                constraint="state",
                message=reason,
                received=decision,
                expected=describe_allowed(status),
            ),
        ),
    )


def temporal_unavailable() -> PaoError:
    """Return the error that it is unknown whether a decision has arrived."""
    return PaoError(
        ErrorCode.SERVICE_UNAVAILABLE,
        "Temporal does not respond, so the decision may not have arrived. Repeat the call with the "
        "same Idempotency-Key in a moment; it is carried out only once.",
        headers={"Retry-After": "5"},
    )
