"""Classifies failures, and builds what a person needs to decide about them."""

from dataclasses import replace
from typing import Any

from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    FailureError,
    TimeoutError,  # noqa: A004 -- Temporal's own, which names what timed out.
    TimeoutType,
)

from pao.core import names
from pao.core.documents import from_document
from pao.core.errors import ErrorCode
from pao.core.failure_classes import CANCELLED, Cause, suggestion
from pao.core.names import FOREIGN_INSTALLATION, masked
from pao.core.payloads.actions import ActionState
from pao.core.payloads.context import RequestContext
from pao.core.payloads.failures import ActionFailure
from pao.core.resources import cleanup_of, failed_actions_of, resources_of
from pao.core.states import ActionStatus, Decision

OUTCOME_UNKNOWN_TYPES = frozenset({"OutcomeUnknown", "WorkerShutdown"})
UNKNOWN_ACTIVITY_TYPE = "NotFoundError"
NOT_BEGUN_TYPES = frozenset({UNKNOWN_ACTIVITY_TYPE, FOREIGN_INSTALLATION})
CALL_MAY_HAVE_LEFT = frozenset({TimeoutType.START_TO_CLOSE, TimeoutType.HEARTBEAT})
LONGEST_MESSAGE = 4_000
EVIDENCE = "evidence"
"""What is suggested where only a person can find out what is there."""


def classify(error: FailureError) -> ActionFailure:
    """Classify an ended activity: failed, never started, or outcome unknown."""
    cause = error.cause if isinstance(error, ActivityError) and error.cause else error
    if isinstance(cause, TimeoutError):
        return _classify_timeout(cause)
    if isinstance(cause, CancelledError) and was_never_begun(error):
        return ActionFailure(
            code=ErrorCode.ACTION_FAILED,
            message="It was cancelled before a worker picked it up; it did not start.",
            retryable=True,
            cause=Cause.OURS,
        )
    if isinstance(cause, CancelledError):
        return unknown_outcome(CANCELLED)
    if isinstance(cause, ApplicationError):
        return _classify_reported(cause)
    if cause.__class__ is FailureError:
        # The SDK's type for everything else: an action that ran when its workflow was reset.
        return unknown_outcome(
            "The workflow was reset while the action was running; it may have taken effect."
        )
    return ActionFailure(code=ErrorCode.ACTION_FAILED, message=str(cause) or type(cause).__name__)


def _classify_timeout(cause: TimeoutError) -> ActionFailure:
    if cause.type in CALL_MAY_HAVE_LEFT:
        return unknown_outcome(
            "The worker stopped responding while the action was running; it may have taken effect. "
            "A retry checks first."
        )
    return ActionFailure(
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
        message="No worker picked up the action in time, so it did not start. "
        "Check the workers, then retry.",
        retryable=True,
        cause=Cause.OURS,
    )


def unknown_outcome(message: str) -> ActionFailure:
    """Return the failure of an action that may have taken effect, for a reason within PAO."""
    return ActionFailure(
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
        message=message,
        retryable=True,
        outcome_unknown=True,
        cause=Cause.OURS,
    )


def _classify_reported(cause: ApplicationError) -> ActionFailure:
    if cause.type == UNKNOWN_ACTIVITY_TYPE:
        return ActionFailure(
            code=ErrorCode.ACTION_FAILED,
            message="No worker supports this action type, so it did not start. "
            "Deploy a worker that does, then retry.",
            retryable=True,
            cause=Cause.OURS,
        )
    if cause.type == FOREIGN_INSTALLATION:
        return ActionFailure(
            code=ErrorCode.ACTION_FAILED, message=cause.message, retryable=True, cause=Cause.OURS
        )
    details: dict[str, Any] = {}
    if cause.details and isinstance(cause.details[0], dict):
        details = cause.details[0]
    is_unknown = cause.type in OUTCOME_UNKNOWN_TYPES
    document = {"code": ErrorCode.ACTION_FAILED, **details, "message": cause.message}
    failure = from_document(ActionFailure, document)
    return replace(failure, retryable=is_unknown or failure.retryable, outcome_unknown=is_unknown)


