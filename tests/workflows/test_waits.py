"""How a wait ends, and what people are told of it, in Temporal's own runtime."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from pao.core import names
from pao.core.payloads.actions import ActionInput, ActionResult, ActionState
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.tickets import TicketResolved
from pao.core.payloads.waits import Pending
from pao.core.states import ActionStatus
from tests.support.history_replay import ActivityAnswer, replay_code
from tests.support.requests import Document, Request, item, new_request, ticket
from workflows.approvals import OpenApprovals
from workflows.commands import Voter
from workflows.ledger import Ledger
from workflows.mirror import Mirror
from workflows.notifications import Notices
from workflows.open_decisions import OpenDecisions
from workflows.stopping import Stop
from workflows.waiting import ActionWaits, WaitFailedError

NOTICE: Document = {
    "type": "notification",
    "name": "To the team",
    "config": {"url": "http://127.0.0.1:9/hook", "text": "{{fulfillment.event}}"},
}
MADE: Document = {"external_reference": "NET-1", "url": "https://jira/NET-1"}
RULES: Document = {"users": ["ann", "bob"], "minimum": 2}
RESOLVED = TicketResolved("ask", mapped_status="completed", status="Done", resolution="Fixed")


def asking() -> Request:
    definition = item([ticket("ask")])
    definition["fulfillment"] |= {"onWaiting": [NOTICE]}
    return new_request(definition=definition)


@dataclass
class Parts:
    """The parts of a request that works on its only action."""

    request: Request = field(default_factory=asking)

    def __post_init__(self) -> None:
        request = self.request
        self.ledger = Ledger(request.given)
        decisions = OpenDecisions(self.ledger)
        self.approvals = OpenApprovals(self.ledger)
        self.stop = Stop(self.ledger, decisions)
        self.waiting = ActionWaits(
            self.ledger,
            approvals=self.approvals,
            notices=Notices(
                request.plan, self.ledger, Mirror(self.ledger, decisions, request.given)
            ),
            stop=self.stop,
            waits=request.waits,
        )

    @property
    def state(self) -> ActionState:
        return self.ledger.states[0]

    async def wait(self, kind: str, **state: Any) -> ActionResult:
        """Begin the action, and wait for what it still waits for."""
        self.ledger.begin(self.state)
        given = ActionInput(self.request.context, self.request.plan[0])
        result = ActionResult(pending=Pending(kind, state), **MADE)
        return await self.waiting.until_done(self.state, given, result)

    async def failure(self, kind: str, **state: Any) -> ActionFailure:
        """Return how a wait fails."""
        with pytest.raises(WaitFailedError) as failed:
            await self.wait(kind, **state)
        return failed.value.failure

    async def has_begun(self) -> None:
        await workflow.wait_condition(lambda: self.state.status == ActionStatus.WAITING)

    def cancel(self) -> None:
        record = DecisionRecord("c-1", "cancel", "2026-03-01", by="ann", reason="it hangs")
        self.ledger.retrying = True
        self.stop.evaluate(record)

    def vote(self, by: str, decision: str = "approve") -> DecisionRecord:
        record = DecisionRecord(by, decision, "2026-03-01", by=by)
        self.approvals.evaluate(record, Voter("ask"), workflow.now())
        return record


async def test_a_wait_that_no_worker_knew_leaves_its_effect_in_doubt() -> None:
    unknown = ApplicationError("follow is not registered", type="NotFoundError")
    played = await replay_code(
        lambda: Parts().failure("follow"), ActivityAnswer(names.FOLLOW_ACTIVITY, unknown)
    )
    [failure] = played.results
    assert failure.outcome_unknown
    assert failure.message.startswith("No worker supports this action type")


async def test_a_target_that_has_told_its_end_is_not_asked_to_stop() -> None:
    async def code() -> ActionFailure:
        return await parts.failure("follow")

    parts = Parts()
    ended = ApplicationError("it was stopped", type="ActionFailed", non_retryable=True)
    answer = ActivityAnswer(names.FOLLOW_ACTIVITY, ended, signalled=True)
    played = await replay_code(code, answer, on_signal=parts.cancel)
    [failure] = played.results
    assert failure.message == "Cancelled by ann: it hangs. it was stopped"
    assert not failure.outcome_unknown
    assert not played.inputs(names.STOP_TARGET_ACTIVITY)


async def test_a_target_whose_wait_nobody_began_is_asked_to_stop() -> None:
    async def code() -> None:
        parts = Parts()
        waits = asyncio.create_task(parts.wait("follow"))
        await parts.has_begun()
        parts.cancel()
        await waits

    played = await replay_code(code)
    assert len(played.inputs(names.STOP_TARGET_ACTIVITY)) == 1


@pytest.mark.parametrize(
    ("kind", "rules", "what"),
    [("resolution", {}, "the end of NET-1"), ("approval", RULES, "an approval")],
)
async def test_a_wait_that_is_cut_says_by_whom_and_what_it_was_for(
    kind: str, rules: dict[str, Any], what: str
) -> None:
    async def code() -> ActionFailure:
        parts = Parts()
        failed = asyncio.create_task(parts.failure(kind, **rules))
        await parts.has_begun()
        parts.cancel()
        return await failed

    [failure] = (await replay_code(code)).results
    assert failure.message == f"Cancelled by ann: it hangs. It was waiting for {what}."


async def test_people_are_told_of_a_wait_for_a_ticket_and_where_it_is() -> None:
    async def code() -> None:
        parts = Parts()
        assert not parts.waiting.has_news
        waits = asyncio.create_task(parts.wait("resolution"))
        await parts.has_begun()
        assert parts.waiting.has_news
        await waits

    [told] = (await replay_code(code)).inputs("notification")
    about = {"action": "Ask for the ask", "actionId": "ask", "event": "waiting"}
    where = {"externalReference": "NET-1", "url": "https://jira/NET-1"}
    nothing = {"deadline": None, "message": None}
    assert told["published"] == {**about, **where, **nothing, "kind": "resolution"}


async def test_nobody_is_told_that_a_target_is_at_work() -> None:
    assert not (await replay_code(lambda: Parts().wait("follow"))).inputs("notification")


async def until_told(told: TicketResolved) -> ActionResult:
    """Wait for a ticket's end, and be told of it."""
    parts = Parts()
    waits = asyncio.create_task(parts.wait("resolution"))
    await parts.has_begun()
    assert parts.waiting.ticket_resolved(told)
    return await waits


