"""What callers of a run are told: how it has settled, what it decided, and where it stands."""

import pytest
from temporalio.exceptions import ApplicationError

from pao.core import names
from pao.core.payloads.actions import ActionResult, ActionState
from pao.core.payloads.decisions import OutcomeQuery
from pao.core.payloads.mirror import MirrorAnswer
from pao.core.payloads.requests import Resumption
from pao.core.states import ActionStatus
from tests.support.requests import new_request, ticket
from tests.support.workflow_driver import WorkflowDriver, drive_workflow
from workflows.lifecycle import MAX_ANSWERED_ACTIONS
from workflows.request import RequestWorkflow

TICKET = "jira-ticket"
NO = ApplicationError("no", type="ActionFailed")
DONE = ActionResult(outputs={"key": "NET-1"})
SETTLED, OUTCOME = names.SETTLED_UPDATE, names.DECISION_OUTCOME_UPDATE


def stores_at(run: WorkflowDriver, moment: str) -> None:
    answer = MirrorAnswer(applied=True, updated_at=moment)
    run.answers[names.MIRROR_ACTIVITY] = lambda _: answer


@pytest.mark.parametrize(
    ("actions", "all_told"), [(MAX_ANSWERED_ACTIONS, True), (MAX_ANSWERED_ACTIONS + 1, False)]
)
def test_a_completed_request_of_few_actions_is_told_as_a_whole(
    actions: int, *, all_told: bool
) -> None:
    given = new_request(*(ticket(f"a{at}") for at in range(actions))).given
    with drive_workflow(RequestWorkflow, given) as run:
        stores_at(run, "2026-03-01T12:00:09.000Z")
        run.update(SETTLED)
        for _ in range(actions):
            assert run.updated == {}
            run.answer(TICKET, DONE)
        told = run.updated[SETTLED]
        assert told["status"] == "completed"
        assert (told["completed"] is not None) is all_told
        if all_told:
            assert told["completed"]["updated_at"] == "2026-03-01T12:00:09.000Z"
            assert len(told["completed"]["actions"]) == actions


def test_the_answer_is_how_it_has_settled_first() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.answer(TICKET, NO)
        run.update(SETTLED)
        first = run.updated.pop(SETTLED)
        assert (first["status"], first["completed"]) == ("failed", None)
        run.signal("retry", {"by": "ann"})
        run.update(SETTLED)
        assert run.updated[SETTLED] == first


def test_a_decisions_outcome_is_told_when_postgres_has_it() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.answer(TICKET, NO)
        run.update(OUTCOME, OutcomeQuery("d-1"))
        run.signal("retry", {"by": "ann", "decisionId": "d-1"})
        assert run.updated == {}
        run.hold(names.MIRROR_ACTIVITY)
        run.answer(TICKET, NO)
        assert run.updated == {}
        run.release(names.MIRROR_ACTIVITY)
        told = run.updated[OUTCOME]
        assert (told["decision_id"], told["outcome"]) == ("d-1", "done")
        assert run.result is None


def test_a_decision_that_is_still_open_after_the_wait_is_told_as_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.answer(TICKET, NO)
        run.signal("retry", {"by": "ann", "decisionId": "d-1"})
        run.update(OUTCOME, OutcomeQuery("d-1", wait_seconds=2.0))
        assert run.updated == {}
        [timer] = [one for one in run.open if one.name == "timer"]
        assert timer.input == 2.0
        with caplog.at_level("INFO"):
            run.answer("timer")
        [line] = caplog.records
        assert line.getMessage().startswith("a decision is still open")
        assert vars(line)["decision"] == "d-1"
        assert (run.updated[OUTCOME]["decision_id"], run.updated[OUTCOME]["outcome"]) == (
            "d-1",
            "open",
        )


def test_a_decision_that_never_comes_holds_no_run_open() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        run.update(OUTCOME, OutcomeQuery("d-1", wait_seconds=30.0))
        run.answer(TICKET, DONE)
        assert run.updated[OUTCOME]["outcome"] == "unknown"
        assert run.result == {"status": "completed", "note": None}


def test_the_snapshot_has_all_decisions_and_the_whole_state() -> None:
    given = new_request(ticket("first"), ticket("second")).given
    with drive_workflow(RequestWorkflow, given) as run:
        run.signal("retry", {"by": "ann", "decisionId": "d-1"})
        run.answer(TICKET, NO)
        run.signal("retry", {"by": "ann", "decisionId": "d-2"})
        shown = run.query(names.SNAPSHOT_QUERY)
        assert (shown["status"], shown["retrying"], shown["run_id"]) == ("failed", True, "driven")
        assert [one["decision_id"] for one in shown["decisions"]] == ["d-1", "d-2"]
        assert [one["id"] for one in shown["actions"]] == ["first", "second"]


@pytest.mark.parametrize("unchecked", [False, True])
def test_fields_that_were_never_checked_are_checked_before_a_retry(*, unchecked: bool) -> None:
    given = new_request().given
    [action] = given.plan
    state = ActionState(action.id, 0, action.type, action.name, status=ActionStatus.FAILED)
    given.resumption = Resumption("It was restored.", actions=[state], unchecked=unchecked)
    with drive_workflow(RequestWorkflow, given) as run:
        run.signal("retry", {"by": "ann"})
        first = names.CHECK_CORRECTION_ACTIVITY if unchecked else TICKET
        assert run.open[0].name == first
