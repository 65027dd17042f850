"""What the decision page says, case by case."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.requests.schemas import (
    Action,
    DecisionRecord,
    Failure,
    Look,
    PlannedCall,
    Request,
    RetryPreview,
    WaitingAction,
)
from api.requests.schemas.action import ACTION
from api.requests.schemas.decision import LOOK
from api.requests.schemas.error_context import SuggestedDecision
from api.requests.schemas.history import SIMILAR
from api.requests.schemas.request import REQUEST
from api.web.pages.decision.changes import calls_of
from api.web.pages.decision.explanation import (
    abort_words,
    failure_sentence,
    first_decision,
    last_decision,
    look_words,
    retry_advice,
    similar_words,
    suggestion_reason,
)
from api.web.pages.decision.pages import DecisionInput, with_outcome
from api.web.pages.request.notes import advice_of
from pao.core.errors import ErrorCode, PaoError
from pao.core.failure_classes import SUGGESTIONS, Cause
from pao.core.states import Decision, RequestStatus
from pao.core.timestamps import timestamp

NOW = datetime(2026, 11, 29, 10, 43, 30, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


def failed_request(cause: str = "input", *, kind: str = "jira-ticket", **more: Any) -> Request:
    """Return a request that failed five minutes ago."""
    error = {"code": "ACTION_FAILED", "message": "no", "cause": cause} | more.pop("error", {})
    values = {
        "status": RequestStatus.FAILED,
        "error": Failure(**error),
        "cause": cause,
        "waiting_action": WaitingAction(id="t", name="The ticket", type=kind),
        "waiting_since": timestamp(NOW - timedelta(minutes=5)),
        "possible_decisions": [Decision.RETRY, Decision.ABORT, Decision.ESCALATE],
        "may_decide": True,
    }
    return REQUEST.model_copy(update=values | more)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("access", "JIRA denied access."),
        ("quota", "a quota of JIRA is used up."),
        ("input", "JIRA refused the values."),
        ("target-down", "JIRA did not answer."),
        ("conflict", "it conflicts with something that exists in JIRA."),
        ("ours", "PAO or this service is not set up for it."),
        ("declined", "it was rejected."),
        ("unknown", "the cause is not known."),
        ("of-a-later-version", "the cause is not known."),
    ],
)
def test_the_brief_names_step_time_and_cause(cause: str, words: str) -> None:
    assert failure_sentence(failed_request(cause), NOW) == f"The ticket failed 5 min ago: {words}"


def test_the_brief_counts_attempts_and_tells_of_doubt() -> None:
    doubtful = failed_request("target-down", attempt=3, error={"outcome_unknown": True})
    assert failure_sentence(doubtful, NOW) == (
        "The ticket failed 5 min ago, in attempt 3: it is not known whether JIRA has done it."
    )
    assert retry_advice(doubtful) == "A retry looks first, and adopts what exists."


def test_what_was_stopped_on_purpose_is_called_that() -> None:
    document = failed_request("unknown", decisions=[decision_record("cancel", 400)])
    assert failure_sentence(document, NOW) == "The ticket failed 5 min ago: it was cancelled."
    assert retry_advice(document) == "A retry starts this step again."
    assert advice_of(document) == "It was cancelled. A retry starts this step again."
    refused = failed_request("unknown", decisions=[decision_record("cancel", 400, accepted=False)])
    assert "the cause is not known" in failure_sentence(refused, NOW)


def test_an_approval_that_nobody_gave_is_told_from_a_rejection() -> None:
    expired = failed_request("declined", kind="approval", decisions=[decision_record("retry", 900)])
    assert failure_sentence(expired, NOW) == "The ticket failed 5 min ago: no one decided in time."
    assert advice_of(expired) == "No one decided in time. A retry requests approval again."
    rejected = failed_request(
        "declined", kind="approval", decisions=[decision_record("reject", 300)]
    )
    assert "it was rejected" in failure_sentence(rejected, NOW)
    assert "it was rejected" in failure_sentence(failed_request("declined"), NOW)


def test_nothing_is_said_twice() -> None:
    reason = SuggestedDecision(decision="retry", reason="Because.")
    assert suggestion_reason(failed_request("input", suggestion=reason)) == "Because."
    for cause, (decision, usual) in SUGGESTIONS.items():
        same = SuggestedDecision(decision=decision, reason=usual)
        assert suggestion_reason(failed_request(cause, suggestion=same)) == ""
    doubtful = failed_request("input", suggestion=reason, error={"outcome_unknown": True})
    assert suggestion_reason(doubtful) == ""
    assert suggestion_reason(failed_request("input", suggestion=None)) == ""


def test_every_cause_says_whether_a_retry_helps() -> None:
    told = {retry_advice(failed_request(cause)) for cause in Cause}
    assert len(told) == len(Cause)
    assert retry_advice(failed_request("unknown", error={"retryable": True})).startswith(
        "A retry can help"
    )


@pytest.mark.parametrize(
    ("look", "kind", "sentence", "retry", "is_good"),
    [
        (
            LOOK,
            "jira-ticket",
            "Found DB-123 with this request's mark. Retry adopts it and creates nothing.",
            "Retry and adopt DB-123",
            True,
        ),
        (
            LOOK.model_copy(update={"answer": "absent"}),
            "jira-ticket",
            "JIRA has nothing for it (10:43). Retry creates a ticket.",
            "Retry and create a ticket",
            True,
        ),
        (
            LOOK.model_copy(update={"answer": "absent", "reason": "Half of it exists."}),
            "rest-api",
            "Half of it exists (10:43). Retry creates a new call.",
            "Retry",
            True,
        ),
        (
            LOOK.model_copy(update={"answer": "unknown", "reason": "JIRA did not answer."}),
            "jira-ticket",
            "JIRA did not answer. A retry now would fail: nothing is created blindly.",
            "Retry anyway",
            False,
        ),
        (
            None,
            "github-workflow",
            "GitHub did not answer. A retry now would fail: nothing is created blindly.",
            "Retry anyway",
            False,
        ),
    ],
)
def test_a_look_names_what_the_retry_will_do(
    look: Look | None, kind: str, sentence: str, retry: str, *, is_good: bool
) -> None:
    words = look_words(failed_request(kind=kind), look, "", UTC_ZONE, NOW)
    assert (words.sentence, words.retry, words.is_good) == (sentence, retry, is_good)


def decision_record(
    decision: str, seconds: float, *, by: str = "tom", accepted: bool = True
) -> Any:
    return DecisionRecord(
        id="1",
        decision=decision,
        by=by,
        via="api",
        reason=None,
        at=timestamp(NOW - timedelta(seconds=seconds)),
        accepted=accepted,
        outcome="open",
        message=None,
        changes=None,
        code=None,
        details=None,
    )


def test_who_was_faster_is_named_with_where_the_request_is_now() -> None:
    third = Action(**dict(ACTION) | {"attempt": 3})
    retried = failed_request(
        retrying=True, actions=[third], decisions=[decision_record("retry", 12)]
    )
    assert last_decision(retried, NOW) == "Tom retried this 12 s ago; attempt 3 is running."
    again = failed_request(
        attempt=3,
        decisions=[decision_record("retry", 90), decision_record("abort", 1, accepted=False)],
    )
    assert last_decision(again, NOW) == "Tom retried this 2 min ago; attempt 3 failed."
    over = failed_request(status=RequestStatus.ABORTED, decisions=[decision_record("abort", 0.2)])
    assert last_decision(over, NOW) == "Tom aborted this just now; it has ended."
    assert last_decision(failed_request(), NOW) == ""


def test_failures_like_it_are_counted_by_what_became_of_them() -> None:
    assert similar_words(SIMILAR) == [
        "3 requests failed in the same step for the same cause within 90 days.",
        "2 solved by a retry, 1 aborted.",
    ]
    none = {"count": 0, "solved": 0, "aborted": 0, "escalated": 0}
    assert similar_words(SIMILAR.model_copy(update=none)) == []
    one = similar_words(SIMILAR.model_copy(update=none | {"count": 1}))
    assert one == ["1 request failed in the same step for the same cause within 90 days."]


def test_the_suggested_decision_comes_first_where_it_is_possible() -> None:
    def of(decision: str, **more: Any) -> str:
        suggestion = SuggestedDecision(decision=decision, reason="-")
        return first_decision(failed_request(suggestion=suggestion, **more))

    assert of("escalate") == "escalate"
    assert of("evidence") == "retry"
    # Of a bundle, what failed is retried on the request of its component.
    assert of("retry", possible_decisions=[Decision.ABORT, Decision.ESCALATE]) == "abort"
    assert [abort_words(n) for n in (0, 1, 2)] == [
        "Abort, nothing to clean up",
        "Abort and clean up 1 thing",
        "Abort and clean up 2 things",
    ]


def test_what_a_retry_changes_in_a_call_is_shown_value_by_value() -> None:
    former = {"ticket": {"summary": "old", "labels": ["a", "b"], "project": "NET"}}
    now = {"ticket": {"summary": "new", "labels": ["a"], "project": "NET", "priority": 1}}
    call = PlannedCall(id="t", type="jira-ticket", config=now, former=former)
    preview = RetryPreview(changes={}, actions=[call], looks=[], out_of_step={}, refusals=[])
    (shown,) = calls_of(preview, {"t": "The ticket"})
    assert shown.name == "The ticket"
    assert [(one.label, one.old, one.new) for one in shown.changes] == [
        ("Summary", "old", "new"),
        ("Labels 2", "b", ""),
        ("Priority", "", "1"),
    ]


def test_a_file_that_a_retry_changes_is_shown_by_its_lines() -> None:
    former = {"files": [{"path": "a", "contentTemplate": "one\ntwo\nthree\n"}]}
    now = {"files": [{"path": "a", "contentTemplate": "one\n2\nthree\n"}]}
    call = PlannedCall(id="t", type="git-commit", config=now, former=former)
    preview = RetryPreview(changes={}, actions=[call], looks=[], out_of_step={}, refusals=[])
    (shown,) = calls_of(preview, {})
    (change,) = shown.changes
    assert [line for line in change.lines if line[0] != "place"] == [
        ("same", " one"),
        ("removed", "-two"),
        ("added", "+2"),
        ("same", " three"),
    ]


def test_where_it_is_not_known_whether_it_arrived_the_key_is_sent_again() -> None:
    tried = DecisionInput(reason="why", key="the-key")
    lost = PaoError(ErrorCode.SERVICE_UNAVAILABLE, "Temporal does not respond")
    shown = with_outcome(failed_request(), tried, ["-"], lost)
    assert (shown.key, shown.reason, shown.status) == ("the-key", "why", 503)
    assert shown.problems[0].startswith("We do not know whether it was received.")
    refused = PaoError(ErrorCode.FIELDS_ALREADY_USED, "used")
    shown = with_outcome(failed_request(), tried, ["used"], refused)
    assert (shown.key, shown.problems, shown.confirm) == ("", ["used"], frozenset({"acceptUsed"}))
    broken = PaoError(ErrorCode.EXTERNAL_SERVICE_ERROR, "JIRA refused the ticket")
    with pytest.raises(PaoError):
        with_outcome(failed_request(), tried, ["-"], broken)
