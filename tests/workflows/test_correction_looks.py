"""Looks for what earlier attempts made, before a correction: their input, and what follows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from pao.core import names
from pao.core.payloads.actions import ActionInput, ActionResult, ActionState, FormerCall, LookResult
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.waits import Pending
from pao.core.states import RequestStatus
from tests.support.requests import Request, automatic, new_request, ticket
from tests.support.workflow_code import RUN, run_workflow_code
from workflows.correction_checks import CheckedCorrection, check_former_effects
from workflows.ledger import Ledger

LEFT = PartialResource("jira-ticket", id="NET-2")
MOVED = ["DB", "NET"]
READS_ALL = "{{fields.title}}, {{outputs.first.key}}, {{fulfillment.key}}"


@pytest.fixture
def request_() -> Request:
    """Return a request whose second action reads what the first one made."""
    actions = (ticket("first", outputs=["key"]), ticket("second", summary=READS_ALL))
    return new_request(definition=automatic(*actions), title="old")


@pytest.fixture
def ledger(request_: Request) -> Ledger:
    return Ledger(request_.given, now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def state(ledger: Ledger) -> ActionState:
    """Return the second action, whose second attempt has left something."""
    ledger.move(RequestStatus.IN_PROGRESS)
    first, second = ledger.states
    ledger.begin(first)
    ledger.succeed(first, ActionResult(outputs={"key": "NET-1"}))
    failure = ActionFailure(code="ACTION_FAILED", message="no", partial=[LEFT])
    for _ in range(2):
        ledger.begin(second)
        ledger.fail(second, failure)
    ledger.move(RequestStatus.FAILED)
    return second


async def weighed(
    ledger: Ledger, state: ActionState, look: LookResult | ApplicationError, **more: Any
) -> tuple[CheckedCorrection, list[ActionInput]]:
    """Return what follows of a look, and what it was given."""
    record = DecisionRecord(decision_id="d-1", decision="retry", at="2026-03-01", **more)
    corrected = new_request(title="new", size=7).context
    asked: list[ActionInput] = []

    def answer(given: ActionInput) -> LookResult:
        asked.append(given)
        if isinstance(look, ApplicationError):
            raise look
        return look

    checked = await run_workflow_code(
        lambda: check_former_effects(ledger, [state], record, corrected, waits=new_request().waits),
        {names.LOOK_ACTIVITY: answer},
    )
    return checked, asked


async def test_a_look_gets_what_its_action_would_and_what_earlier_attempts_were_sent(
    ledger: Ledger, state: ActionState
) -> None:
    state.pending, state.moves = Pending("follow", {"at": 5}), 3
    checked, [given] = await weighed(ledger, state, LookResult("absent"))
    assert (checked.refusal, checked.left_behind) == (None, [])
    assert given.context.fields == {"title": "new"}, "what it reads of the corrected fields"
    assert (given.action, given.run_id) == (ledger.plan["second"], RUN)
    assert (given.attempt, given.look_first, given.moves) == (2, True, 3)
    assert given.outputs == {"first": {"key": "NET-1"}}
    assert given.published == {"key": "NET-1"}
    assert (given.unclear, given.partial) == (False, [LEFT])
    assert given.earlier == state.pending
    assert given.former == [FormerCall(2, fields={"title": "old"})]


async def test_a_look_gets_the_calls_that_are_kept(ledger: Ledger, state: ActionState) -> None:
    state.former = [FormerCall(1, sealed="sealed")]
    _, [given] = await weighed(ledger, state, LookResult("absent"))
    assert given.former == state.former


@pytest.mark.parametrize(
    ("look", "found"),
    [
        (LookResult("absent", changed=True, moved=MOVED), None),
        (
            LookResult("found", ActionResult(external_reference="DB-7"), changed=True, moved=MOVED),
            PartialResource("jira-ticket", id="DB-7"),
        ),
    ],
)
async def test_what_a_correction_takes_elsewhere_is_left_behind(
    ledger: Ledger, state: ActionState, look: LookResult, found: PartialResource | None
) -> None:
    checked, _ = await weighed(ledger, state, look, leave_behind=True)
    assert checked.refusal is None
    assert checked.left_behind == [(state, "DB", found)]
    checked, _ = await weighed(ledger, state, look)
    assert checked.refusal is not None
    assert checked.left_behind == []


async def test_what_stays_in_its_place_is_not_left_behind(
    ledger: Ledger, state: ActionState
) -> None:
    checked, _ = await weighed(ledger, state, LookResult("absent", changed=True), leave_behind=True)
    assert (checked.refusal, checked.left_behind) == (None, [])


async def test_what_a_look_that_fails_would_have_found_is_unknown(
    ledger: Ledger, state: ActionState
) -> None:
    checked, _ = await weighed(ledger, state, ApplicationError("no worker looked"))
    assert checked.refusal is not None
    assert "could not be determined whether 'Ask for the second'" in checked.refusal.message
    assert "(no worker looked)" in checked.refusal.message
