"""The one table of transitions, state by state, against the contract."""

import pytest

from pao.core.states import (
    DECISIONS,
    SETTLED,
    TERMINAL,
    TRANSITIONS,
    Decision,
    RequestStatus,
    can_move,
    describe_allowed,
)

ALLOWED = {
    ("submitted", "in_progress"),
    ("in_progress", "completed"),
    ("in_progress", "failed"),
    ("failed", "failed"),
    ("failed", "in_progress"),
    ("failed", "completed"),
    ("failed", "aborted"),
    ("failed", "escalated"),
}


@pytest.mark.parametrize("before", RequestStatus)
@pytest.mark.parametrize("after", RequestStatus)
def test_a_request_moves_as_the_contract_says_and_not_otherwise(
    before: RequestStatus, after: RequestStatus
) -> None:
    assert can_move(before, after) == ((before, after) in ALLOWED)


def test_every_state_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(RequestStatus) == set(DECISIONS)


def test_the_final_states_are_those_that_nothing_follows() -> None:
    assert {"completed", "aborted", "escalated"} == TERMINAL
    assert TERMINAL | {"failed"} == SETTLED


@pytest.mark.parametrize("status", RequestStatus)
def test_each_state_takes_its_decisions(status: RequestStatus) -> None:
    expected: dict[RequestStatus, set[Decision]] = {
        RequestStatus.FAILED: set(Decision) - {Decision.CANCEL},
        RequestStatus.IN_PROGRESS: {Decision.CANCEL},
    }
    assert set(DECISIONS[status]) == expected.get(status, set())


def test_every_state_is_reached_from_submitted() -> None:
    reached = {RequestStatus.SUBMITTED}
    while more := {after for state in reached for after in TRANSITIONS[state]} - reached:
        reached |= more
    assert reached == set(RequestStatus)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (RequestStatus.FAILED, "retry, abort, escalate"),
        (RequestStatus.COMPLETED, "final"),
        (RequestStatus.SUBMITTED, "until it has failed"),
        (RequestStatus.IN_PROGRESS, "cancel; the others once it has failed"),
    ],
)
def test_what_is_allowed_is_said_in_words(status: RequestStatus, words: str) -> None:
    assert words in describe_allowed(status)
