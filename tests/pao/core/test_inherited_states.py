"""What a run inherits, action by action: doubts and remains are added, nothing is taken away."""

from dataclasses import replace
from typing import Any

import pytest

from pao.core.payloads.actions import ActionState, FormerCall
from pao.core.payloads.failures import PartialResource
from pao.core.payloads.waits import Pending
from pao.core.run_inheritance import INHERITED_FIELDS, has_inheritance, inherit
from pao.core.states import ActionStatus

OWN, STORED = PartialResource("thing", "own"), PartialResource("thing", "stored")
CALL, STORED_CALL = FormerCall(2), FormerCall(1)
FOLLOW, RESOLUTION = Pending("follow"), Pending("resolution")


def state(**more: Any) -> ActionState:
    given: dict[str, Any] = {"status": ActionStatus.PENDING, **more}
    return ActionState(id="act", index=0, type="job", name="Act", **given)


@pytest.mark.parametrize(
    ("own", "stored", "name", "expected"),
    [
        ({}, {"outcome_unknown": True}, "outcome_unknown", True),
        ({"outcome_unknown": True}, {}, "outcome_unknown", True),
        ({}, {}, "outcome_unknown", False),
        ({"doubt_since": "2"}, {"doubt_since": "1"}, "doubt_since", "1"),
        ({"doubt_since": "2"}, {}, "doubt_since", "2"),
        ({"partial": [OWN, STORED]}, {"partial": [STORED]}, "partial", [STORED, OWN]),
        ({"former": [CALL]}, {"former": [STORED_CALL]}, "former", [STORED_CALL, CALL]),
        ({"left_behind": [OWN]}, {"left_behind": [STORED]}, "left_behind", [STORED, OWN]),
        ({"pending": FOLLOW}, {"pending": RESOLUTION}, "pending", FOLLOW),
        ({}, {"pending": RESOLUTION}, "pending", RESOLUTION),
        ({"moves": 1}, {"moves": 2}, "moves", 2),
        ({"moves": 2}, {"moves": 1}, "moves", 2),
    ],
)
def test_doubts_and_remains_are_added(
    own: dict[str, Any], stored: dict[str, Any], name: str, expected: object
) -> None:
    given = state(attempt=3, **own)
    taken = inherit(given, state(attempt=9, outputs={"of": "before"}, **stored))
    assert getattr(taken, name) == expected
    # Nothing but what is listed: the ledger takes over these, and these only.
    for other in INHERITED_FIELDS:
        setattr(taken, other, getattr(given, other))
    assert taken == given


@pytest.mark.parametrize(
    ("status", "takes"),
    [(one, one not in {ActionStatus.COMPLETED, ActionStatus.SKIPPED}) for one in ActionStatus],
)
def test_what_is_over_takes_nothing_over(status: ActionStatus, *, takes: bool) -> None:
    given = state(status=status)
    stored = state(partial=[STORED], outcome_unknown=True)
    assert inherit(given, stored) == (
        replace(given, partial=[STORED], outcome_unknown=True) if takes else given
    )


@pytest.mark.parametrize(
    ("stored", "leaves"),
    [
        ({"outcome_unknown": True}, True),
        ({"partial": [STORED]}, True),
        ({"former": [CALL]}, True),
        ({"left_behind": [STORED]}, True),
        ({"pending": FOLLOW}, True),
        ({"outputs": {"a": 1}, "attempt": 2}, False),
    ],
    ids=str,
)
def test_what_there_is_to_take_over(stored: dict[str, Any], *, leaves: bool) -> None:
    assert has_inheritance(state(**stored)) is leaves
