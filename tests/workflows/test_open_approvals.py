"""Open approvals alone: who may vote, when a vote counts, and what a deadline decides."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.waits import Approvers, OpenApproval, Vote
from pao.core.timestamps import timestamp
from tests.support.requests import new_request, ticket
from workflows.approvals import DEADLINE_ACTOR, MOST_REMINDERS, Approval, OpenApprovals
from workflows.commands import Voter
from workflows.ledger import Ledger

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = START + timedelta(seconds=30)
USERS = {"users": ["ann", "bob@example.com"], "teams": ["ops"]}


@pytest.fixture
def ledger() -> Ledger:
    """Return that of a request of dana's, whose email is dana@example.com."""
    return Ledger(new_request(ticket("first"), ticket("second")).given, now=lambda: START)


@pytest.fixture
def approvals(ledger: Ledger) -> OpenApprovals:
    return OpenApprovals(ledger)


def vote(by: str = "ann", kind: str = "approve", **more: Any) -> DecisionRecord:
    told = {"decision_id": f"{by}-{kind}", "at": timestamp(LATER), "via": "api", "by": by}
    return DecisionRecord(decision=kind, **{**told, **more})


def rules(**more: Any) -> dict[str, Any]:
    return {**USERS, **more}


@pytest.mark.parametrize(
    ("person", "allow_self", "refused"),
    [
        (("ann", Voter()), False, None),
        (("b", Voter(email="bob@example.com")), False, None),
        (("cem", Voter(teams=("net", "ops"))), False, None),
        (("eve", Voter()), False, "is not one of its approvers: ann, bob@example.com, team ops"),
        (("eve", Voter(email="eve@example.com", teams=("net",))), False, "eve is not one of its"),
        (("dana", Voter(teams=("ops",))), False, "requesters cannot decide about their own"),
        (("d", Voter(teams=("ops",), email="dana@example.com")), False, "requesters cannot"),
        (("dana", Voter(teams=("ops",))), True, None),
        (("dana", Voter()), True, "dana is not one of its approvers"),
    ],
)
def test_only_approvers_vote_and_requesters_only_where_the_item_allows_it(
    ledger: Ledger,
    approvals: OpenApprovals,
    *,
    person: tuple[str, Voter],
    allow_self: bool,
    refused: str | None,
) -> None:
    by, voter = person
    approval = approvals.open(ledger.states[0], rules(minimum=2, allowSelf=allow_self), START)
    record = vote(by)
    approvals.evaluate(record, voter, LATER)
    if refused is None:
        assert (record.accepted, record.outcome) == (True, "done")
        assert (record.message, len(approval.votes)) == ("1 of 2 approvals", 1)
    else:
        assert (record.accepted, record.outcome, approval.votes) == (False, "rejected", [])
        assert refused in (record.message or "")


def test_an_approval_is_decided_by_enough_people_each_once(
    ledger: Ledger, approvals: OpenApprovals
) -> None:
    first = ledger.states[0]
    approval = approvals.open(first, rules(minimum=2), START)
    approvals.evaluate(vote(reason="fine"), Voter(), LATER)
    again = vote(kind="reject", decision_id="again")
    approvals.evaluate(again, Voter(), LATER)
    assert (again.message, approval.decision) == ("ann has already decided: approve", None)
    last = vote("cem")
    approvals.evaluate(last, Voter(teams=("ops",)), LATER)
    assert (approval.decision, last.message) == ("approve", None)
    late = vote("bob@example.com", "reject")
    approvals.evaluate(late, Voter(), LATER)
    assert late.message == "it has already been decided"
    assert approval.votes == [
        Vote("ann", "approve", timestamp(LATER), "fine", via="api"),
        Vote("cem", "approve", timestamp(LATER), via="api"),
    ]
    assert ledger.states[0].waiting is not None
    assert [one["by"] for one in ledger.states[0].waiting["decisions"]] == ["ann", "cem"]
    lines = [
        line for line in ledger.journal.unconfirmed_lines() if line.event_type[:9] == "approval."
    ]
    assert [(one.actor, one.action_id) for one in lines] == [("ann", "first"), ("cem", "first")]


def test_one_rejection_decides(ledger: Ledger, approvals: OpenApprovals) -> None:
    approval = approvals.open(ledger.states[0], rules(minimum=3), START)
    approvals.evaluate(vote(), Voter(), LATER)
    approvals.evaluate(vote("cem", "reject"), Voter(teams=("ops",)), LATER)
    assert approval.decision == "reject"


def test_a_vote_that_could_not_be_read_or_proven_does_not_count(
    ledger: Ledger, approvals: OpenApprovals
) -> None:
    approval = approvals.open(ledger.states[0], rules(), START)
    record = vote(message="it was not sent by the API")
    approvals.evaluate(record, Voter(), LATER)
    assert (record.accepted, record.outcome) == (False, "rejected")
    assert (record.message, approval.votes) == ("it was not sent by the API", [])


def test_a_vote_names_its_action_where_several_wait(
    ledger: Ledger, approvals: OpenApprovals
) -> None:
    first, second = ledger.states
    one = approvals.open(first, rules(), START)
    approvals.evaluate(vote(), Voter(action_id="second"), LATER)
    assert one.votes == []
    other = approvals.open(second, rules(), START)
    unnamed = vote(decision_id="unnamed")
    approvals.evaluate(unnamed, Voter(), LATER)
    told = "name the action by actionId; waiting for an approval: first, second"
    assert (unnamed.message, one.votes, other.votes) == (told, [], [])
    approvals.evaluate(vote(decision_id="named"), Voter(action_id="second"), LATER)
    assert (one.votes, len(other.votes)) == ([], 1)
    approvals.close(other, "It was approved by ann")
    approvals.evaluate(vote(decision_id="the only one"), Voter(), LATER)
    assert len(one.votes) == 1


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (None, "name the action by actionId; waiting for an approval: none"),
        ("first", "first no longer waits for approval: It was approved by ann"),
        ("second", "second is skipped; waiting for an approval: none"),
        ("third", "third is unknown; waiting for an approval: none"),
    ],
)
def test_a_vote_for_nothing_is_told_so(
    ledger: Ledger, approvals: OpenApprovals, action: str | None, told: str
) -> None:
    ledger.skip(ledger.states[1], "not needed")
    approvals.close(approvals.open(ledger.states[0], rules(), START), "It was approved by ann")
    record = vote()
    approvals.evaluate(record, Voter(action_id=action), LATER)
    assert (record.message, record.accepted) == (told, False)


