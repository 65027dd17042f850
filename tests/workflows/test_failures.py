"""What an ended activity means: failed, never started, or outcome unknown."""

from typing import Any

import pytest
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    FailureError,
    RetryState,
    TerminatedError,
    TimeoutError,  # noqa: A004 -- Temporal's own
    TimeoutType,
)

from activities.action_errors import (
    ActionFailedError,
    OutcomeUnknownError,
    application_error,
    worker_shutdown,
)
from pao.core.errors import ErrorCode
from pao.core.payloads.actions import ActionState
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.states import ActionStatus
from tests.support.requests import new_request
from workflows.failures import classify, error_context, is_refusal, never_began, suggest


def timeout(kind: TimeoutType | None) -> TimeoutError:
    return TimeoutError("late", type=kind, last_heartbeat_details=[])


def activity(cause: BaseException | None) -> ActivityError:
    error = ActivityError(
        "failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="jira-ticket",
        activity_id="1",
        retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
    )
    error.__cause__ = cause
    return error


UNKNOWN = (True, True, "EXTERNAL_SERVICE_ERROR")
CASES: dict[str, tuple[FailureError, tuple[bool, bool, str]]] = {
    "start to close": (timeout(TimeoutType.START_TO_CLOSE), UNKNOWN),
    "heartbeat": (timeout(TimeoutType.HEARTBEAT), UNKNOWN),
    "schedule to start": (
        timeout(TimeoutType.SCHEDULE_TO_START),
        (False, True, "EXTERNAL_SERVICE_ERROR"),
    ),
    "cancelled": (CancelledError("cancelled"), UNKNOWN),
    "reset": (FailureError("reset"), UNKNOWN),
    "worker shutdown": (worker_shutdown(), UNKNOWN),
    "outcome unknown": (
        application_error(OutcomeUnknownError("cut", code=ErrorCode.EXTERNAL_SERVICE_ERROR)),
        UNKNOWN,
    ),
    "failed": (application_error(ActionFailedError("no")), (False, False, "ACTION_FAILED")),
    "failed but worth a retry": (
        application_error(ActionFailedError("no", retryable=True)),
        (False, True, "ACTION_FAILED"),
    ),
    "unknown type": (
        ApplicationError("no such activity", type="NotFoundError"),
        (False, True, "ACTION_FAILED"),
    ),
    "a bug": (ApplicationError("oops", type="KeyError"), (False, False, "ACTION_FAILED")),
    "details of another shape": (
        ApplicationError("oops", "text", type="Other"),
        (False, False, "ACTION_FAILED"),
    ),
    "terminated": (TerminatedError("ended"), (False, False, "ACTION_FAILED")),
}


