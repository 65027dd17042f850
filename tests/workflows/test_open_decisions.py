"""Open decisions and ledger alone, with a clock of the test's own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pao.core.names import MAX_ATTEMPTS
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.states import RequestStatus
from tests.support.requests import automatic, new_request, ticket
from workflows.ledger import Ledger
from workflows.open_decisions import BUSY, OpenDecisions
from workflows.snapshots import Snapshots

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Ledger:
    return Ledger(new_request(ticket("first"), ticket("second")).given, now=clock)


@pytest.fixture
def failed(ledger: Ledger) -> Ledger:
    ledger.move(RequestStatus.IN_PROGRESS)
    ledger.begin(ledger.states[0])
    ledger.fail(ledger.states[0], ActionFailure(code="ACTION_FAILED", message="no"))
    ledger.move(RequestStatus.FAILED)
    return ledger


@pytest.fixture
def snapshots(failed: Ledger) -> Snapshots:
    return Snapshots(failed)


def record(kind: str = "retry", id_: str = "d-1", **more: Any) -> DecisionRecord:
    at = more.pop("at", "2026-03-01T12:00:00.000Z")
    return DecisionRecord(decision_id=id_, decision=kind, at=at, **more)


@pytest.mark.parametrize("kind", ["retry", "abort", "escalate"])
def test_a_failed_request_accepts_each_decision(failed: Ledger, kind: str) -> None:
    decisions = OpenDecisions(failed)
    one = record(kind)
    decisions.evaluate(one, {})
    assert one.accepted
    assert decisions.current is one


@pytest.mark.parametrize("kind", ["retry", "abort", "escalate"])
def test_any_other_state_refuses_each_and_says_what_is_allowed(ledger: Ledger, kind: str) -> None:
    decisions = OpenDecisions(ledger)
    one = record(kind)
    decisions.evaluate(one, {})
    assert (one.accepted, one.outcome, decisions.current) == (False, "rejected", None)
    assert f"{kind} is not possible while submitted" in (one.message or "")


def test_while_one_is_carried_out_the_others_are_refused(failed: Ledger) -> None:
    decisions = OpenDecisions(failed)
    decisions.evaluate(record("retry"), {})
    other = record("abort", "d-2")
    decisions.evaluate(other, {})
    assert other.message == BUSY
    decisions.finish("failed", "it did not work")
    third = record("abort", "d-3")
    decisions.evaluate(third, {})
    assert third.accepted


def test_an_unreadable_signal_is_refused_with_its_own_reason(failed: Ledger) -> None:
    decisions = OpenDecisions(failed)
    one = record(message="not an object")
    decisions.evaluate(one, {})
    assert (one.outcome, one.message) == ("rejected", "not an object")


@pytest.mark.parametrize(("attempts", "accepted"), [(198, True), (199, False), (200, False)])
def test_the_two_hundredth_attempt_is_refused(
    failed: Ledger, attempts: int, *, accepted: bool
) -> None:
    failed.states[0].attempt = attempts
    decisions = OpenDecisions(failed)
    one = record()
    decisions.evaluate(one, {})
    assert one.accepted is accepted
    if not accepted:
        assert f"{MAX_ATTEMPTS}th attempt; abort or escalate" in (one.message or "")
        decisions.evaluate(other := record("abort", "d-2"), {})
        assert other.accepted


def test_a_password_in_clear_is_refused(failed: Ledger, snapshots: Snapshots) -> None:
    decisions = OpenDecisions(failed)
    one = record()
    decisions.evaluate(one, {"token": "clear"})
    assert "a password must not be sent in clear; use the API" in (one.message or "")
    assert "clear" not in repr(snapshots.take("run").fields)


def test_an_outcome_is_answered_only_when_the_mirror_has_it(
    failed: Ledger, snapshots: Snapshots
) -> None:
    decisions = OpenDecisions(failed)
    one = record()
    decisions.register(one)
    decisions.evaluate(one, {})
    decisions.mark_mirrored(snapshots.take("run").decisions)
    assert not decisions.is_answerable("d-1")
    decisions.finish("done")
    snapshot = snapshots.take("run")
    assert not decisions.is_answerable("d-1")
    decisions.mark_mirrored(snapshot.decisions)
    assert decisions.is_answerable("d-1")
    assert decisions.look_up("d-1") is one


def test_a_decision_that_never_came_is_unknown(failed: Ledger) -> None:
    assert OpenDecisions(failed).look_up("never").outcome == "unknown"


def test_every_move_follows_the_table(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="cannot go from submitted to completed"):
        ledger.move(RequestStatus.COMPLETED)


def test_every_change_of_state_leaves_one_audit_line_and_one_entry(snapshots: Snapshots) -> None:
    snapshot = snapshots.take("run")
    assert [line.event_type for line in snapshot.audit] == [
        "request.in_progress",
        "action.failed",
        "request.failed",
    ]
    assert [entry.kind for entry in snapshot.stream if entry.kind == "state"] == ["state"] * 2
    numbers = [line.seq for line in snapshot.audit] + [entry.seq for entry in snapshot.stream]
    assert len(numbers) == len(set(numbers))


def test_what_the_mirror_has_confirmed_is_not_told_again(
    failed: Ledger, snapshots: Snapshots
) -> None:
    first = snapshots.take("run")
    failed.journal.log("info", "meanwhile")
    snapshots.confirm(first)
    second = snapshots.take("run")
    assert second.audit == []
    assert [entry.data["message"] for entry in second.stream] == ["meanwhile"]
    assert second.mirror_seq == first.mirror_seq + 1


def test_a_decision_that_went_on_while_it_was_written_is_told_again(
    failed: Ledger, snapshots: Snapshots
) -> None:
    decisions = OpenDecisions(failed)
    decisions.evaluate(record(), {})
    written = snapshots.take("run")
    decisions.finish("done")
    snapshots.confirm(written)
    [told] = snapshots.take("run").decisions
    assert told.outcome == "done"


def test_a_snapshot_does_not_change_with_the_ledger(failed: Ledger, snapshots: Snapshots) -> None:
    snapshot = snapshots.take("run")
    failed.begin(failed.states[0])
    assert snapshot.actions[0].attempt == 1


def test_writes_stay_in_order_when_the_clock_steps_back(snapshots: Snapshots, clock: Clock) -> None:
    first = snapshots.take("run")
    clock.now -= timedelta(seconds=3)
    second = snapshots.take("run")
    assert (second.mirror_at, second.mirror_seq) > (first.mirror_at, first.mirror_seq)


def test_outputs_of_succeeded_actions_are_kept_through_a_failure(ledger: Ledger) -> None:
    first, second = ledger.states
    ledger.move(RequestStatus.IN_PROGRESS)
    ledger.begin(first)
    ledger.succeed(first, ActionResult(outputs={"key": "OPS-1"}))
    ledger.begin(second)
    ledger.fail(second, ActionFailure(code="ACTION_FAILED", message="no"))
    ledger.move(RequestStatus.FAILED)
    assert first.outputs == {"key": "OPS-1"}


@pytest.mark.parametrize("kind", ["retry", "abort", "escalate"])
def test_a_decision_upon_another_attempt_is_refused_and_both_are_named(
    failed: Ledger, kind: str
) -> None:
    failed.begin(failed.states[0])
    failed.fail(failed.states[0], ActionFailure(code="ACTION_FAILED", message="no"))
    decisions = OpenDecisions(failed)
    late = record(kind, attempt=1)
    decisions.evaluate(late, {})
    assert "made for attempt 1" in (late.message or "")
    assert "now at attempt 2" in (late.message or "")
    fresh = record(kind, "d-2", attempt=2)
    decisions.evaluate(fresh, {})
    assert fresh.accepted


def test_what_an_earlier_run_has_closed_is_answered_at_once(
    failed: Ledger, snapshots: Snapshots
) -> None:
    decisions = OpenDecisions(failed)
    replayed = record()
    decisions.register(replayed)
    failed.decisions.record_received(replayed)
    closed = record(outcome="done", accepted=True)
    decisions.adopt_closed(closed)
    assert decisions.is_answerable("d-1")
    assert decisions.look_up("d-1") is closed
    assert failed.decisions.all == [closed]
    assert snapshots.take("run").decisions == [], "Postgres has it"


@pytest.mark.parametrize(
    ("stored", "outcome", "message", "answerable"),
    [
        ({"outcome": "done", "accepted": True}, "done", None, True),
        ({"outcome": "rejected", "message": "no"}, "rejected", "no", True),
        ({"outcome": "open", "accepted": True}, "failed", "it is lost", False),
        ({"outcome": "open"}, "rejected", "it is lost", False),
    ],
)
def test_what_a_lost_workflow_left_open_has_ended(
    failed: Ledger, stored: dict[str, Any], outcome: str, message: str | None, *, answerable: bool
) -> None:
    decisions = OpenDecisions(failed)
    known = record(**stored)
    decisions.adopt(known, gone="it is lost")
    assert (known.outcome, known.message) == (outcome, message)
    assert decisions.look_up("d-1") is known
    # What has just ended is answered when Postgres has it.
    assert decisions.is_answerable("d-1") is answerable
    assert [one.decision_id for one in failed.decisions.unconfirmed] == (
        [] if answerable else ["d-1"]
    )


def test_a_refusal_is_shown_to_operators_until_a_decision_is_accepted(failed: Ledger) -> None:
    decisions = OpenDecisions(failed)
    decisions.evaluate(record("retry", attempt=7, by="a`nn\nb"), {})
    told = failed.decisions.last_refusal or ""
    assert told.startswith("`retry` by a'nn b, 2026-03-01T12:00:00.000Z: this retry was made for")
    decisions.evaluate(record("retry", "d-2", attempt=7), {})
    assert (failed.decisions.last_refusal or "").startswith("`retry`, 2026")
    failed.decisions.record_ignored_signal(
        "x" * 200, event="signal.unknown", reason="there is no such signal"
    )
    assert failed.decisions.last_refusal == (
        f"`{'x' * 100}`, 2026-03-01T12:00:00.000Z: there is no such signal"
    )
    [line] = failed.journal.unconfirmed_lines()[-1:]
    assert (line.event_type, line.actor, line.via) == ("signal.unknown", "unknown", "temporal")
    assert line.reason == "there is no such signal"
    decisions.evaluate(record("abort", "d-3"), {})
    assert failed.decisions.last_refusal is None


def test_the_manual_way_replaces_what_has_not_succeeded() -> None:
    definition = automatic(
        ticket("done"), ticket("broken"), ticket("next"), manual=[ticket("by-hand")]
    )
    ledger = Ledger(new_request(definition=definition).given, now=lambda: START)
    done, broken, following = ledger.states
    ledger.move(RequestStatus.IN_PROGRESS)
    for state in (done, broken):
        ledger.begin(state)
    ledger.succeed(done, ActionResult(outputs={}))
    ledger.fail(broken, ActionFailure(code="ACTION_FAILED", message="full", outcome_unknown=True))
    ledger.move(RequestStatus.FAILED)
    assert ledger.has_fallback
    ledger.use_fallback()
    assert not ledger.has_fallback
    assert [(one.status, one.note) for one in ledger.states] == [
        ("completed", None),
        ("skipped", "The manual way is used instead; it had failed: full"),
        ("skipped", "The manual way is used instead."),
        ("pending", None),
    ]
    assert broken.error is not None, "what it may have left is listed for cleanup"
    assert following.error is None
    assert ledger.journal.unconfirmed_lines()[-1].event_type == "request.fallback"


def test_evidence_that_nothing_exists_holds_for_the_next_attempt(failed: Ledger) -> None:
    first = failed.states[0]
    first.outcome_unknown = True
    failed.confirm_no_effect(
        first, record(by="ann", via="api", reason="I looked", evidence={"present": False})
    )
    assert (first.outcome_unknown, failed.confirmed_absent) == (False, {("first", 2)})
    line = failed.journal.unconfirmed_lines()[-1]
    assert (line.event_type, line.actor, line.via) == ("action.evidence", "ann", "api")
    assert (line.reason, line.action_id) == ("I looked", "first")
    assert line.data == {"decisionId": "d-1", "present": False}


def test_what_another_run_had_left_is_inherited_by_each_action_it_is_about(
    failed: Ledger, snapshots: Snapshots
) -> None:
    first, second = failed.states
    left = PartialResource("thing", id="5")
    snapshots.inherit([replace(second, partial=[left], outcome_unknown=True)])
    assert (first.partial, second.partial) == ([], [left])
    assert second.outcome_unknown


def test_the_whole_state_holds_every_action(failed: Ledger, snapshots: Snapshots) -> None:
    assert snapshots.view("run").actions == failed.states


def test_a_decision_that_an_earlier_run_had_accepted_fails_where_it_is_refused(
    failed: Ledger,
) -> None:
    decisions = OpenDecisions(failed)
    known = record(accepted=True)
    decisions.register(known)
    decisions.refuse(known)
    assert known.outcome == "failed"
    assert failed.decisions.all == [known]
    other = record(id_="d-2")
    decisions.register(other)
    decisions.refuse(other)
    assert (other.outcome, other.accepted) == ("rejected", False)
    decisions.mark_mirrored([known])
    decisions.mark_mirrored([other])
    assert decisions.is_answerable("d-1")
    assert decisions.is_answerable("d-2")
    assert decisions.look_up("d-3") == record("", "d-3", outcome="unknown", at="")


def test_what_also_may_refuse_hears_of_the_corrected_fields(failed: Ledger) -> None:
    heard: list[Any] = []
    decisions = OpenDecisions(
        failed, extra_objection=lambda _record, changes: heard.append(changes)
    )
    assert decisions.changes == {}
    one = record()
    decisions.evaluate(one, {"size": 7})
    assert heard == [{"size": 7}]
    decisions.finish("rejected", "no")
    assert decisions.changes == {}
    assert (one.accepted, one.outcome) == (False, "rejected")


@pytest.mark.parametrize(("code", "more"), [(None, {}), ("A_CODE", {"code": "A_CODE"})])
def test_the_audit_names_the_code_of_a_refusal_where_it_has_one(
    failed: Ledger, code: str | None, more: dict[str, str]
) -> None:
    decisions = OpenDecisions(failed)
    decisions.evaluate(record(reason="try again"), {})
    decisions.finish("rejected", "no", code=code)
    line = failed.journal.unconfirmed_lines()[-1]
    assert (line.event_type, line.reason) == ("decision.rejected", "no")
    assert line.data == {"decision": "retry", "given": "try again", **more}
