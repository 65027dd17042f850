"""Whether a correction is taken over, by what a look has found of earlier attempts."""

from typing import Any

import pytest

from pao.core.correction_checks import (
    CorrectionRefusal,
    action_of_evidence,
    check_correction,
    found_resource,
    leaves_behind,
    outdated_message,
)
from pao.core.payloads.actions import ActionResult, ActionState, LookResult
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import PartialResource
from pao.core.states import ActionStatus

LEFT = [PartialResource("ticket", "OPS-1"), PartialResource("branch")]
FOUND = ActionResult(external_reference="OPS-1", url="https://jira/OPS-1", cleanup="Close OPS-1.")
MOVED = ["project OPS", "project NET"]


def state(id_: str = "act", **more: Any) -> ActionState:
    return ActionState(id=id_, index=0, type="job", name="Act", **more)


def look(answer: str = "found", **more: Any) -> LookResult:
    return LookResult(answer, **{"changed": True, **more})


def record(**more: Any) -> DecisionRecord:
    return DecisionRecord("d1", "retry", "2026", **more)


@pytest.mark.parametrize(
    ("found", "decided"),
    [
        (look(changed=False, exists=True), record()),
        (look("unknown"), record(mode="manual")),
        (look("absent"), record()),
        (look(exists=True, revisable=True), record(mode="revise")),
        (look("absent", moved=MOVED), record()),
        (look(moved=MOVED, exists=True), record(leave_behind=True)),
    ],
)
def test_a_correction_is_taken_over(found: LookResult, decided: DecisionRecord) -> None:
    assert check_correction(state(), found, decided) is None


EXISTS, LEAVES = "EXISTS_WITH_FORMER_VALUES", "WOULD_LEAVE_BEHIND"
REFUSED: list[tuple[dict[str, Any], LookResult, DecisionRecord, str | None, str]] = [
    (
        {},
        look(exists=True, result=FOUND),
        record(),
        EXISTS,
        (
            "'Act' exists with the values of an earlier attempt (OPS-1 https://jira/OPS-1). "
            "Retry without changes to adopt it as it is or abort"
        ),
    ),
    (
        {},
        look(exists=True, revisable=True, result=ActionResult(url="https://jira/OPS-1")),
        record(mode="automatic"),
        EXISTS,
        (
            "'Act' exists with the values of an earlier attempt (https://jira/OPS-1). Retry "
            "without changes to adopt it as it is, retry with mode revise (--revise) to change it, "
            "or abort"
        ),
    ),
    (
        {},
        look(exists=True, result=ActionResult()),
        record(mode="revise"),
        EXISTS,
        (
            "'Act' exists with the values of an earlier attempt (found). "
            "Retry without changes to adopt it as it is or abort"
        ),
    ),
    (
        {"partial": LEFT},
        look("absent", exists=True),
        record(),
        EXISTS,
        (
            "an earlier attempt of 'Act' has left OPS-1, branch there. "
            "Retry without changes to adopt it as it is or abort"
        ),
    ),
    (
        {},
        look("absent", exists=True, reason="its branch is there"),
        record(),
        EXISTS,
        (
            "a part of 'Act' exists with former values: its branch is there. "
            "Retry without changes to adopt it as it is or abort"
        ),
    ),
    (
        {},
        look("found", exists=True),
        record(),
        EXISTS,
        (
            "an earlier attempt of 'Act' may have taken effect there. "
            "Retry without changes to adopt it as it is or abort"
        ),
    ),
    (
        {},
        look("unknown", reason="JIRA does not respond"),
        record(mode="revise"),
        None,
        (
            "it could not be determined whether 'Act' took effect with its former values (JIRA "
            "does not respond); nothing was changed: retry without changes, which looks again, or "
            "abort"
        ),
    ),
    (
        {},
        look("unknown", askable=False),
        record(),
        None,
        (
            "it could not be determined whether 'Act' took effect with its former values (no "
            "reason is known); nothing was changed: look in the target and retry with evidence "
            "first, or abort"
        ),
    ),
    (
        {},
        look(moved=MOVED, result=FOUND),
        record(),
        LEAVES,
        (
            "the correction takes 'Act' from project OPS to project NET, and 'Act' exists with the "
            "values of an earlier attempt (OPS-1 https://jira/OPS-1). Correct it so that it stays, "
            "or retry with leaveBehind: true (--leave-behind): what is there is then listed for "
            "somebody to remove"
        ),
    ),
]


