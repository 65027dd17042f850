"""What a request has made, and the entries by which people report it as cleaned up."""

from dataclasses import replace
from typing import Any

import pytest

from pao.core.names import mark
from pao.core.payloads.actions import ActionState
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.resources import (
    attempt_of,
    cleanup_of,
    doubt_instructions,
    entry_id,
    failed_actions_of,
    is_unknown,
    left_behind_of,
    look_by_hand,
    orphaned_resources,
    resource_entry_id,
    resources_of,
)
from pao.core.states import ActionStatus

REQUEST = "7b0c6e0a-4e8d-4b53-9f0a-5a1a4d1a7c11"
LEFT = PartialResource("branch", "fix-1", "https://git/fix-1", move=2)
TICKET = PartialResource("ticket", "OPS-1", cleanup="Close OPS-1.")
DOUBT = doubt_instructions("Act", look_by_hand(mark(REQUEST, "act")))


def state(status: ActionStatus = ActionStatus.FAILED, **more: Any) -> ActionState:
    return ActionState(id="act", index=3, type="job", name="Act", status=status, **more)


def unknown(message: str = "cut", **more: Any) -> ActionFailure:
    return ActionFailure("ACTION_FAILED", message, outcome_unknown=True, **more)


@pytest.mark.parametrize(
    ("status", "made"),
    [(one, one in {ActionStatus.COMPLETED, ActionStatus.WAITING}) for one in ActionStatus],
)
def test_what_is_completed_or_waited_for_was_made(status: ActionStatus, *, made: bool) -> None:
    given = state(
        status, external_reference="OPS-1", url="https://jira/OPS-1", cleanup="Close OPS-1."
    )
    one = {"type": "job", "id": "OPS-1", "url": "https://jira/OPS-1", "action": "act"}
    assert resources_of([given]) == ([one] if made else [])
    told = cleanup_of(REQUEST, [given])
    assert [(step["resource"], step["instructions"]) for step in told] == (
        [("OPS-1", "Close OPS-1.")] if made else []
    )


def test_a_moved_action_s_doubt_is_looked_for_by_its_present_mark() -> None:
    [step] = cleanup_of(REQUEST, [state(outcome_unknown=True, moves=2)])
    assert step["instructions"] == doubt_instructions("Act", look_by_hand(mark(REQUEST, "act", 2)))


def test_each_thing_that_is_left_is_listed_with_what_to_do_about_it() -> None:
    given = state(partial=[TICKET], left_behind=[LEFT], outcome_unknown=True)
    assert resources_of([given]) == [
        {"type": "ticket", "id": "OPS-1", "url": None, "action": "act"},
        {"type": "branch", "id": "fix-1", "url": "https://git/fix-1", "action": "act"},
    ]
    assert left_behind_of([given]) == resources_of([given])[1:]
    steps = cleanup_of(REQUEST, [given])
    assert [(step["action"], step["resource"], step["instructions"]) for step in steps] == [
        ("act", "OPS-1", "Close OPS-1."),
        ("act", None, DOUBT),
        ("act", "fix-1", "Remove by hand what is not wanted: branch fix-1 https://git/fix-1."),
    ]
    # The pages and the details name an entry alike, and people's reports of years name it so.
    ids = [step["entryId"] for step in steps]
    assert (ids[0], ids[2]) == (resource_entry_id("act", TICKET), resource_entry_id("act", LEFT))
    assert ids == ["b7797b8cadc83729", "e4b8010b104ba77d", "f613a30163bda482"]


def test_an_entry_keeps_its_id_when_the_words_of_its_doubt_change() -> None:
    doubtful = state(ActionStatus.SKIPPED, outcome_unknown=True)
    former = "look in its target for the mark pao-9a590eb0e38b, and undo what carries it"
    told = [
        orphaned_resources(REQUEST, one)[0] for one in (doubtful, replace(doubtful, by_hand=former))
    ]
    assert told[0].cleanup != told[1].cleanup
    assert {resource_entry_id("act", one) for one in told} == {"e4b8010b104ba77d"}
    # Of an entry that an earlier version stored there are only its words.
    assert {entry_id("act", None, one.cleanup) for one in told} == {"e4b8010b104ba77d"}


def test_what_an_error_of_an_earlier_version_lists_is_left_as_well() -> None:
    given = state(error=ActionFailure("ACTION_FAILED", "no", partial=[TICKET]))
    assert [one["id"] for one in resources_of([given])] == ["OPS-1"]
    assert [one["resource"] for one in cleanup_of(REQUEST, [given])] == ["OPS-1"]


def test_what_a_person_can_do_about_a_doubt_is_said_in_the_actions_own_words() -> None:
    [told] = cleanup_of(REQUEST, [state(outcome_unknown=True, by_hand="ask the receiver")])
    assert told["instructions"] == "It is not known whether 'Act' took effect: ask the receiver."


@pytest.mark.parametrize(
    ("given", "doubt"),
    [
        ({}, False),
        ({"outcome_unknown": True}, True),
        ({"error": unknown()}, True),
        ({"error": ActionFailure("ACTION_FAILED", "no")}, False),
    ],
)
def test_nobody_knows_while_any_attempt_is_in_doubt(given: dict[str, Any], *, doubt: bool) -> None:
    assert is_unknown(state(**given)) is doubt


def test_an_action_that_is_skipped_owns_nothing_that_it_left() -> None:
    left: dict[str, Any] = {"partial": [TICKET], "left_behind": [LEFT]}
    assert orphaned_resources(REQUEST, state(**left)) == [LEFT]
    skipped = state(ActionStatus.SKIPPED, **left)
    assert orphaned_resources(REQUEST, skipped) == [LEFT, TICKET]
    doubtful = state(ActionStatus.SKIPPED, outcome_unknown=True)
    assert orphaned_resources(REQUEST, doubtful) == [PartialResource("job", cleanup=DOUBT)]
    doubtful.resource_type = "run"
    assert orphaned_resources(REQUEST, doubtful)[0].type == "run"


@pytest.mark.parametrize("status", [ActionStatus.WAITING, ActionStatus.COMPLETED])
def test_what_earlier_attempts_left_is_listed_beside_what_a_retry_has_made(
    status: ActionStatus,
) -> None:
    given = state(status, partial=[TICKET], left_behind=[LEFT], external_reference="OPS-2")
    assert orphaned_resources(REQUEST, given) == [LEFT, TICKET]


def test_a_failed_action_is_told_with_attempt_times_and_reason() -> None:
    given = state(
        attempt=2, started_at="2026-01", finished_at="2026-02", error=unknown("no answer")
    )
    told = {
        "index": 3,
        "id": "act",
        "type": "job",
        "attempt": 2,
        "startedAt": "2026-01",
        "failedAt": "2026-02",
        "message": "no answer",
        "outcomeUnknown": True,
    }
    assert failed_actions_of([given, state(ActionStatus.COMPLETED)]) == [told]
    assert failed_actions_of([state()])[0]["message"] is None


FAILED, COMPLETED = ActionStatus.FAILED, ActionStatus.COMPLETED


@pytest.mark.parametrize(
    ("attempts", "decided"),
    [
        ([], 0),
        ([(COMPLETED, 1), (COMPLETED, 4)], 4),
        ([(COMPLETED, 4), (FAILED, 2), (FAILED, 3)], 3),
        ([(FAILED, 0)], 0),
    ],
)
def test_a_decision_is_about_the_highest_attempt_of_what_failed(
    attempts: list[tuple[ActionStatus, int]], decided: int
) -> None:
    assert attempt_of([state(status, attempt=number) for status, number in attempts]) == decided
