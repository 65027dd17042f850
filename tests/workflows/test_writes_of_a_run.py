"""What a run writes to Postgres, what it learns from the answers, and what it shows meanwhile."""

import pytest
from temporalio.exceptions import ApplicationError

from pao.core import names
from pao.core.payloads.actions import ActionResult, ActionState
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.mirror import MirrorAnswer
from pao.core.payloads.requests import BundleLink, RequestInput, Resumption
from pao.core.states import ActionStatus, RequestStatus
from tests.support.requests import new_request, ticket
from tests.support.workflow_driver import (
    TaskFailedError,
    WorkflowDriver,
    drive_workflow,
    signal_job,
)
from workflows.lifecycle import SUPERSEDED
from workflows.request import RequestWorkflow

TICKET = "jira-ticket"
MIRROR = names.MIRROR_ACTIVITY
NO = ApplicationError("no", type="ActionFailed")
AWAY = ApplicationError("Postgres is unavailable", type="Unavailable")
DONE = ActionResult(outputs={"key": "NET-1"})
STORED = MirrorAnswer(applied=True)


def kinds(run: WorkflowDriver) -> list[str]:
    """Return what kind of activity each write was."""
    return [one.kind.removeprefix("schedule_") for one in run.calls if one.name == MIRROR]


def of_a_bundle() -> RequestInput:
    given = new_request().given
    given.bundle = BundleLink("whole", "part")
    return given


def test_a_signal_that_comes_before_the_work_has_begun_writes_nothing_earlier() -> None:
    job = signal_job("retry", {"by": "ann", "decisionId": "early"})
    with drive_workflow(RequestWorkflow, new_request().given, job) as run:
        assert run.open[0].name == TICKET
        run.answer(TICKET, DONE)
        assert set(run.mirrored("status")) == {"in_progress", "completed"}
        assert run.result == {"status": "completed", "note": None}


def test_a_write_that_fails_goes_on_as_an_activity_and_begins_again_if_that_fails() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.hold(MIRROR)
        run.answer(TICKET, DONE)
        run.answer(MIRROR, AWAY)
        run.answer(MIRROR, AWAY)
        assert kinds(run)[1:] == ["local_activity", "activity", "local_activity"]
        run.release(MIRROR)
        assert run.result == {"status": "completed", "note": None}


def test_a_state_that_postgres_refuses_fails_the_task() -> None:
    refused = ApplicationError("check violated", type=names.MIRROR_REFUSED, non_retryable=True)
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.hold(MIRROR)
        run.answer(TICKET, DONE)
        with pytest.raises(TaskFailedError, match="Postgres rejected this state"):
            run.answer(MIRROR, refused)


def test_what_any_run_has_started_is_known_from_then_on() -> None:
    with drive_workflow(
        RequestWorkflow, new_request(ticket("first"), ticket("second")).given
    ) as run:
        answers = [MirrorAnswer(applied=True, started_actions=["second"]), STORED]
        run.answers[MIRROR] = lambda _: answers.pop(0) if answers else STORED
        run.signal("retyr")
        run.signal("retyr")
        assert answers == []
        run.answer(TICKET, DONE)
        assert [one["look_first"] for one in run.inputs(TICKET)] == [False, True]


def test_decisions_of_an_earlier_run_are_known_whatever_other_answers_came_since() -> None:
    at = "2026-03-01T12:00:00.000Z"
    known = {
        one: DecisionRecord(one, "retry", at, by="ann", accepted=True, outcome="done")
        for one in ("d-1", "d-2")
    }

    def answer(snapshot: dict[str, list[dict[str, str]]]) -> MirrorAnswer:
        told = [known[one["decision_id"]] for one in snapshot["decisions"]]
        return MirrorAnswer(applied=True, recorded=told)

    with drive_workflow(RequestWorkflow, of_a_bundle(), first="another") as run:
        run.answers[MIRROR] = answer
        run.answer(TICKET, NO)
        # Both wait until the bundle has been told of the failure.
        run.signal("retry", {"by": "ann", "decisionId": "d-1"})
        run.signal("retry", {"by": "ann", "decisionId": "d-2"})
        run.answer(names.COMPONENT_SIGNAL)
        assert run.open == []
        shown = run.query(names.SNAPSHOT_QUERY)
        assert (shown["status"], shown["retrying"]) == ("failed", False)