async def test_how_a_ticket_ended_is_known_to_later_actions() -> None:
    [result] = (await replay_code(lambda: until_told(RESOLVED))).results
    assert result.outputs == {"status": "Done", "resolution": "Fixed"}
    assert (result.pending, result.external_reference) == (None, "NET-1")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"resolution": "Won't Do", "status": "Done"}, "resolved as Won't Do,"),
        ({"status": "Done"}, "resolved as Done,"),
        ({}, "resolved as resolved,"),
    ],
)
async def test_a_ticket_that_will_not_be_done_says_how_it_ended(told: Document, said: str) -> None:
    async def code() -> str:
        with pytest.raises(WaitFailedError) as failed:
            await until_told(TicketResolved("ask", mapped_status="failed", **told))
        return failed.value.failure.message

    [message] = (await replay_code(code)).results
    assert said in message


async def test_what_was_told_of_an_earlier_wait_does_not_end_the_next_one() -> None:
    async def code() -> bool:
        parts = Parts()
        first = asyncio.create_task(parts.wait("resolution"))
        await parts.has_begun()
        assert parts.waiting.ticket_resolved(RESOLVED)
        await first
        assert parts.waiting.ticket_resolved(RESOLVED), "told twice, before the end is recorded"
        again = asyncio.create_task(parts.wait("resolution"))
        await workflow.wait_condition(lambda: parts.state.attempt == 2)
        await parts.has_begun()
        begun_anew = not again.done()
        assert parts.waiting.ticket_resolved(RESOLVED)
        await again
        return begun_anew

    assert (await replay_code(code)).results == [True]


@pytest.mark.parametrize(
    ("votes", "said"),
    [
        (["approve", "approve"], "It was approved by bob"),
        (["approve", "reject"], "It was rejected by bob"),
        (["approve"], "the wait was ended"),
        ([], "the wait was ended"),
    ],
)
async def test_a_late_vote_is_told_how_the_approval_ended(votes: list[str], said: str) -> None:
    async def code() -> str | None:
        parts = Parts()
        waits = asyncio.create_task(parts.wait("approval", **RULES))
        await parts.has_begun()
        for by, decision in zip(("ann", "bob"), votes, strict=False):
            assert parts.vote(by, decision).accepted
        if len(votes) < RULES["minimum"]:
            parts.cancel()
        await asyncio.wait([waits])
        return parts.vote("eve").message

    [message] = (await replay_code(code)).results
    assert message == f"ask no longer waits for approval: {said}"