def test_an_approval_that_is_asked_anew_forgets_the_former_one(
    ledger: Ledger, approvals: OpenApprovals
) -> None:
    first = ledger.states[0]
    former = approvals.open(first, rules(), START)
    approvals.close(former, "It was rejected by ann")
    approval = approvals.open(first, rules(), START)
    approvals.evaluate(vote(), Voter(action_id="first"), LATER)
    assert (former.votes, len(approval.votes)) == ([], 1)


@pytest.mark.parametrize(
    ("record", "opened", "counts"),
    [
        (vote(accepted=True), START, True),
        (vote(accepted=True), LATER, True),
        (vote(accepted=False), START, False),
        (vote(accepted=True), LATER + timedelta(seconds=1), False),
        (vote("eve", accepted=True), START, False),
    ],
)
def test_a_vote_of_an_earlier_run_counts_for_the_same_approval_only(
    ledger: Ledger,
    approvals: OpenApprovals,
    *,
    record: DecisionRecord,
    opened: datetime,
    counts: bool,
) -> None:
    assert not approvals.count_again(record, Voter(), LATER), "none is open"
    approval = approvals.open(ledger.states[0], rules(minimum=2, deadline=60), opened)
    assert approvals.count_again(record, Voter(), LATER) is counts
    assert len(approval.votes) == counts
    shown = ledger.states[0].waiting
    assert len(shown["decisions"] if shown else []) == counts


DEADLINE = START + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("at", "overdue", "counts"),
    [
        (DEADLINE - timedelta(seconds=1), False, True),
        (DEADLINE, False, False),
        (DEADLINE, True, True),
    ],
)
def test_no_vote_counts_after_the_deadline_unless_it_only_reminds(
    ledger: Ledger, approvals: OpenApprovals, *, at: datetime, overdue: bool, counts: bool
) -> None:
    approval = approvals.open(ledger.states[0], rules(deadline=60, minimum=2), START)
    approval.overdue = overdue
    record = vote()
    approvals.evaluate(record, Voter(), at)
    assert record.accepted is counts
    if not counts:
        assert record.message == f"its deadline has passed, {timestamp(DEADLINE)}"


@pytest.mark.parametrize(
    ("outcome", "decision", "reminds"),
    [
        (None, "reject", False),
        ("reject", "reject", False),
        ("approve", "approve", False),
        ("remind", None, True),
    ],
)
def test_the_deadline_decides_as_the_item_says(
    outcome: str | None, decision: str | None, *, reminds: bool
) -> None:
    approval = Approval("first", rules(deadline=60, onDeadline=outcome), START)
    assert approval.apply_due(DEADLINE) is reminds
    assert (approval.decision, approval.overdue, approval.reminders) == (decision, True, 0)
    told = Vote(DEADLINE_ACTOR, decision or "", timestamp(DEADLINE), "the deadline has passed")
    assert approval.votes == ([told] if decision else [])
    assert approval.next_alarm(DEADLINE) is None
    assert approval.apply_due(DEADLINE) is True, "later alarms are reminders"


def test_people_are_reminded_until_the_deadline() -> None:
    approval = Approval("first", rules(deadline=60, remindEvery=25), START)
    assert approval.next_alarm(START) == timedelta(seconds=25)
    assert approval.apply_due(START + timedelta(seconds=25)) is True
    assert (approval.reminders, approval.overdue, approval.decision) == (1, False, None)
    assert approval.next_alarm(START + timedelta(seconds=25)) == timedelta(seconds=25)
    approval.apply_due(START + timedelta(seconds=50))
    assert approval.next_alarm(START + timedelta(seconds=50)) == timedelta(seconds=10)
    assert approval.next_alarm(DEADLINE) == timedelta(milliseconds=1)
    endless = Approval("first", rules(remindEvery=25), START, reminders=MOST_REMINDERS - 1)
    assert endless.next_alarm(START) == timedelta(seconds=25 * MOST_REMINDERS)
    endless.reminders += 1
    assert endless.next_alarm(START) is None
    quiet = Approval("first", rules(), START)
    assert (quiet.next_alarm(START), quiet.deadline, quiet.minimum) == (None, None, 1)


def test_readers_see_the_rules_and_the_votes() -> None:
    given = rules(minimum=2, deadline=60, onDeadline="remind", message="May I?", allowSelf=True)
    approval = Approval("first", given, START)
    approval.count(vote())
    assert approval.to_open_approval() == OpenApproval(
        kind="approval",
        since=timestamp(START),
        deadline=timestamp(DEADLINE),
        on_deadline="remind",
        message="May I?",
        approvers=Approvers(users=["ann", "bob@example.com"], teams=["ops"]),
        minimum=2,
        allow_self=True,
        decisions=[Vote("ann", "approve", timestamp(LATER), via="api")],
    )
    bare = Approval("first", {}, START).to_open_approval()
    assert bare == OpenApproval(kind="approval", since=timestamp(START), minimum=1)