@pytest.mark.parametrize(("cause", "expected"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("wrapped", [True, False], ids=["activity", "local activity"])
def test_each_way_to_end_means_one_thing(
    cause: FailureError, expected: tuple[bool, bool, str], *, wrapped: bool
) -> None:
    failure = classify(activity(cause) if wrapped else cause)
    assert (failure.outcome_unknown, failure.retryable, failure.code) == expected
    assert failure.message


def test_an_activity_without_a_cause_failed() -> None:
    assert not classify(activity(None)).outcome_unknown


def test_what_the_target_answered_is_kept() -> None:
    told = ActionFailedError("no", http_status=400, response_body='{"errors": {}}')
    failure = classify(activity(application_error(told)))
    assert (failure.http_status, failure.response_body) == (400, '{"errors": {}}')


def test_facts_in_the_spelling_of_an_earlier_version_are_read() -> None:
    facts = {
        "code": "EXTERNAL_SERVICE_ERROR",
        "http_status": 503,
        "response_body": "busy",
        "partial": [{"type": "thing", "id": "a", "url": None, "cleanup": None}],
        "askable": False,
        "cause": "target-down",
    }
    failure = classify(activity(ApplicationError("no", facts, type="OutcomeUnknown")))
    assert (failure.http_status, failure.response_body) == (503, "busy")
    assert failure.partial == [PartialResource("thing", "a")]
    assert (failure.outcome_unknown, failure.askable, failure.cause) == (True, False, "target-down")


def test_a_refusal_of_the_database_is_told_from_its_absence() -> None:
    refused = ApplicationError("no", type="MirrorRefused")
    away = ApplicationError("no", type="DatabaseUnavailable")
    assert is_refusal(refused)
    assert is_refusal(activity(refused))
    assert not is_refusal(away)
    assert not is_refusal(activity(away))
    assert not is_refusal(activity(timeout(TimeoutType.START_TO_CLOSE)))


@pytest.mark.parametrize(
    ("facts", "decision", "why"),
    [
        ({"outcome_unknown": True, "retryable": True}, "retry", "looks first"),
        ({"http_status": 401}, "escalate", "credentials"),
        ({"http_status": 403, "retryable": True}, "escalate", "credentials"),
        ({"http_status": 503, "retryable": True}, "retry", "not ready"),
        ({"http_status": 429, "retryable": True}, "retry", "A limit"),
        ({"http_status": 400}, "retry", "corrected fields"),
        ({"http_status": 404}, "retry", "corrected fields"),
        ({"refused": True}, "abort", "People have said no"),
        ({"http_status": 500}, "retry", "not ready"),
        ({"cause": "ours"}, "escalate", "PAO's own configuration"),
        ({"cause": "ours", "retryable": True}, "retry", "PAO itself was not ready"),
        ({"cause": "quota", "http_status": 403}, "retry", "A limit"),
        ({"cause": "conflict", "http_status": 422}, "retry", "stands in the way"),
        ({"cause": "of a later version"}, "escalate", "Nothing says"),
        ({}, "escalate", "Nothing says"),
    ],
)
def test_a_decision_is_suggested_with_its_reason(
    facts: dict[str, Any], decision: str, why: str
) -> None:
    suggested, reason = suggest(ActionFailure(code="ACTION_FAILED", message="no", **facts))
    assert suggested == decision
    assert why in reason


def state(id_: str, status: ActionStatus, **more: Any) -> ActionState:
    return ActionState(id=id_, index=0, type="jira-ticket", name=id_, status=status, **more)


def test_the_failure_context_tells_what_failed_what_exists_and_what_to_clean_up() -> None:
    request = new_request()
    request.context.fields["token"] = "pao:enc:v1:k1:abc"
    failure = ActionFailure(
        code="EXTERNAL_SERVICE_ERROR", message="cut", outcome_unknown=True, retryable=True
    )
    made = state(
        "first",
        ActionStatus.COMPLETED,
        external_reference="OPS-1",
        url="https://jira.example.org/browse/OPS-1",
        cleanup="Close OPS-1.",
    )
    failed = state("second", ActionStatus.FAILED, error=failure, attempt=2)
    context = error_context(request.context, [made, failed], failure)
    assert [one["id"] for one in context["failedActions"]] == ["second"]
    assert context["failedActions"][0]["attempt"] == 2
    assert [one["id"] for one in context["partialResources"]] == ["OPS-1"]
    assert context["cleanup"][0]["instructions"] == "Close OPS-1."
    assert "not known whether" in context["cleanup"][1]["instructions"]
    assert context["error"]["outcomeUnknown"]
    assert context["suggestedDecision"]["decision"] == "retry"
    assert context["request"]["fields"]["token"] == "********"


def test_only_what_no_worker_has_begun_never_began() -> None:
    late = timeout(TimeoutType.SCHEDULE_TO_START)
    unknown = ApplicationError("no such activity", type="NotFoundError")
    assert never_began(late)
    assert never_began(activity(late))
    assert never_began(activity(unknown))
    assert not never_began(timeout(TimeoutType.HEARTBEAT))
    assert not never_began(activity(application_error(ActionFailedError("no"))))
