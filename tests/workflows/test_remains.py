"""What an action may have left: it only grows, until somebody has looked."""

from typing import Any

import pytest

from pao.core.payloads.actions import ActionState
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.resources import cleanup_of
from pao.core.states import ActionStatus
from workflows.leftovers import STILL_UNKNOWN, after_failure, clear_doubt, leave_behind, merged

LEFT = PartialResource("thing", id="a", cleanup="Remove a.")

REQUEST = "7b0c6e0a-4e8d-4b53-9f0a-5a1a4d1a7c11"


def state(**more: Any) -> ActionState:
    return ActionState(id="act", index=0, type="job", name="Act", **more)


def failure(**more: Any) -> ActionFailure:
    return ActionFailure(code="ACTION_FAILED", message="no", **more)


def test_an_attempt_that_ends_before_it_acts_takes_nothing_away() -> None:
    given = state(outcome_unknown=True, partial=[LEFT])
    shown = after_failure(given, failure())
    assert (given.outcome_unknown, given.partial) == (True, [LEFT])
    assert (shown.outcome_unknown, shown.partial) == (True, [LEFT])
    assert shown.message == f"no. {STILL_UNKNOWN}"


def test_a_long_message_keeps_the_doubt_in_sight() -> None:
    shown = after_failure(
        state(outcome_unknown=True), ActionFailure(code="ACTION_FAILED", message="x" * 9_000)
    )
    assert shown.message.endswith(STILL_UNKNOWN)


@pytest.mark.parametrize("said", ["no", "no."])
def test_the_doubt_is_a_sentence_of_its_own(said: str) -> None:
    shown = after_failure(
        state(outcome_unknown=True), ActionFailure(code="ACTION_FAILED", message=said)
    )
    assert shown.message == f"no. {STILL_UNKNOWN}"


def test_what_a_person_can_do_is_kept_with_the_doubt() -> None:
    given = state()
    after_failure(given, failure(outcome_unknown=True, by_hand="ask the receiver"))
    after_failure(given, failure(by_hand="look elsewhere"))
    [told] = cleanup_of("r-1", [given])
    assert told["instructions"] == "It is not known whether 'Act' took effect: ask the receiver."
    clear_doubt(given)
    assert given.by_hand is None


def test_a_look_that_was_answered_ends_the_doubt() -> None:
    given = state(outcome_unknown=True, partial=[LEFT])
    shown = after_failure(given, failure(answered=True, whole=True))
    assert (given.outcome_unknown, given.partial) == (False, [])
    assert (shown.outcome_unknown, shown.message) == (False, "no")


def test_a_new_doubt_is_kept_although_the_earlier_one_was_answered() -> None:
    given = state(outcome_unknown=True)
    after_failure(given, failure(answered=True, whole=True, outcome_unknown=True))
    assert given.outcome_unknown


def test_a_whole_list_replaces_what_earlier_attempts_listed() -> None:
    given = state(partial=[LEFT])
    other = PartialResource("thing", id="b")
    after_failure(given, failure(partial=[other], whole=True))
    assert given.partial == [other]


def test_resources_are_merged_by_type_id_and_address() -> None:
    again = PartialResource("thing", id="a")
    other = PartialResource("thing", id="a", url="https://elsewhere.example.com")
    assert merged([LEFT], [again, other]) == [LEFT, other]


def test_what_was_waited_for_is_still_there_when_the_wait_fails() -> None:
    given = state(status=ActionStatus.WAITING, external_reference="run-1", resource_type="run")
    after_failure(given, failure())
    assert given.partial == [PartialResource("run", id="run-1")]


def test_an_effect_that_is_the_actions_own_leaves_nothing_in_doubt() -> None:
    given = state(outcome_unknown=True, partial=[LEFT])
    clear_doubt(given)
    assert (given.outcome_unknown, given.partial) == (False, [])


@pytest.mark.parametrize("answered", [True, False])
def test_a_refusal_leaves_no_doubt(*, answered: bool) -> None:
    given = state()
    assert not after_failure(given, failure(answered=answered)).outcome_unknown
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
