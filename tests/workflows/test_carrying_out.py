"""How a decision is carried out: what is asked before a retry, and what is refused or left."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from pao.core import names
from pao.core.payloads.actions import (
    ActionInput,
    ActionResult,
    FormerCall,
    LookResult,
)
from pao.core.payloads.decisions import (
    Correction,
    CorrectionAnswer,
    DecisionRecord,
    EvidenceAnswer,
)
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.mirror import MirrorAnswer
from pao.core.payloads.tickets import Escalation
from pao.core.states import ActionStatus, RequestStatus
from tests.support.requests import Request, automatic, new_request, ticket
from tests.support.workflow_code import run_workflow_code
from workflows.decisions import Decider
from workflows.ledger import Ledger
from workflows.mirror import Mirror, SupersededError
from workflows.open_decisions import OpenDecisions
from workflows.stopping import Stop

LEFT = PartialResource("jira-ticket", id="NET-2")
CUT = ActionFailure(code="ACTION_FAILED", message="cut", outcome_unknown=True)
NO = ActionFailure(code="ACTION_FAILED", message="no", partial=[LEFT])
NEW = {"title": "new"}
AWAY = LookResult("unknown", changed=True, moved=["DB", "NET"])
TICKET = Escalation("OPS-1", "https://jira/OPS-1", "2026-03-01", "ann")
EXISTS = {"actionId": "first", "present": True}
ABSENT = {"actionId": "first", "present": False}
MOST_CHECKS = 3


@dataclass
class World:
    """What answers the activities, and what they were given."""

    correction: CorrectionAnswer | ApplicationError = field(
        default_factory=lambda: CorrectionAnswer(valid=True, fields=NEW, diff=NEW)
    )
    look: LookResult = field(default_factory=lambda: LookResult("absent"))
    applied: bool = True
    checked: list[Correction] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)

    def answers(self) -> dict[str, Callable[[Any], Any]]:
        """Return the activities by their names."""
        return {
            names.CHECK_CORRECTION_ACTIVITY: self._check,
            names.LOOK_ACTIVITY: self._look,
            names.EVIDENCE_ACTIVITY: lambda _: EvidenceAnswer(ActionResult(outputs={})),
            names.ESCALATE_ACTIVITY: lambda _: TICKET,
            names.MIRROR_ACTIVITY: lambda _: MirrorAnswer(applied=self.applied),
        }

    def _check(self, correction: Correction) -> CorrectionAnswer:
        self.checked.append(correction)
        assert len(self.checked) <= MOST_CHECKS, "a decision is taken up again and again"
        if isinstance(self.correction, ApplicationError):
            raise self.correction
        return self.correction

    def _look(self, given: ActionInput) -> LookResult:
        self.looked.append(given.action.id)
        return self.look


@pytest.fixture
def world() -> World:
    return World()


def record(decision: str = "retry", id_: str = "d-1", **more: Any) -> DecisionRecord:
    return DecisionRecord(decision_id=id_, decision=decision, at="2026-03-01", by="ann", **more)


def failed(request: Request, *failures: ActionFailure | None) -> Ledger:
    """Return the ledger of a request whose actions have failed so, or are completed."""
    ledger = Ledger(request.given, now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
    ledger.move(RequestStatus.IN_PROGRESS)
    for state, failure in zip(ledger.states, failures, strict=False):
        ledger.begin(state)
        if failure is None:
            ledger.succeed(state, ActionResult())
        else:
            ledger.fail(state, failure)
    ledger.move(RequestStatus.FAILED)
    return ledger


class Deciding:
    """A decider with what it works on; made within a workflow."""

    def __init__(self, ledger: Ledger, *, unchecked: bool = False) -> None:
        request = new_request()
        self.ledger = ledger
        self.open_decisions = OpenDecisions(ledger)
        self.mirror = Mirror(ledger, self.open_decisions, request.given)
        self.decider = Decider(
            ledger,
            open_decisions=self.open_decisions,
            mirror=self.mirror,
            stop=Stop(ledger, self.open_decisions),
            waits=request.waits,
            had_others=False,
            unchecked=unchecked,
            components=None,
        )

    async def carry_out(self, record: DecisionRecord, changes: dict[str, Any]) -> None:
        """Return when a decision is carried out, or refused."""
        self.open_decisions.evaluate(record, changes)
        deciding = asyncio.create_task(self.decider.wait_until_decided())
        await workflow.wait_condition(
            lambda: deciding.done() or self.open_decisions.current is None
        )
        deciding.cancel()
        self.open_decisions.finish("done")
        self.ledger.retrying = False


async def decided(
    ledger: Ledger,
    world: World,
    *records: DecisionRecord,
    changes: dict[str, Any] | None = None,
    unchecked: bool = False,
    markers: list[str] | None = None,
) -> None:
    """Carry out decisions, one after the other."""

    async def code() -> None:
        deciding = Deciding(ledger, unchecked=unchecked)
        for one in records:
            await deciding.carry_out(one, changes or {})

    await run_workflow_code(code, world.answers(), markers=markers)


@pytest.fixture
def doubtful() -> Ledger:
    """Return the ledger of a request of two actions in doubt; of the second no call was kept."""
    return failed(new_request(ticket("first"), ticket("second"), title="old"), CUT, NO)


async def test_what_cannot_be_checked_is_refused(world: World) -> None:
    ledger = failed(new_request(title="old"), NO)
    world.correction = ApplicationError("the worker is old")
    await decided(ledger, world, one := record(), changes=NEW)
    assert (one.outcome, one.message) == (
        "rejected",
        "the corrected fields could not be checked: the worker is old",
    )
    assert ledger.context.fields["title"] == "old"


async def test_the_fields_of_a_resumed_request_are_checked_once_without_corrections(
    world: World,
) -> None:
    world.correction = CorrectionAnswer(valid=True, fields=NEW)
    ledger = failed(new_request(title="old"), NO)
    await decided(ledger, world, record(), record(id_="d-2"), unchecked=True)
    assert [one.changes for one in world.checked] == [{}]
    assert ledger.context.fields == NEW
    await decided(ledger, world, record(id_="d-3"))
    assert len(world.checked) == 1


async def test_what_was_not_corrected_is_not_looked_for(world: World, doubtful: Ledger) -> None:
    world.correction = CorrectionAnswer(valid=True, fields=doubtful.context.fields)
    await decided(doubtful, world, one := record(), changes={"title": "old"})
    assert (one.outcome, world.looked) == ("done", [])


async def test_every_action_in_doubt_is_looked_for(world: World, doubtful: Ledger) -> None:
    first, second = doubtful.states
    await decided(doubtful, world, one := record(), changes=NEW)
    assert (one.outcome, world.looked) == ("done", ["first", "second"])
    assert first.former == [FormerCall(1, fields={"title": "old"})]
    assert second.former == [FormerCall(1, fields={"title": "old"})]
    assert doubtful.context.fields == NEW


async def test_what_somebody_has_looked_for_is_not_looked_for_again(
    world: World, doubtful: Ledger
) -> None:
    first, second = doubtful.states
    await decided(doubtful, world, one := record(evidence=ABSENT), changes=NEW)
    assert (one.outcome, world.looked) == ("done", ["second"])
    assert (first.former, second.former) == ([], [FormerCall(1, fields={"title": "old"})])


async def test_a_version_that_did_not_look_is_replayed_as_it_was(
    world: World, doubtful: Ledger
) -> None:
    await decided(doubtful, world, one := record(), changes=NEW, markers=[])
    assert (one.outcome, world.looked) == ("done", [])
    assert doubtful.context.fields == NEW


async def test_all_that_a_correction_leaves_behind_is_told(world: World, doubtful: Ledger) -> None:
    world.look = AWAY
    await decided(doubtful, world, one := record(leave_behind=True), changes=NEW)
    assert (one.details or {})["leftBehind"] == [
        {"actionId": "first", "place": "DB"},
        {"actionId": "second", "place": "DB"},
    ]
    assert [state.moves for state in doubtful.states] == [1, 1]


async def test_a_check_is_told_which_fields_the_actions_that_are_over_have_read(
    world: World,
) -> None:
    request = new_request(ticket("first"), ticket("second"), ticket("third"))
    for action in request.plan:
        action.cleanup = "Remove {{outputs.key}}."
    ledger = failed(request, CUT, None)
    ledger.skip(ledger.states[2], "it is not needed")
    await decided(ledger, world, record(evidence=ABSENT), changes=NEW)
    [checked] = world.checked
    _, second, third = request.plan
    assert checked.over == [
        replace(second, config={}, cleanup=None),
        replace(third, config={}, cleanup=None, reads=[]),
    ]
    assert second.reads == ["fields.title"]
    assert checked.retried == ["first"]


async def test_what_somebody_has_seen_is_over_as_well(world: World, doubtful: Ledger) -> None:
    await decided(doubtful, world, record(evidence=EXISTS), unchecked=True)
    assert [one.id for one in world.checked[-1].over] == ["first"]
    assert world.checked[-1].retried == ["second"]
    assert doubtful.states[0].status == ActionStatus.COMPLETED


@pytest.mark.parametrize(
    ("mode", "is_taken", "retried"),
    [
        (None, False, ["first", "second"]),
        ("manual", False, ["manual-by-hand"]),
        (None, True, ["manual-by-hand"]),
    ],
)
async def test_a_check_is_told_what_runs_of_the_way_that_a_retry_takes(
    world: World, mode: str | None, *, is_taken: bool, retried: list[str]
) -> None:
    actions = (ticket("first"), ticket("second"))
    ledger = failed(new_request(definition=automatic(*actions, manual=[ticket("by-hand")])), NO)
    if is_taken:
        ledger.use_fallback()
    await decided(ledger, world, one := record(mode=mode), changes=NEW)
    assert (one.outcome, world.checked[-1].retried) == ("done", retried)


async def test_the_ticket_that_carries_a_request_on_is_kept(world: World) -> None:
    ledger = failed(new_request(), NO)
    await decided(ledger, world, one := record("escalate"))
    assert (one.outcome, ledger.status) == ("done", RequestStatus.ESCALATED)
    assert ledger.escalation == TICKET


async def test_a_run_that_another_one_has_overtaken_waits_for_no_decision(world: World) -> None:
    ledger = failed(new_request(), NO)
    world.applied = False

    async def code() -> bool:
        deciding = Deciding(ledger)
        await deciding.mirror.write_from_handler()
        try:
            await deciding.decider.wait_until_decided()
        except SupersededError:
            return True
        return False

    assert await run_workflow_code(code, world.answers())
