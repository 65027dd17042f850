"""What a request's record says of each step: its log for people, and what is kept for later."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pao.core.payloads.actions import ActionResult, ActionState
from pao.core.payloads.cleanups import CleanupMark
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.requests import Resumption
from pao.core.payloads.tickets import Escalation
from pao.core.payloads.waits import OpenWait
from pao.core.resources import resource_entry_id
from pao.core.states import ActionStatus, RequestStatus
from tests.support.requests import automatic, new_request, ticket
from workflows.ledger import Ledger

REQUEST = new_request(definition=automatic(ticket("one"), manual=[ticket("by-hand")]))
NO = ActionFailure(code="ACTION_FAILED", message="no")
DECISION = DecisionRecord(decision_id="d-1", decision="retry", at="2026-03-01", by="ann")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(REQUEST.given, now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def state(ledger: Ledger) -> ActionState:
    """Return the only action, at work."""
    ledger.move(RequestStatus.IN_PROGRESS)
    [only] = ledger.states
    ledger.begin(only)
    return only


def logged(ledger: Ledger) -> tuple[str, str]:
    """Return level and text of the last line of the log."""
    said = [one.data for one in ledger.journal.unconfirmed_entries() if one.kind == "log"]
    return said[-1]["level"], said[-1]["message"]


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ({}, "Ask for the one succeeded"),
        ({"external_reference": "NET-1"}, "Ask for the one succeeded: NET-1"),
        ({"adopted": True}, "Ask for the one found an earlier effect and adopted it"),
    ],
)
def test_a_success_names_what_was_made(
    ledger: Ledger, state: ActionState, result: dict[str, Any], told: str
) -> None:
    ledger.succeed(state, ActionResult(**result))
    assert logged(ledger) == ("info", told)


@pytest.mark.parametrize(
    ("reference", "told"), [(None, "waits (follow)"), ("5", "waits for 5 (follow)")]
)
def test_a_wait_names_what_it_waits_for(
    ledger: Ledger, state: ActionState, reference: str | None, told: str
) -> None:
    ledger.wait(state, ActionResult(external_reference=reference), OpenWait("follow", "now"))
    assert logged(ledger) == ("info", f"Ask for the one {told}")
    ledger.record_reminder(state, OpenWait("approval", "now"))
    assert logged(ledger) == ("warning", "Ask for the one is still waiting for an approval")


@pytest.mark.parametrize("sent", [None, "sealed"])
def test_a_wait_keeps_what_its_call_was_made_of(
    ledger: Ledger, state: ActionState, sent: str | None
) -> None:
    ledger.wait(state, ActionResult(sent=sent), OpenWait("follow", "now"))
    [call] = state.former
    fields = None if sent else {"title": REQUEST.context.fields["title"]}
    assert (call.attempt, call.sealed, call.fields) == (1, sent, fields)


def test_what_earlier_attempts_left_stays_listed_beside_what_was_made(
    ledger: Ledger, state: ActionState
) -> None:
    state.partial = [PartialResource("run", id="1"), PartialResource("run", id="2")]
    result = ActionResult(external_reference="2", partial=[PartialResource("run", id="1")])
    ledger.wait(state, result, OpenWait("follow", "now"))
    assert state.partial == result.partial
    ledger.succeed(state, ActionResult(external_reference="2"))
    assert state.partial == result.partial, "the end of a wait tells nothing of what was before"


@pytest.mark.parametrize(
    ("left", "named"),
    [
        ({"id": "5", "url": "http://x"}, ["5"]),
        ({"url": "http://x"}, ["http://x"]),
        ({}, ["thing"]),
        (None, None),
    ],
)
def test_the_audit_names_what_a_failure_left(
    ledger: Ledger, state: ActionState, left: dict[str, Any] | None, named: list[str] | None
) -> None:
    partial = [] if left is None else [PartialResource("thing", **left)]
    ledger.fail(state, ActionFailure(code="ACTION_FAILED", message="no", partial=partial))
    line = ledger.journal.unconfirmed_lines()[-1]
    assert line.data.get("left") == named
    assert logged(ledger) == ("error", "Ask for the one failed: no")


@pytest.mark.parametrize(
    ("left", "named"),
    [
        ({"id": "5", "cleanup": "Remove it."}, "5"),
        ({"cleanup": "Remove it."}, "Remove it."),
        ({}, "thing"),
    ],
)
def test_what_a_correction_leaves_behind_is_logged(
    ledger: Ledger, state: ActionState, left: dict[str, Any], named: str
) -> None:
    ledger.leave_behind(state, "the old place", PartialResource("thing", **left))
    assert logged(ledger) == (
        "warning",
        f"Ask for the one leaves behind at the old place: {named}",
    )


def test_a_doubt_that_is_left_behind_names_its_place(ledger: Ledger, state: ActionState) -> None:
    ledger.fail(state, ActionFailure(code="ACTION_FAILED", message="cut", outcome_unknown=True))
    ledger.leave_behind(state, "the old place", None)
    [left] = state.left_behind
    assert "took effect at the old place" in (left.cleanup or "")


def test_evidence_and_the_manual_way_are_logged(ledger: Ledger, state: ActionState) -> None:
    ledger.fail(state, NO)
    ledger.confirm_no_effect(state, DECISION)
    told = "Ask for the one: Somebody confirmed that it had no effect"
    assert logged(ledger) == ("warning", told)
    ledger.use_fallback()
    used = "The manual way is used instead; it had failed: no"
    assert logged(ledger) == ("info", f"Ask for the one is skipped: {used}")
    assert [one.id for one in ledger.states] == ["one", "manual-by-hand"]
    assert not ledger.has_fallback


@pytest.mark.parametrize(
    ("seen", "left"),
    [
        ({"external_reference": "2"}, ["1", None]),
        ({"external_reference": "x", "url": "https://ci/2"}, ["1", None]),
        ({}, ["1", "2", None]),
    ],
)
def test_evidence_of_an_effect_leaves_the_others_listed(
    ledger: Ledger, state: ActionState, seen: dict[str, Any], left: list[str | None]
) -> None:
    runs = [PartialResource("run", id=one, url=f"https://ci/{one}") for one in ("1", "2")]
    ledger.fail(state, replace(NO, partial=[*runs, PartialResource("mail")], outcome_unknown=True))
    ledger.complete_by_evidence(state, DECISION, ActionResult(**seen))
    assert [one.id for one in state.partial] == left


def test_evidence_of_an_effect_is_logged_before_the_success(
    ledger: Ledger, state: ActionState
) -> None:
    ledger.fail(state, NO)
    ledger.complete_by_evidence(state, DECISION, ActionResult())
    said = [
        one.data["message"] for one in ledger.journal.unconfirmed_entries() if one.kind == "log"
    ]
    assert said[-2:] == [
        "Ask for the one: Somebody confirmed that it took effect",
        "Ask for the one found an earlier effect and adopted it",
    ]


def test_a_request_stopped_between_two_actions_says_why(ledger: Ledger) -> None:
    ledger.move(RequestStatus.IN_PROGRESS)
    ledger.record_stop("Cancelled by ann.")
    assert logged(ledger) == ("error", "Cancelled by ann.")


@pytest.mark.parametrize("known", [["one"], ["one", "manual-by-hand"]])
def test_a_request_is_taken_up_with_all_that_was_known(known: list[str]) -> None:
    ledger = Ledger(REQUEST.given, now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
    escalation = Escalation("OPS-1", "http://jira/OPS-1", "2026-03-01", "ann")
    mark = CleanupMark("entry", "ann", "removed")
    states = [
        ActionState(id=name, index=at, type="jira-ticket", name=name, status=ActionStatus.FAILED)
        for at, name in enumerate(known)
    ]
    ledger.resume(
        Resumption(
            reason="It was terminated.",
            actions=states,
            escalation=escalation,
            failure=NO,
            cleaned=[mark],
        )
    )
    assert ledger.status == RequestStatus.FAILED
    assert ledger.states == states
    assert ledger.has_fallback is (known == ["one"])
    assert (ledger.escalation, ledger.failure) == (escalation, NO)
    assert ledger.cleaned == {"entry": mark}
    assert logged(ledger) == ("warning", "It was terminated.")


def test_an_operator_sees_what_is_left_to_do_and_what_was_refused(
    ledger: Ledger, state: ActionState
) -> None:
    ledger.leave_behind(state, "the old place", PartialResource("thing", id="5"))
    ledger.fail(state, NO)
    ledger.move(RequestStatus.FAILED)
    [left] = state.left_behind
    ledger.cleaned = {"entry": CleanupMark("entry", "eve", "")}
    ledger.decisions.record_ignored_signal(
        "retyr", event="signal.invalid", reason="there is no such signal"
    )
    shown = ledger.details()
    assert "**Last refused:** `retyr`" in shown
    assert "takes the manual way" in shown
    assert "eve" not in shown
    entry = resource_entry_id(state.id, left)
    ledger.cleaned = {entry: CleanupMark(entry, "eve", "")}
    assert "eve" in ledger.details()
    ledger.start_retry(DECISION)
    assert "a retry is being prepared" in ledger.details()