@pytest.mark.parametrize(("given", "found", "decided", "code", "told"), REFUSED)
def test_a_correction_is_refused_with_the_ways_that_are_left(
    given: dict[str, Any], found: LookResult, decided: DecisionRecord, code: str | None, told: str
) -> None:
    assert check_correction(state(**given), found, decided) == CorrectionRefusal(told, code)


def test_ten_of_what_an_attempt_has_left_are_named() -> None:
    many = [PartialResource("ticket", f"OPS-{number}") for number in range(11)]
    refused = check_correction(state(partial=many), look(exists=True), record())
    assert refused is not None
    assert "OPS-8, OPS-9 there" in refused.message


@pytest.mark.parametrize(
    ("given", "found", "leaves"),
    [
        ({}, look(moved=MOVED), True),
        ({}, look("unknown", moved=MOVED), True),
        ({}, look("absent", moved=MOVED), False),
        ({}, look("absent", moved=MOVED, reason="its branch is there"), True),
        ({"partial": LEFT}, look("absent", moved=MOVED), True),
        ({"partial": LEFT}, look("found"), False),
        ({"partial": LEFT}, look("found", moved=MOVED, changed=False), False),
    ],
)
def test_what_a_correction_leaves_behind(
    given: dict[str, Any], found: LookResult, *, leaves: bool
) -> None:
    assert leaves_behind(state(**given), found) is leaves


@pytest.mark.parametrize(("upon", "told"), [(None, None), (2, None), (1, "attempt 1,"), (3, "3,")])
def test_a_decision_is_about_the_present_attempt(upon: int | None, told: str | None) -> None:
    said = outdated_message("retry", upon, 2)
    assert (said is None) == (told is None)
    assert told is None or (told in (said or "") and "now at attempt 2;" in (said or ""))


DOUBTFUL = {"status": ActionStatus.FAILED, "outcome_unknown": True}
ONE = [state("a", **DOUBTFUL), state("b", status=ActionStatus.FAILED), state("c")]
TWO = [*ONE, state("d", **DOUBTFUL), state("e", outcome_unknown=True)]


@pytest.mark.parametrize(
    ("states", "evidence", "chosen"),
    [
        (ONE, {"present": True}, "a"),
        (ONE, {"present": False}, "a"),
        (TWO, {"present": True, "actionId": "d"}, "d"),
    ],
)
def test_evidence_is_about_a_failed_action_of_unknown_outcome(
    states: list[ActionState], evidence: dict[str, Any], chosen: str
) -> None:
    found, problem = action_of_evidence(states, evidence, corrects=not evidence["present"])
    assert (found and found.id, problem) == (chosen, None)


@pytest.mark.parametrize(
    ("states", "evidence", "corrects", "told"),
    [
        (ONE, {"present": True, "actionId": "b"}, False, "unknown outcome; there are: a"),
        (TWO, {"present": True, "actionId": "e"}, False, "unknown outcome; there are: a, d"),
        ([state("c")], {"present": False}, False, "unknown outcome; there are: none"),
        (TWO, {"present": True}, False, "the actionId of one of these actions: a, d"),
        (ONE, {"present": True}, True, "send the evidence without corrected fields"),
    ],
)
def test_evidence_that_is_not_taken_says_why(
    states: list[ActionState], evidence: dict[str, Any], told: str, *, corrects: bool
) -> None:
    found, problem = action_of_evidence(states, evidence, corrects=corrects)
    assert found is None
    assert told in (problem or "")


@pytest.mark.parametrize(
    ("result", "moved", "listed"),
    [
        (None, MOVED, None),
        (
            FOUND,
            MOVED,
            PartialResource("job", "OPS-1", "https://jira/OPS-1", cleanup="Close OPS-1."),
        ),
        (
            ActionResult(url="https://jira/OPS-1", resource_type="ticket", cleanup="Close it."),
            None,
            PartialResource("ticket", None, "https://jira/OPS-1", cleanup="Close it."),
        ),
        (
            ActionResult(cleanup="Close it."),
            MOVED,
            PartialResource(
                "job", cleanup="'Act' took effect at project OPS: look there for it, and undo it."
            ),
        ),
        (
            ActionResult(),
            None,
            PartialResource(
                "job",
                cleanup="'Act' took effect at its former place: look there for it, and undo it.",
            ),
        ),
    ],
)
def test_what_a_look_found_is_listed_for_removal(
    result: ActionResult | None, moved: list[str] | None, listed: PartialResource | None
) -> None:
    assert found_resource(state(), look(result=result, moved=moved)) == listed
