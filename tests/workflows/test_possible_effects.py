"""What an action may have left: it only grows, until somebody has looked."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pao.core.errors import ErrorCode
from pao.core.payloads.actions import ActionState, FormerCall
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.waits import Pending
from pao.core.resources import cleanup_of
from pao.core.states import ActionStatus
from tests.support.requests import new_request, ticket
from workflows.correction_checks import actions_in_doubt, check_former_effects
from workflows.ledger import Ledger
from workflows.possible_effects import (
    LONGEST_MESSAGE,
    MAX_FORMER_CALLS,
    STILL_UNKNOWN,
    clear_doubt,
    confirm_absent,
    leave_behind,
    merge,
    record_failed_attempt,
)

LEFT = PartialResource("thing", id="a", cleanup="Remove a.")

REQUEST = "7b0c6e0a-4e8d-4b53-9f0a-5a1a4d1a7c11"


def state(**more: Any) -> ActionState:
    return ActionState(id="act", index=0, type="job", name="Act", **more)


def failure(**more: Any) -> ActionFailure:
    return ActionFailure(code="ACTION_FAILED", message="no", **more)


def test_an_attempt_that_ends_before_it_acts_takes_nothing_away() -> None:
    given = state(outcome_unknown=True, partial=[LEFT])
    shown = record_failed_attempt(given, failure())
    assert (given.outcome_unknown, given.partial) == (True, [LEFT])
    assert (shown.outcome_unknown, shown.partial) == (True, [LEFT])
    assert shown.message == f"no. {STILL_UNKNOWN}"


def test_what_exists_with_former_values_is_looked_for_again() -> None:
    former = [FormerCall(1, sealed="one", digest="d1")]
    given = state(outcome_unknown=True, former=list(former))
    exists = replace(failure(answered=True), code=ErrorCode.EXISTS_WITH_FORMER_VALUES)
    record_failed_attempt(given, exists)
    assert (given.outcome_unknown, given.former) == (False, former)


def test_a_long_message_keeps_the_doubt_in_sight() -> None:
    shown = record_failed_attempt(
        state(outcome_unknown=True), ActionFailure(code="ACTION_FAILED", message="x" * 9_000)
    )
    assert shown.message.endswith(f"x. {STILL_UNKNOWN}")
    assert len(shown.message) == LONGEST_MESSAGE


@pytest.mark.parametrize("said", ["no", "no.", "no ", "no. "])
def test_the_doubt_is_a_sentence_of_its_own(said: str) -> None:
    shown = record_failed_attempt(
        state(outcome_unknown=True), ActionFailure(code="ACTION_FAILED", message=said)
    )
    assert shown.message == f"no. {STILL_UNKNOWN}"


def test_what_a_person_can_do_is_kept_with_the_doubt() -> None:
    given = state()
    record_failed_attempt(given, failure(outcome_unknown=True, by_hand="ask the receiver"))
    record_failed_attempt(given, failure(by_hand="look elsewhere"))
    [told] = cleanup_of("r-1", [given])
    assert told["instructions"] == "It is not known whether 'Act' took effect: ask the receiver."
    clear_doubt(given)
    assert given.by_hand is None


def test_a_look_that_was_answered_ends_the_doubt() -> None:
    given = state(outcome_unknown=True, partial=[LEFT])
    shown = record_failed_attempt(given, failure(answered=True, whole=True))
    assert (given.outcome_unknown, given.partial) == (False, [])
    assert (shown.outcome_unknown, shown.message) == (False, "no")


def test_a_new_doubt_is_kept_although_the_earlier_one_was_answered() -> None:
    given = state(outcome_unknown=True)
    record_failed_attempt(given, failure(answered=True, whole=True, outcome_unknown=True))
    assert given.outcome_unknown


def test_a_whole_list_replaces_what_earlier_attempts_listed() -> None:
    given = state(partial=[LEFT])
    other = PartialResource("thing", id="b")
    record_failed_attempt(given, failure(partial=[other], whole=True))
    assert given.partial == [other]


def test_resources_are_merged_by_type_id_and_address() -> None:
    again = PartialResource("thing", id="a")
    other = PartialResource("thing", id="a", url="https://elsewhere.example.com")
    assert merge([LEFT], [again, other]) == [LEFT, other]


def test_what_was_waited_for_is_still_there_when_the_wait_fails() -> None:
    given = state(status=ActionStatus.WAITING, external_reference="run-1", resource_type="run")
    record_failed_attempt(given, failure())
    assert given.partial == [PartialResource("run", id="run-1")]


def test_an_effect_that_is_the_actions_own_leaves_nothing_in_doubt() -> None:
    given = state(outcome_unknown=True, partial=[LEFT])
    clear_doubt(given)
    assert (given.outcome_unknown, given.partial) == (False, [])


def sent(state_: ActionState, digest: str | None, attempt: int, **more: Any) -> None:
    state_.attempt = attempt
    told = failure(outcome_unknown=True, digest=digest, **more)
    record_failed_attempt(state_, told, {"size": attempt}, now=f"2026-0{attempt}")


def test_each_call_that_may_have_had_an_effect_is_remembered_once() -> None:
    given = state()
    sent(given, "d1", 1, sent="one")
    sent(given, None, 2)
    sent(given, "d1", 3, sent="again")
    assert given.former == [
        FormerCall(2, fields={"size": 2}),
        FormerCall(3, sealed="again", digest="d1"),
    ]
    assert given.doubt_since == "2026-03"
    record_failed_attempt(given, failure(), {"size": 4}, now="2026-04")
    assert (len(given.former), given.doubt_since) == (2, "2026-03")
    record_failed_attempt(given, failure(answered=True, absent=True))
    assert given == state(attempt=3)


def test_calls_with_other_values_are_remembered_beside_each_other() -> None:
    given = state()
    sent(given, "d1", 1, sent="one")
    sent(given, "d2", 2, sent="two")
    assert [one.digest for one in given.former] == ["d1", "d2"]
    given = state()
    sent(given, None, 1)
    sent(given, None, 2)
    assert [one.fields for one in given.former] == [{"size": 1}, {"size": 2}]
    record_failed_attempt(given, failure(outcome_unknown=True), {"size": 1})
    assert [one.fields for one in given.former] == [{"size": 2}, {"size": 1}]


def test_a_call_that_was_sent_is_remembered_while_something_is_left() -> None:
    given = state()
    record_failed_attempt(given, failure(sent="one", digest="d1", partial=[LEFT]))
    assert given.former == [FormerCall(0, sealed="one", digest="d1")]
    record_failed_attempt(given, failure(sent="two", digest="d2", whole=True))
    assert given.former == []


def test_the_failure_that_is_shown_tells_nothing_of_what_was_sent() -> None:
    shown = record_failed_attempt(state(partial=[LEFT]), failure(sent="sealed", by_hand="ask"))
    assert (shown.sent, shown.partial, shown.by_hand) == (None, [LEFT], None)


def test_evidence_that_nothing_exists_ends_the_doubt_in_the_error_as_well() -> None:
    error = failure(outcome_unknown=True, partial=[LEFT])
    given = state(
        outcome_unknown=True,
        partial=[LEFT],
        error=error,
        doubt_since="2026",
        pending=Pending("follow"),
        former=[FormerCall(1)],
        by_hand="ask",
    )
    confirm_absent(given)
    assert given == state(error=failure())
    confirm_absent(bare := state())
    assert bare == state()


def test_what_may_be_at_a_former_place_is_listed_where_nobody_knows() -> None:
    given = state(outcome_unknown=True, resource_type="run", partial=[LEFT])
    leave_behind(given, "project NET", None)
    told = (
        "It is not known whether 'Act' took effect at project NET: look there for what an earlier "
        "attempt made, and undo it."
    )
    assert given.left_behind == [
        replace(LEFT, move=1),
        PartialResource("run", cleanup=told, move=1),
    ]
    assert (given.moves, given.outcome_unknown, given.partial) == (1, False, [])
    found = PartialResource("run", id="7")
    given.outcome_unknown = True
    leave_behind(given, "project WEB", found)
    assert given.left_behind[2:] == [replace(found, move=2)]


def test_a_resource_without_id_and_address_is_told_by_its_text() -> None:
    one, other = PartialResource("thing", cleanup="Look."), PartialResource("thing", cleanup="Ask.")
    assert merge([one, other], [one]) == [one, other]
    named = PartialResource("thing", url="https://a")
    assert merge([replace(named, cleanup="Undo.")], [named]) == [replace(named, cleanup="Undo.")]


@pytest.mark.parametrize(
    ("status", "reference", "left"),
    [
        (ActionStatus.WAITING, None, []),
        (ActionStatus.IN_PROGRESS, "run-1", []),
        (
            ActionStatus.WAITING,
            "run-1",
            [PartialResource("job", id="run-1", url="https://run", cleanup="Stop it.")],
        ),
    ],
)
def test_only_the_effect_of_a_wait_is_left_when_it_fails(
    status: ActionStatus, reference: str | None, left: list[PartialResource]
) -> None:
    given = state(status=status, external_reference=reference, url="https://run")
    given.cleanup = "Stop it."
    record_failed_attempt(given, failure())
    assert given.partial == left


@pytest.mark.parametrize("answered", [True, False])
def test_a_refusal_leaves_no_doubt(*, answered: bool) -> None:
    given = state()
    assert not record_failed_attempt(given, failure(answered=answered)).outcome_unknown
    assert not given.outcome_unknown


def test_what_is_left_again_by_a_later_move_is_another_entry_of_cleanup() -> None:
    left = PartialResource("ticket", "NET-1", "https://jira/NET-1", cleanup="Close NET-1.")
    moving = state(partial=[left])
    leave_behind(moving, "project NET", None)
    [first] = cleanup_of(REQUEST, [moving])
    moving.partial = [left]
    leave_behind(moving, "project NET", None)
    [second] = cleanup_of(REQUEST, [moving])
    assert first["instructions"] == second["instructions"]
    assert first["entryId"] != second["entryId"], "the first was dealt with, this one was not"


async def test_a_correction_is_refused_after_too_many_values_whose_outcome_is_unknown() -> None:
    request = new_request(ticket("first"))
    ledger = Ledger(request.given, now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
    [first] = ledger.states
    first.former = [FormerCall(number) for number in range(MAX_FORMER_CALLS)]
    asked = DecisionRecord(decision_id="d-1", decision="retry", at="2026-03-01")
    weighed = await check_former_effects(
        ledger, [first], asked, request.context, waits=request.waits
    )
    assert weighed.refusal is not None
    assert f"was tried with {MAX_FORMER_CALLS} different values" in weighed.refusal.message
    assert weighed.left_behind == []


@pytest.mark.parametrize(
    ("more", "doubtful"),
    [
        ({"outcome_unknown": True}, True),
        ({"partial": [LEFT]}, True),
        ({}, False),
        ({"outcome_unknown": True, "status": ActionStatus.COMPLETED}, False),
        ({"outcome_unknown": True, "type": "component"}, False),
    ],
)
def test_only_a_failed_action_that_may_have_had_an_effect_is_in_doubt(
    more: dict[str, Any], *, doubtful: bool
) -> None:
    ledger = Ledger(new_request(ticket("first")).given, now=lambda: datetime.now(UTC))
    given = {"type": "job", "status": ActionStatus.FAILED, **more}
    ledger.states = [ActionState(id="act", index=0, name="Act", **given)]
    assert actions_in_doubt(ledger) == (ledger.states if doubtful else [])
