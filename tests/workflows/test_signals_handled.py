"""What comes of a signal: when it is judged, under which id, and what a reset makes of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from pao.core import names
from pao.core.payloads.actions import ActionResult, ActionState
from pao.core.payloads.decisions import DecisionRecord, SenderAnswer
from pao.core.payloads.failures import PartialResource
from pao.core.payloads.mirror import MirrorAnswer
from pao.core.payloads.requests import RequestInput, Resumption
from pao.core.payloads.waits import Pending
from pao.core.resources import resource_entry_id
from pao.core.states import ActionStatus
from tests.support.requests import automatic, new_request, ticket
from tests.support.workflow_driver import WorkflowDriver, drive_workflow, signal_job
from workflows.commands import fallback_id
from workflows.lifecycle import SUPERSEDED
from workflows.request import RequestWorkflow
from workflows.senders import UNPROVEN_VOTE

TICKET = "jira-ticket"
NO = ApplicationError("no", type="ActionFailed")
GATE = {"id": "ok", "type": "approval", "config": {"approvers": {"users": ["ann"]}}}
ABORT = {"decision": "abort", "decision_id": "b-1", "by": "ann", "via": "api"}


def asked(**rules: Any) -> ActionResult:
    return ActionResult(pending=Pending("approval", {"users": ["ann", "bob"], **rules}))


def told(run: WorkflowDriver) -> dict[str, dict[str, Any]]:
    """Return what Postgres was told last of each decision, by id."""
    return {one["decision_id"]: one for written in run.mirrored("decisions") for one in written}


def proven(run: WorkflowDriver, *, temporal_approvals: bool = False) -> None:
    """Have PAO be the sender of every signal from now on, or allow votes of others."""
    answer = SenderAnswer(proven=not temporal_approvals, temporal_approvals=temporal_approvals)
    run.answers[names.CHECK_SENDER_ACTIVITY] = lambda _: answer


def recorded(run: WorkflowDriver, *decisions: DecisionRecord) -> None:
    """Have Postgres know decisions of an earlier run."""
    answer = MirrorAnswer(applied=True, recorded=[*decisions])
    run.answers[names.MIRROR_ACTIVITY] = lambda _: answer


def closed(kind: str, **more: Any) -> DecisionRecord:
    known = {"at": "2026-03-01T12:00:00.000Z", "by": "ann", "accepted": True, "outcome": "done"}
    return DecisionRecord(decision_id="d-1", decision=kind, **{**known, **more})


def test_the_same_signal_without_an_id_is_another_decision_each_time() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        for _ in range(3):
            run.signal("retry", {"by": "ann"})
        assert len(told(run)) == 3


@pytest.mark.parametrize("is_proven", [True, False])
def test_a_decision_has_come_from_the_api_only_if_its_proof_holds(*, is_proven: bool) -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        answer = SenderAnswer(proven=is_proven)
        run.answers[names.CHECK_SENDER_ACTIVITY] = lambda _: answer
        run.signal("retry", {"by": "ann", "via": "api", names.PROOF: "something"})
        [decision] = told(run).values()
        assert decision["via"] == ("api" if is_proven else "temporal")


@pytest.mark.parametrize(
    ("signal", "args"),
    [
        ("cancel", {"decisionId": "once"}),
        ("approve", {"decisionId": "once"}),
        (names.BUNDLE_DECISION_SIGNAL, ABORT | {"decision_id": "once"}),
    ],
)
def test_a_decision_with_the_id_of_another_gets_one_that_is_the_same_in_a_reset(
    signal: str, args: dict[str, Any]
) -> None:
    request = new_request()
    kind = args.get("decision", signal)
    with drive_workflow(RequestWorkflow, request.given) as run:
        run.signal("escalate", {"decisionId": "once"})
        run.signal(signal, args)
        run.answer(TICKET, NO)
        refused = told(run)[fallback_id(request.id, kind, ("once",), 1)]
        assert "belongs to another decision (escalate)" in refused["message"]


@pytest.fixture
def retried() -> Iterator[WorkflowDriver]:
    """Return a run of which a retry waits for people, beside an action that has failed again."""
    definition = automatic(ticket(), GATE, parallel=True)
    with drive_workflow(RequestWorkflow, new_request(definition=definition).given) as run:
        proven(run)
        run.answer(TICKET, NO)
        run.answer("approval", NO)
        run.signal("retry", {"by": "ann", "decisionId": "again"})
        run.answer("approval", asked())
        run.answer(TICKET, NO)
        assert told(run)["again"]["message"] == "Ask for the ticket failed again"
        yield run


def test_a_bundles_decision_waits_for_a_retry(retried: WorkflowDriver) -> None:
    retried.signal(names.BUNDLE_DECISION_SIGNAL, ABORT)
    assert "b-1" not in told(retried)
    assert "wait-again-b-1" in retried.patches
    retried.signal("reject", {"by": "ann"})
    assert retried.result == {"status": "aborted", "note": None}
    assert told(retried)["b-1"]["outcome"] == "done"


def test_a_bundles_decision_is_carried_out_when_what_runs_has_failed() -> None:
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        proven(run)
        run.signal(names.BUNDLE_DECISION_SIGNAL, ABORT)
        run.answer(TICKET, NO)
        assert run.result == {"status": "aborted", "note": None}
        assert run.statuses == ["in_progress", "failed", "aborted"]


def test_a_bundles_decision_waits_no_longer_when_another_run_is_ahead(
    retried: WorkflowDriver,
) -> None:
    retried.signal(names.BUNDLE_DECISION_SIGNAL, ABORT)
    retried.answers[names.MIRROR_ACTIVITY] = lambda _: MirrorAnswer(applied=False)
    retried.signal("retyr")
    retried.signal("reject", {"by": "ann"})
    assert retried.result is not None
    assert retried.result["note"] == SUPERSEDED


def test_a_decision_that_an_earlier_run_was_about_to_carry_out_is_carried_out() -> None:
    with drive_workflow(RequestWorkflow, new_request().given, first="another") as run:
        recorded(run, closed("abort", outcome="open"))
        run.signal("abort", {"decisionId": "d-1", "by": "ann"})
        run.answer(TICKET, NO)
        assert run.result == {"status": "aborted", "note": None}
        assert told(run)["d-1"]["outcome"] == "done"


def test_a_decision_that_an_earlier_run_has_closed_is_not_carried_out_again() -> None:
    with drive_workflow(RequestWorkflow, new_request().given, first="another") as run:
        run.answer(TICKET, NO)
        recorded(run, closed("abort"))
        run.signal("abort", {"decisionId": "d-1", "by": "ann"})
        assert run.result is None


@pytest.mark.parametrize(
    ("known", "args", "told_as", "message"),
    [
        (None, {}, "d-1", None),
        (None, {"attempt": "one"}, "d-1", "attempt must be"),
        ("escalate", {}, None, "this decisionId belongs to another decision (escalate)"),
    ],
)
def test_a_reset_judges_what_no_earlier_run_has_closed(
    *, known: str | None, args: dict[str, Any], told_as: str | None, message: str | None
) -> None:
    request = new_request()
    with drive_workflow(RequestWorkflow, request.given, first="another") as run:
        run.answer(TICKET, NO)
        recorded(run, *([closed(known)] if known else []))
        run.signal("abort", {"decisionId": "d-1", "by": "ann", **args})
        judged = told(run)[told_as or fallback_id(request.id, "abort", ("d-1",), 1)]
        assert (run.result is None, judged["accepted"]) == (message is not None, message is None)
        assert (judged["message"] or "").startswith(message or "")


@pytest.mark.parametrize(
    ("replays", "patches", "refused"),
    [(False, (), True), (True, ("bound-evidence",), True), (True, (), False)],
)
def test_evidence_that_is_nested_too_deep_is_refused_but_by_earlier_versions(
    *, replays: bool, patches: tuple[str, ...], refused: bool
) -> None:
    outputs: dict[str, Any] = {}
    for _ in range(100):
        outputs = {"a": outputs}
    evidence = {"present": True, "outputs": outputs}
    with drive_workflow(RequestWorkflow, new_request().given) as run:
        job = signal_job("retry", {"evidence": evidence, "decisionId": "deep"})
        known = ("recall-decisions-1", "check-senders-1", *patches)
        run.task(job, replays=replays, patches=known if replays else ())
        message = told(run)["deep"]["message"]
        assert ("nested deeper" in message) is refused
        assert ("is not possible while in_progress" in message) is not refused


@pytest.mark.parametrize(
    ("sender", "vote", "counts", "message"),
    [
        ({}, {}, False, UNPROVEN_VOTE),
        ({}, {"teams": 7}, False, "teams must be a list of names"),
        ({"temporal_approvals": True}, {}, True, None),
        ({"proven": True}, {}, True, None),
    ],
)
def test_a_vote_counts_if_the_api_has_sent_it_or_the_operator_allows_others(
    sender: dict[str, bool], vote: dict[str, Any], message: str | None, *, counts: bool
) -> None:
    with drive_workflow(RequestWorkflow, new_request(GATE).given) as run:
        run.answers[names.CHECK_SENDER_ACTIVITY] = lambda _: SenderAnswer(**sender)
        run.answer("approval", asked())
        run.signal("approve", {"by": "ann", "decisionId": "v-1", **vote})
        assert (run.result is not None) is counts
        assert (told(run)["v-1"]["accepted"], told(run)["v-1"]["message"]) == (counts, message)


@pytest.mark.parametrize(("deadline", "counts"), [(3600, True), (1, False)])
def test_a_vote_that_a_reset_plays_again_counts_until_the_deadline(
    deadline: int, *, counts: bool
) -> None:
    with drive_workflow(RequestWorkflow, new_request(GATE).given, first="another") as run:
        proven(run)
        run.answer("approval", asked(deadline=deadline))
        recorded(run, closed("approve", at="2026-03-01T13:00:00.000Z"))
        run.signal("approve", {"by": "ann", "decisionId": "d-1"})
        assert (run.result is not None) is counts


def left_behind() -> tuple[RequestInput, str]:
    """Return a request that has left something behind, and the id of what is to be cleaned up."""
    given = new_request().given
    [action] = given.plan
    left = PartialResource("issue", id="NET-1")
    state = ActionState(action.id, 0, action.type, action.name, status=ActionStatus.FAILED)
    state.left_behind = [left]
    given.resumption = Resumption("It was terminated.", actions=[state])
    return given, resource_entry_id(action.id, left)


def test_what_is_cleaned_up_is_shown_when_the_api_says_so() -> None:
    given, entry = left_behind()
    mark = {"entry_id": entry, "by": "eve", "note": "removed"}
    with drive_workflow(RequestWorkflow, given) as run:
        run.signal(names.CLEANUP_SIGNAL, mark)
        proven(run)
        for args in ((), (mark, mark), (7,), ({},), (mark | {"by": 7},), (mark | {"note": None},)):
            run.signal(names.CLEANUP_SIGNAL, *args)
        assert "eve" not in run.details
        lines = [line for written in run.mirrored("audit") for line in written]
        assert [one["event_type"] for one in lines].count("signal.ignored") == 7
        before = len(run.calls)
        run.signal(names.CLEANUP_SIGNAL, mark)
        assert "eve" in run.details
        assert [one.name for one in run.calls[before:]] == [names.CHECK_SENDER_ACTIVITY]
