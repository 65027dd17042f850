"""Rows of actions back as their workflow knew them, also those of other versions."""

from typing import Any
from uuid import uuid4

from db.models import RequestAction
from db.row_conversion import read_failure, state_of
from pao.core.documents import to_document
from pao.core.payloads.actions import FormerCall
from pao.core.payloads.failures import PartialResource
from pao.core.payloads.waits import OpenApproval
from pao.core.resources import cleanup_of, resources_of
from pao.core.states import ActionStatus

LEFT: dict[str, Any] = {"type": "thing", "id": "a", "url": None, "cleanup": "Remove a."}


def row(**more: Any) -> RequestAction:
    usual: dict[str, Any] = {"status": ActionStatus.FAILED, "attempt": 1}
    return RequestAction(
        request_id=uuid4(), action_id="act", action_index=0, type="job", name="Act", **usual | more
    )


def error(**more: Any) -> dict[str, Any]:
    return {"code": "ACTION_FAILED", "message": "no", **more}


def test_a_row_of_an_earlier_version_has_what_was_left_in_its_error() -> None:
    state = state_of(row(error=error(partial=[LEFT], outcome_unknown=True), outcome_unknown=True))
    assert state.outcome_unknown
    assert state.partial == [PartialResource(**LEFT)]
    assert (state.former, state.left_behind, state.moves) == ([], [], 0)
    assert [one["id"] for one in resources_of([state])] == ["a"]
    assert cleanup_of("r", [state])[0]["instructions"] == "Remove a."


def test_a_row_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    state = state_of(
        row(
            error=error(unheard="of"),
            partial=[{**LEFT, "colour": "red"}],
            former=[{"attempt": 1, "sealed": "x", "weight": 7}],
            left_behind=[{**LEFT, "colour": "red"}],
            moves=2,
        )
    )
    assert state.partial == state.left_behind == [PartialResource(**LEFT)]
    assert state.former == [FormerCall(1, sealed="x")]
    assert state.moves == 2
    assert [one["id"] for one in resources_of([state])] == ["a", "a"]


def test_what_a_new_row_says_counts_more_than_its_error() -> None:
    assert state_of(row(error=error(partial=[LEFT]), partial=[])).partial == []


def test_a_failure_is_read_in_the_spelling_of_any_version() -> None:
    facts = {"http_status": 409, "response_body": "{}", "retryable": True, "outcome_unknown": True}
    told = {"httpStatus": 409, "responseBody": "{}", "retryable": True, "outcomeUnknown": True}
    earlier, present = state_of(row(error=error(**facts))), state_of(row(error=error(**told)))
    assert earlier.error == present.error
    assert earlier.error is not None
    assert (earlier.error.http_status, earlier.error.outcome_unknown) == (409, True)
    assert read_failure(error(**facts)) == read_failure(error(**told)) == earlier.error
    assert read_failure(None) is None


def test_what_a_person_can_do_about_a_doubt_is_read_from_the_error() -> None:
    assert state_of(row(error=error(byHand="ask the receiver"))).by_hand == "ask the receiver"


def test_an_approval_of_an_earlier_version_is_read() -> None:
    stored: dict[str, Any] = {
        "kind": "approval",
        "since": "2026-01-01T00:00:00.000Z",
        "deadline": None,
        "onDeadline": "remind",
        "message": None,
        "approvers": {"users": ["ann"], "teams": []},
        "minimum": 1,
        "allowSelf": True,
        "decisions": [],
    }
    wait = state_of(row(status=ActionStatus.WAITING, waiting=stored)).waits_for
    assert isinstance(wait, OpenApproval)
    assert (wait.on_deadline, wait.allow_self, wait.approvers.users) == ("remind", True, ["ann"])
    assert to_document(wait) == stored
