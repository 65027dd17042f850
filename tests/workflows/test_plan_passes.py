"""What a pass over the plan starts, holds back and ends, task by task."""

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from pao.core import names
from pao.core.payloads.actions import ActionResult, ActionState, ConditionAnswer
from pao.core.payloads.requests import RequestInput, Resumption
from pao.core.payloads.waits import Pending
from pao.core.states import ActionStatus
from tests.support.requests import automatic, new_request, ticket
from tests.support.workflow_driver import WorkflowDriver, cancel_job, drive_workflow
from workflows.plan_runner import NEVER_STARTED
from workflows.policies import MOST_AT_ONCE
from workflows.request import RequestWorkflow
from workflows.stopping import TOO_LATE

TICKET = "jira-ticket"
NO = ApplicationError("no", type="ActionFailed")
DONE = ActionResult(outputs={"key": "NET-1"})
GATE = {"type": "approval", "config": {"approvers": {"users": ["ann"]}}}


def many(number: int, *others: dict[str, Any]) -> RequestInput:
    actions = [ticket(f"a{at}") for at in range(number)]
    return new_request(definition=automatic(*others, *actions, parallel=True)).given


def started(run: WorkflowDriver) -> list[str]:
    """Return the ids of the actions that were started, in order."""
    calls = [call.input for call in run.calls if call.name in {TICKET, "approval"}]
    return [one["action"]["id"] for one in calls]


def decision(run: WorkflowDriver, kind: str) -> dict[str, Any]:
    """Return the last that Postgres was told of the decision of this kind."""
    told: list[dict[str, Any]] = [one for all_ in run.mirrored("decisions") for one in all_]
    return [one for one in told if one["decision"] == kind][-1]


def test_so_many_actions_run_at_once_and_one_that_ends_makes_place_for_one() -> None:
    with drive_workflow(RequestWorkflow, many(MOST_AT_ONCE + 5)) as run:
        assert len(started(run)) == MOST_AT_ONCE
        run.answer(TICKET, DONE)
        assert len(started(run)) == MOST_AT_ONCE + 1


def test_an_action_that_waits_for_people_makes_place_for_one_and_a_reminder_for_none() -> None:
    asked = ActionResult(pending=Pending("approval", {"users": ["ann"], "remindEvery": 60}))
    with drive_workflow(RequestWorkflow, many(MOST_AT_ONCE + 5, {"id": "ok", **GATE})) as run:
        run.answer("approval", asked)
        assert len(started(run)) == MOST_AT_ONCE + 1
        run.answer("timer")
        assert len(started(run)) == MOST_AT_ONCE + 1


def test_nothing_new_starts_beside_what_runs_when_something_has_failed() -> None:
    last = ticket("last", dependsOn=["right"])
    definition = automatic(ticket("left"), ticket("right"), last, parallel=True)
    with drive_workflow(RequestWorkflow, new_request(definition=definition).given) as run:
        run.answer(TICKET, NO)
        run.answer(TICKET, DONE)
        assert started(run) == ["left", "right"]
        assert run.statuses == ["in_progress", "failed"]


def test_a_condition_that_holds_is_asked_once() -> None:
    definition = automatic(ticket("first", when="fields.size > 0"), ticket("second"))
    with drive_workflow(RequestWorkflow, new_request(definition=definition).given) as run:
        run.answer(names.CONDITION_ACTIVITY, ConditionAnswer(holds=True))
        assert started(run) == ["first"]
        assert len(run.inputs(names.CONDITION_ACTIVITY)) == 1


def test_each_cancellation_ends_what_runs_then() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        for number in (1, 2):
            run.signal("cancel", {"by": "ann"})
            assert run.cancelled == [TICKET] * number
            run.answer(TICKET, NO)
            assert decision(run, "cancel")["outcome"] == "done"
            run.signal("retry", {"by": "ann"})


def test_a_cancellation_that_comes_too_late_is_told_so() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.signal("cancel", {"by": "ann"})
        run.answer(TICKET, DONE)
        assert run.statuses == ["in_progress", "completed"]
        told = decision(run, "cancel")
        assert (told["outcome"], told["message"]) == ("done", TOO_LATE)


def test_what_is_cancelled_before_it_starts_is_not_started() -> None:
    with drive_workflow(
        RequestWorkflow, new_request(ticket("first"), ticket("second")).given
    ) as run:
        run.hold(names.MIRROR_ACTIVITY)
        run.answer(TICKET, DONE)
        run.signal("cancel", {"by": "ann", "reason": "too early"})
        run.release(names.MIRROR_ACTIVITY)
        assert started(run) == ["first"]
        [failed] = run.mirrored("actions")[-1]
        error = {key: failed["error"][key] for key in ("code", "message", "retryable")}
        message = f"Cancelled by ann: too early. {NEVER_STARTED}"
        assert error == {"code": "ACTION_FAILED", "message": message, "retryable": True}


@pytest.mark.parametrize(
    ("reason", "told"),
    [("it hangs", "Cancelled by temporal: it hangs."), ("", "Cancelled by temporal.")],
)
def test_temporals_own_cancellation_says_why_if_it_is_known(reason: str, told: str) -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.task(cancel_job(reason))
        assert run.cancelled == [TICKET]
        run.answer(TICKET, NO)
        assert run.mirrored("error")[-1]["message"].startswith(told)


def resumed(status: ActionStatus, *, attempt: int = 1) -> RequestInput:
    given = new_request().given
    [action] = given.plan
    state = ActionState(
        action.id, 0, action.type, action.name, status=status, attempt=attempt, outputs={}
    )
    given.resumption = Resumption("The workflow was terminated.", actions=[state])
    return given


def test_a_request_that_is_resumed_after_its_last_action_completes_when_it_is_retried() -> None:
    with drive_workflow(RequestWorkflow, resumed(ActionStatus.COMPLETED)) as run:
        run.signal("retry", {"by": "ann"})
        assert run.result == {"status": "completed", "note": None}
        assert decision(run, "retry")["outcome"] == "done"


def test_the_doubt_about_a_run_before_is_as_old_as_this_run() -> None:
    with drive_workflow(RequestWorkflow, resumed(ActionStatus.FAILED)) as run:
        run.signal("retry", {"by": "ann"})
        [given] = run.inputs(TICKET)
        assert (given["attempt"], given["unclear"]) == (2, True)
        assert given["doubt_since"] == "2026-03-01T12:00:00.000Z"