def was_never_begun(error: FailureError) -> bool:
    """Return whether no worker has begun an activity.

    No worker took it in time or before it was cancelled, none knows its type, or the one that took
    it belongs to another installation.
    """
    cause = error.cause if isinstance(error, ActivityError) and error.cause else error
    if isinstance(cause, TimeoutError):
        return cause.type not in CALL_MAY_HAVE_LEFT
    if isinstance(cause, CancelledError):
        return isinstance(error, ActivityError) and not error.started_event_id
    return isinstance(cause, ApplicationError) and cause.type in NOT_BEGUN_TYPES


def was_reported(error: FailureError) -> bool:
    """Return whether the activity itself reported how it ended; then it has also cleaned up.

    Not if no worker began it, or if its worker was lost or shut down.
    """
    cause = error.cause if isinstance(error, ActivityError) else error
    reported = isinstance(cause, ApplicationError) and cause.non_retryable
    return reported and not was_never_begun(error)


def is_refusal(error: FailureError) -> bool:
    """Return whether the database refused a state; repeating the write would not help."""
    cause = error.cause if isinstance(error, ActivityError) else error
    return isinstance(cause, ApplicationError) and cause.type == names.MIRROR_REFUSED


def suggest(failure: ActionFailure) -> tuple[str, str]:
    """Return the decision to suggest, and why; the person decides."""
    if failure.outcome_unknown:
        return _suggest_in_doubt(failure)
    return suggestion(failure.known_cause, retryable=failure.retryable)


def _suggest_in_doubt(failure: ActionFailure) -> tuple[str, str]:
    if failure.known_cause is Cause.ACCESS:
        return Decision.ESCALATE, (
            "It is not known whether the action took effect, and access was denied. Somebody must "
            "fix the credentials first; then a retry looks for what exists."
        )
    if not failure.askable:
        return EVIDENCE, (
            "It is not known whether the action took effect, and its target cannot be asked. Look "
            "in the target by hand, then retry with what you saw there as evidence "
            "(--evidence present or --evidence absent)."
        )
    does = failure.retry or "A retry looks first and adopts what exists."
    return Decision.RETRY, f"It is not known whether the action took effect. {does}"


def combined_failure(states: list[ActionState]) -> ActionFailure | None:
    """Return the failure that represents all that failed: unknown outcomes come first."""
    failures = [
        (state, state.error)
        for state in states
        if state.status == ActionStatus.FAILED and state.error is not None
    ]
    if len(failures) <= 1:
        return failures[0][1] if failures else None
    _, chosen = next((one for one in failures if one[1].outcome_unknown), failures[0])
    text = "; ".join(f"{state.name}: {failure.message}" for state, failure in failures)
    return replace(chosen, message=f"{len(failures)} actions failed. {text}"[:LONGEST_MESSAGE])


def error_context(
    context: RequestContext,
    states: list[ActionState],
    failure: ActionFailure,
    *,
    manual_way: bool = False,
) -> dict[str, Any]:
    """Build the failure context that is kept with the request and sent with an escalation.

    It lists what failed actions left, and what was left by actions that the manual way replaced.
    ``manual_way``: a retry may take it instead.
    """
    decision, why = suggest(failure)
    return {
        "failedActions": failed_actions_of(states),
        "error": failure.public_document(),
        "partialResources": resources_of(states),
        "cleanup": cleanup_of(context.request_id, states),
        "suggestedDecision": {"decision": decision, "reason": why},
        "manualWay": manual_way,
        "request": {
            "item": context.item.id,
            "version": context.item.version,
            "requester": context.requester.id,
            "fields": masked(context.fields),
        },
    }
