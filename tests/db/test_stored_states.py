"""Rows of actions back as their workflow knew them, also those of other versions."""

from typing import Any
from uuid import uuid4

from db.models import RequestAction
from db.stored import state_of
from pao.core.payloads import FormerCall, PartialResource
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
