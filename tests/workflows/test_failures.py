"""What an ended activity means: failed, never started, or outcome unknown."""

from dataclasses import replace
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
from pao.core.names import FOREIGN_INSTALLATION
from pao.core.payloads.actions import ActionState
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.states import ActionStatus
from tests.support.requests import new_request
from workflows.failures import (
    LONGEST_MESSAGE,
    classify,
    combined_failure,
    error_context,
    is_refusal,
    suggest,
    was_never_begun,
    was_reported,
)


def timeout(kind: TimeoutType | None) -> TimeoutError:
    return TimeoutError("late", type=kind, last_heartbeat_details=[])


def activity(cause: BaseException | None, *, started: int = 2) -> ActivityError:
    error = ActivityError(
        "failed",
        scheduled_event_id=1,
        started_event_id=started,
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
    "of another installation": (
        ApplicationError("not ours", type=FOREIGN_INSTALLATION),
        (False, True, "ACTION_FAILED"),
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


def test_what_is_cancelled_before_it_begins_took_no_effect() -> None:
    failure = classify(activity(CancelledError("cancelled"), started=0))
    assert (failure.outcome_unknown, failure.retryable, failure.cause) == (False, True, "ours")
    assert failure.code == "ACTION_FAILED"
    assert "it did not start" in failure.message


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (timeout(TimeoutType.HEARTBEAT), "The worker stopped responding while the action was"),
        (timeout(TimeoutType.SCHEDULE_TO_START), "No worker picked up the action in time, so it"),
        (CancelledError("cancelled"), "The action was cancelled while it was running; it may"),
        (FailureError("reset"), "The workflow was reset while the action was running; it may"),
        (ApplicationError("no", type="NotFoundError"), "No worker supports this action type, so"),
        (ApplicationError("not ours", type=FOREIGN_INSTALLATION), "not ours"),
    ],
)
def test_what_is_no_fault_of_the_target_says_what_happened(error: FailureError, told: str) -> None:
    failure = classify(activity(error))
    assert failure.message.startswith(told)
    assert failure.cause == "ours"


def test_an_error_without_words_is_named_by_its_type() -> None:
    assert classify(TerminatedError("")).message == "TerminatedError"
    assert classify(TerminatedError("ended")).message == "ended"


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
        ({"outcome_unknown": True, "http_status": 401}, "escalate", "then a retry looks for"),
        ({"outcome_unknown": True, "cause": "access"}, "escalate", "access was denied"),
        ({"outcome_unknown": True, "askable": False}, "evidence", "--evidence present or"),
        ({"outcome_unknown": True, "retry": "It asks again."}, "retry", "effect. It asks again."),
        ({"http_status": 401}, "escalate", "credentials"),
        ({"http_status": 403, "retryable": True}, "escalate", "credentials"),
        ({"http_status": 503, "retryable": True}, "retry", "not ready"),
        ({"http_status": 429, "retryable": True}, "retry", "A quota"),
        ({"http_status": 400}, "retry", "corrected fields"),
        ({"http_status": 404}, "retry", "corrected fields"),
        ({"refused": True}, "abort", "It was rejected"),
        ({"http_status": 500}, "retry", "not ready"),
        ({"cause": "ours"}, "escalate", "PAO's own configuration"),
        ({"cause": "ours", "retryable": True}, "retry", "PAO itself was not ready"),
        ({"cause": "quota", "http_status": 403}, "retry", "A quota"),
        ({"cause": "conflict", "http_status": 422}, "retry", "conflicts with something"),
        ({"cause": "of a later version"}, "escalate", "There is no sign"),
        ({}, "escalate", "There is no sign"),
    ],
)
def test_a_decision_is_suggested_with_its_reason(
    facts: dict[str, Any], decision: str, why: str
) -> None:
    suggested, reason = suggest(ActionFailure(code="ACTION_FAILED", message="no", **facts))
    assert suggested == decision
    assert why in reason


NO = ActionFailure(code="ACTION_FAILED", message="no", http_status=400)
CUT = ActionFailure(code="EXTERNAL_SERVICE_ERROR", message="cut", outcome_unknown=True)


def test_one_failure_stands_for_all_and_an_unknown_outcome_before_the_others() -> None:
    failed = [
        state(name, ActionStatus.FAILED, error=error)
        for name, error in zip("abc", (NO, CUT, NO), strict=True)
    ]
    others = [state("d", ActionStatus.COMPLETED, error=NO), state("e", ActionStatus.FAILED)]
    assert combined_failure(others) is None
    assert combined_failure([*others, failed[0]]) is NO
    both = combined_failure([failed[0], failed[2]])
    assert both == replace(NO, message="2 actions failed. a: no; c: no")
    assert combined_failure([*others, *failed]) == replace(
        CUT, message="3 actions failed. a: no; b: cut; c: no"
    )
    long = state("f", ActionStatus.FAILED, error=replace(NO, message="x" * 5_000))
    told = combined_failure([failed[0], long])
    assert told is not None
    assert len(told.message) == LONGEST_MESSAGE


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
    assert context["request"]["item"] == request.context.item.id
    assert context["request"]["version"] == request.context.item.version
    assert context["request"]["requester"] == request.context.requester.id
    assert context["manualWay"] is False
    ways = error_context(request.context, [made, failed], failure, manual_way=True)
    assert ways == context | {"manualWay": True}


def test_only_what_no_worker_has_begun_never_began() -> None:
    late = timeout(TimeoutType.SCHEDULE_TO_START)
    unknown = ApplicationError("no such activity", type="NotFoundError")
    assert was_never_begun(late)
    assert was_never_begun(activity(late))
    assert was_never_begun(activity(unknown))
    assert was_never_begun(activity(ApplicationError("not ours", type=FOREIGN_INSTALLATION)))
    assert was_never_begun(activity(CancelledError("cancelled"), started=0))
    assert not was_never_begun(activity(CancelledError("cancelled")))
    assert not was_never_begun(CancelledError("cancelled"))
    assert not was_never_begun(timeout(TimeoutType.START_TO_CLOSE))
    assert not was_never_begun(activity(None))
    assert not was_never_begun(timeout(TimeoutType.HEARTBEAT))
    assert not was_never_begun(activity(application_error(ActionFailedError("no"))))


def test_only_an_activity_that_says_how_it_ended_has_reported() -> None:
    assert was_reported(activity(application_error(ActionFailedError("no"))))
    assert was_reported(application_error(OutcomeUnknownError("cut")))
    assert not was_reported(activity(worker_shutdown(repeatable=True)))
    assert not was_reported(activity(CancelledError("cancelled")))
    assert not was_reported(activity(CancelledError("cancelled"), started=0))
    assert not was_reported(activity(timeout(TimeoutType.HEARTBEAT)))
    foreign = ApplicationError("not ours", type=FOREIGN_INSTALLATION, non_retryable=True)
    assert not was_reported(activity(foreign))
    assert not was_reported(activity(None))


def test_the_last_error_counts_whatever_it_came_of() -> None:
    told = application_error(OutcomeUnknownError("cut"))
    told.__cause__ = timeout(TimeoutType.SCHEDULE_TO_START)
    assert classify(told).outcome_unknown
    assert not was_never_begun(told)


def test_what_is_unknown_can_be_retried() -> None:
    error = ApplicationError("cut", {"retryable": False}, type="OutcomeUnknown")
    found = classify(activity(error))
    assert (found.retryable, found.outcome_unknown) == (True, True)