def resumed() -> RequestInput:
    given = new_request().given
    [action] = given.plan
    state = ActionState(action.id, 0, action.type, action.name, status=ActionStatus.FAILED)
    given.resumption = Resumption("The workflow was terminated.", actions=[state])
    return given


def test_a_row_that_is_missing_is_made_anew_without_what_the_run_was_resumed_with() -> None:
    given = resumed()
    with drive_workflow(RequestWorkflow, given) as run:
        run.hold(MIRROR)
        run.signal("retyr")
        run.answer(MIRROR, MirrorAnswer(applied=False, absent=True))
        [row] = run.inputs(names.MAKE_ROW_ACTIVITY)
        assert row["context"]["request_id"] == given.context.request_id
        assert row["resumption"] is None
        run.answer(names.MAKE_ROW_ACTIVITY)
        run.release(MIRROR)
        assert run.mirrored("status")[-1] == "failed"


def test_a_resumed_run_writes_that_it_waits() -> None:
    with drive_workflow(RequestWorkflow, resumed()) as run:
        assert run.mirrored("status") == ["failed"]


def test_operators_see_where_a_request_stands() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        assert run.details.startswith("**in progress**")
        run.answer(TICKET, NO)
        assert run.details.startswith("**failed**")
        assert run.statuses == ["in_progress", "failed"]


def test_what_a_handler_still_waits_for_is_written_before_the_run_ends() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.hold(names.CHECK_SENDER_ACTIVITY)
        run.signal("approve", {"by": "ann", "decisionId": "v-1"})
        run.answer(TICKET, DONE)
        assert run.result is None
        run.release(names.CHECK_SENDER_ACTIVITY)
        assert run.result == {"status": "completed", "note": None}
        assert [one["decision_id"] for one in run.mirrored("decisions")[-1]] == ["v-1"]


def test_a_run_that_another_is_ahead_of_ends_without_acting_when_its_handlers_have() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.hold(names.CHECK_SENDER_ACTIVITY)
        run.signal("approve", {"by": "ann"})
        run.answers[MIRROR] = lambda _: MirrorAnswer(applied=False)
        run.update(names.SETTLED_UPDATE)
        run.answer(TICKET, NO)
        assert run.result is None
        assert run.updated == {names.SETTLED_UPDATE: SUPERSEDED}
        run.release(names.CHECK_SENDER_ACTIVITY)
        assert run.result == {"status": "failed", "note": SUPERSEDED}


def test_a_signal_may_be_the_first_to_learn_that_another_run_is_ahead() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.answer(TICKET, NO)
        run.answers[MIRROR] = lambda _: MirrorAnswer(applied=False)
        run.signal("retyr")
        assert run.result == {"status": "failed", "note": SUPERSEDED}


def test_a_component_tells_its_bundle_what_was_written() -> None:
    with drive_workflow(RequestWorkflow, of_a_bundle()) as run:
        run.answer(TICKET, NO)
        [report] = run.inputs(names.COMPONENT_SIGNAL)
        assert (report["component"], report["status"]) == ("part", RequestStatus.FAILED)
        run.answer(names.COMPONENT_SIGNAL, ApplicationError("it is gone"))
        run.signal("abort", {"by": "ann"})
        assert [one["status"] for one in run.inputs(names.COMPONENT_SIGNAL)] == [
            "failed",
            "aborted",
        ]
        run.answer(names.COMPONENT_SIGNAL)
        assert run.result == {"status": "aborted", "note": None}
