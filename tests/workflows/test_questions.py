"""What activities are asked beside a request's actions, and what follows when one fails."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from temporalio import workflow
from temporalio.exceptions import (
    ApplicationError,
    TimeoutError,  # noqa: A004 -- Temporal's own, which names what timed out.
    TimeoutType,
)

from pao.core import names
from pao.core.payloads.actions import ActionInput, ActionResult, LookResult
from pao.core.payloads.choices import ChoicesAnswer, ChoicesQuestion
from pao.core.payloads.decisions import DecisionRecord, EvidenceAnswer, EvidenceInput
from pao.core.payloads.files import FilesAnswer
from pao.core.states import ActionStatus
from tests.support.history_replay import ActivityAnswer, replay_code
from tests.support.requests import Document, item, new_request, ticket
from workflows import evidence
from workflows.ledger import Ledger
from workflows.look import ChoicesWorkflow, EvidenceWorkflow, FilesWorkflow, LookWorkflow
from workflows.maintenance import ReconcileWorkflow
from workflows.mirror import Mirror
from workflows.notifications import FAILED, Notices
from workflows.open_decisions import OpenDecisions

AWAY = ApplicationError("the forge is away", type="ActionFailed", non_retryable=True)
NOTICE: Document = {
    "type": "notification",
    "name": "The channel",
    "config": {"url": "http://127.0.0.1:9/hook", "text": "{{fulfillment.message}}"},
}


# Evidence about an action

FIRST = ticket("first", outputs=["key", "url"])
SECOND = ticket(
    "second", summary="{{fields.title}} after {{outputs.first.id}}, {{fulfillment.key}}"
)
SEEN = DecisionRecord(
    "d-1", "retry", "2026-03-01", evidence={"present": True, "outputs": {"key": "NET-2"}}
)
ABOUT_SECOND = new_request(FIRST, SECOND, title="a thing", size=7)


async def check_second() -> EvidenceAnswer:
    """Check evidence about the second action, which was moved once and has failed twice."""
    ledger = Ledger(ABOUT_SECOND.given)
    first, second = ledger.states
    first.status, first.outputs = ActionStatus.COMPLETED, {"id": "7", "key": "NET-1", "url": "u"}
    second.attempt, second.moves = 2, 1
    return await evidence.check(ledger, second, SEEN)


async def test_evidence_is_checked_with_what_the_action_was_given() -> None:
    answer = EvidenceAnswer(ActionResult(outputs={"key": "NET-2"}))
    played = await replay_code(check_second, ActivityAnswer(names.EVIDENCE_ACTIVITY, answer))
    assert played.results == [answer]
    [asked] = played.inputs(names.EVIDENCE_ACTIVITY)
    about = asked["about"]
    assert asked["outputs"] == {"key": "NET-2"}
    assert (about["attempt"], about["moves"], about["run_id"]) == (2, 1, "run")
    assert about["context"]["fields"] == {"title": "a thing"}
    assert about["outputs"] == {"first": {"id": "7", "key": "NET-1", "url": "u"}}
    assert about["published"] == {"key": "NET-1"}


async def test_evidence_that_cannot_be_checked_says_why() -> None:
    played = await replay_code(check_second, ActivityAnswer(names.EVIDENCE_ACTIVITY, AWAY))
    told = "it could not be checked: the forge is away"
    assert played.results == [EvidenceAnswer(message=told)]


# Notifications


@pytest.mark.parametrize(
    ("result", "level", "told"),
    [
        (ActionResult(), "info", "was sent"),
        (ActionResult(outputs={"error": "404"}), "warning", "could not be sent: 404"),
        (AWAY, "warning", "could not be sent: the forge is away"),
    ],
)
async def test_what_became_of_a_notification_is_logged(result: Any, level: str, told: str) -> None:
    async def code() -> tuple[str, str]:
        ledger = Ledger(request.given)
        decisions = OpenDecisions(ledger)
        notices = Notices(request.plan, ledger, Mirror(ledger, decisions, request.given))
        notices.send(FAILED, event="failed", message="no")
        await workflow.wait_condition(lambda: bool(ledger.journal.unconfirmed_entries()))
        [line] = ledger.journal.unconfirmed_entries()
        return line.data["level"], line.data["message"]

    definition = item([ticket()])
    definition["fulfillment"] |= {"onFailure": [NOTICE]}
    request = new_request(definition=definition)
    played = await replay_code(code, ActivityAnswer("notification", result))
    assert played.results == [(level, f"The notification The channel {told}")]
    [given] = played.inputs("notification")
    assert (given["attempt"], given["run_id"]) == (1, "run")
    assert given["context"]["fields"] == {}
    assert given["published"] == {"event": "failed", "message": "no"}


# Questions of the API, each in a workflow of its own

GIVEN = ActionInput(ABOUT_SECOND.context, ABOUT_SECOND.plan[0])
WHY = "the forge is away"
QUESTIONS = [
    (
        LookWorkflow().run,
        names.LOOK_ACTIVITY,
        GIVEN,
        LookResult("absent"),
        LookResult("unknown", reason=WHY),
    ),
    (
        EvidenceWorkflow().run,
        names.EVIDENCE_ACTIVITY,
        EvidenceInput(GIVEN),
        EvidenceAnswer(message="no"),
        EvidenceAnswer(message=f"it could not be checked: {WHY}"),
    ),
    (
        ChoicesWorkflow().run,
        names.CHOICES_ACTIVITY,
        ChoicesQuestion(GIVEN, "$", "$.id"),
        ChoicesAnswer([{"value": "1"}]),
        ChoicesAnswer(problem=WHY),
    ),
    (
        FilesWorkflow().run,
        names.FILES_ACTIVITY,
        GIVEN,
        FilesAnswer({"a": "b"}),
        FilesAnswer(problem=WHY),
    ),
]


@pytest.mark.parametrize(("ask", "activity", "question", "found", "failed"), QUESTIONS)
async def test_a_question_is_answered_or_it_is_told_why_not(
    ask: Callable[[Any], Awaitable[Any]], activity: str, question: Any, found: Any, failed: Any
) -> None:
    played = await replay_code(lambda: ask(question), ActivityAnswer(activity, found))
    assert played.results == [found]
    assert (await replay_code(lambda: ask(question), ActivityAnswer(activity, AWAY))).results == [
        failed
    ]
    [(name, given)] = played.calls
    assert name == activity
    assert given["input"]
    bounds = {"start_to_close": 12, "schedule_to_close": 20, "attempts": 1}
    assert {**given, **bounds} == given


# Maintenance

FOUND = {"lost": 1}
BOUNDS = {"schedule_to_close": 0, "heartbeat": 0, "attempts": 1}
LATE = TimeoutError("too late", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=[])


async def test_a_turn_of_maintenance_is_tried_once_and_removes_earlier_ones() -> None:
    played = await replay_code(
        ReconcileWorkflow().run, ActivityAnswer(names.RECONCILE_ACTIVITY, FOUND)
    )
    [turn, after] = played.calls
    bounds = {"schedule_to_start": 50, "start_to_close": 50, **BOUNDS}
    assert turn == (names.RECONCILE_ACTIVITY, {"input": None, **bounds})
    bounds = {"schedule_to_start": 30, "start_to_close": 30, **BOUNDS}
    assert after == (names.FORGET_RUNS_ACTIVITY, {"input": "EmptyWorkflow", **bounds})


@pytest.mark.parametrize("forgotten", [None, AWAY])
async def test_a_turn_tells_what_it_found_whether_earlier_ones_are_removed_or_not(
    forgotten: Any,
) -> None:
    patches = ("forget-turns",)
    played = await replay_code(
        ReconcileWorkflow().run,
        ActivityAnswer(names.RECONCILE_ACTIVITY, FOUND),
        ActivityAnswer(names.FORGET_RUNS_ACTIVITY, forgotten, patches=patches),
    )
    assert played.results == [FOUND]


@pytest.mark.parametrize(
    ("error", "failed", "logged"),
    [
        (AWAY, "ActionFailed: the forge is away", []),
        (LATE, "too late", ["reconcile failed; the next run continues: too late"]),
        (ApplicationError("x" * 900, type="T", non_retryable=True), f"T: {'x' * 497}", []),
    ],
)
async def test_a_turn_that_fails_says_so_and_is_logged_unless_its_activity_has(
    error: Exception, failed: str, logged: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    played = await replay_code(
        ReconcileWorkflow().run, ActivityAnswer(names.RECONCILE_ACTIVITY, error)
    )
    assert played.results == [{"failed": failed}]
    assert [name for name, _ in played.calls] == [names.RECONCILE_ACTIVITY]
    assert [one.getMessage().partition(" (")[0] for one in caplog.records] == logged
