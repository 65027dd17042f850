"""States of a request and of its actions, and the one table of allowed transitions.

The workflow, the API and the database constraints all follow this table.
"""

from enum import StrEnum


class RequestStatus(StrEnum):
    """The status of a request."""

    SUBMITTED = "submitted"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"
    ESCALATED = "escalated"


class ActionStatus(StrEnum):
    """The status of one action of a request."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    WAITING = "waiting"


class Decision(StrEnum):
    """What a person may decide about a request; also the names of the signals.

    ``cancel`` ends what runs or waits; the others say what becomes of a failed request.
    """

    RETRY = "retry"
    ABORT = "abort"
    ESCALATE = "escalate"
    CANCEL = "cancel"


class ApprovalVote(StrEnum):
    """What a person may decide about an action that waits for an approval; also signal names."""

    APPROVE = "approve"
    REJECT = "reject"


TRANSITIONS: dict[RequestStatus, frozenset[RequestStatus]] = {
    RequestStatus.SUBMITTED: frozenset({RequestStatus.IN_PROGRESS}),
    RequestStatus.IN_PROGRESS: frozenset({RequestStatus.COMPLETED, RequestStatus.FAILED}),
    RequestStatus.FAILED: frozenset(
        {
            RequestStatus.FAILED,
            RequestStatus.IN_PROGRESS,
            RequestStatus.COMPLETED,
            RequestStatus.ABORTED,
            RequestStatus.ESCALATED,
        }
    ),
    RequestStatus.COMPLETED: frozenset(),
    RequestStatus.ABORTED: frozenset(),
    RequestStatus.ESCALATED: frozenset(),
}

TERMINAL = frozenset(status for status, following in TRANSITIONS.items() if not following)
SETTLED = TERMINAL | {RequestStatus.FAILED}

DECISIONS: dict[RequestStatus, tuple[Decision, ...]] = {
    **dict.fromkeys(RequestStatus, ()),
    RequestStatus.IN_PROGRESS: (Decision.CANCEL,),
    RequestStatus.FAILED: (Decision.RETRY, Decision.ABORT, Decision.ESCALATE),
}
RETRYING = (Decision.CANCEL,)
"""What may be decided about a request that is failed and whose failed action runs again."""


def can_move(before: RequestStatus, after: RequestStatus) -> bool:
    """Return whether a request may go from one state to the other by its own workflow.

    The reconciler's move of ``submitted`` to ``failed`` (its workflow is gone) is not among these.
    """
    return after in TRANSITIONS[before]


def describe_allowed(status: RequestStatus) -> str:
    """Return which decisions a request in this state accepts, for an error message."""
    allowed = DECISIONS[status]
    if status is RequestStatus.IN_PROGRESS:
        return "cancel; the others once it has failed"
    if allowed:
        return ", ".join(allowed)
    if status in TERMINAL:
        return "nothing, this state is final"
    return "nothing until it has failed"
