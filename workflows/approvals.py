"""Open approvals: who may vote, who has voted, and the outcome.

Votes come in by signal_handlers.py; waiting.py waits for the decision and watches the deadline.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pao.core.payloads.actions import ActionState
from pao.core.payloads.context import Requester
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.waits import Approvers, OpenApproval, Vote
from pao.core.states import ApprovalVote
from pao.core.timestamps import timestamp
from workflows.commands import Voter
from workflows.ledger import Ledger

# At most this many reminders: a wait of a year with one a day.
MOST_REMINDERS = 400
DEADLINE_ACTOR = "deadline"


@dataclass
class Approval:
    """One approval: its rules as rendered, and the votes so far."""

    action_id: str
    rules: dict[str, Any]
    opened: datetime
    votes: list[Vote] = field(default_factory=list)
    decision: str | None = None
    reminders: int = 0
    overdue: bool = False

    @property
    def minimum(self) -> int:
        """The number of people who must approve."""
        return int(self.rules.get("minimum") or 1)

    @property
    def deadline(self) -> datetime | None:
        """The time after which votes no longer count, if there is one."""
        seconds = self.rules.get("deadline")
        return self.opened + timedelta(seconds=seconds) if seconds else None

    def next_alarm(self, now: datetime) -> timedelta | None:
        """Return the time until the next reminder or the deadline; None for never."""
        moments = [] if self.deadline is None or self.overdue else [self.deadline]
        every = self.rules.get("remindEvery")
        if every and self.reminders < MOST_REMINDERS:
            moments.append(self.opened + timedelta(seconds=every * (self.reminders + 1)))
        return max(min(moments) - now, timedelta(milliseconds=1)) if moments else None

    def apply_due(self, now: datetime) -> bool:
        """Apply a due reminder or deadline; return whether people must be reminded."""
        if self.deadline is None or self.overdue or now < self.deadline:
            self.reminders += 1
            return True
        self.overdue = True
        outcome = self.rules.get("onDeadline") or "reject"
        if outcome == "remind":
            return True
        kind = ApprovalVote.APPROVE if outcome == "approve" else ApprovalVote.REJECT
        self.votes.append(Vote(DEADLINE_ACTOR, kind, timestamp(now), "the deadline has passed"))
        self.decision = kind
        return False

    def count(self, record: DecisionRecord) -> str | None:
        """Count a vote; return how many there are while more are needed."""
        self.votes.append(
            Vote(record.by, record.decision, record.at, record.reason, via=record.via)
        )
        approvals = sum(vote.decision == ApprovalVote.APPROVE for vote in self.votes)
        if record.decision == ApprovalVote.REJECT:
            self.decision = ApprovalVote.REJECT
        elif approvals >= self.minimum:
            self.decision = ApprovalVote.APPROVE
        else:
            return f"{approvals} of {self.minimum} approvals"
        return None

    def to_open_approval(self) -> OpenApproval:
        """Return the approval as it is stored and shown."""
        return OpenApproval(
            kind="approval",
            since=timestamp(self.opened),
            deadline=timestamp(self.deadline) if self.deadline else None,
            on_deadline=self.rules.get("onDeadline"),
            message=self.rules.get("message"),
            approvers=Approvers(
                users=list(self.rules.get("users") or ()), teams=list(self.rules.get("teams") or ())
            ),
            minimum=self.minimum,
            allow_self=bool(self.rules.get("allowSelf")),
            decisions=list(self.votes),
        )


class OpenApprovals:
    """Counts votes on open approvals, and remembers how each approval ended."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._open: dict[str, Approval] = {}
        self._ended: dict[str, str] = {}

    def open(self, state: ActionState, rules: dict[str, Any], now: datetime) -> Approval:
        """Open an approval for an action; an earlier one of the same action is forgotten."""
        approval = Approval(state.id, rules, now)
        self._open[state.id] = approval
        return approval

    def close(self, approval: Approval, outcome: str) -> None:
        """Close an approval; later votes are refused with its outcome."""
        self._open.pop(approval.action_id, None)
        self._ended[approval.action_id] = outcome

    def evaluate(self, record: DecisionRecord, voter: Voter, now: datetime) -> None:
        """Count a vote, or refuse it with the reason."""
        approval = self._approval_of(voter)
        if record.message is None:
            record.message = self._objection(record, voter, approval, now)
        if record.message or approval is None:
            self._ledger.decisions.record_refusal(record)
            return
        record.message = approval.count(record)
        record.accepted, record.outcome = True, "done"
        self._ledger.decisions.record_vote(record, approval.action_id)
        self._ledger.record_votes(approval.action_id, approval.to_open_approval())

    def count_again(self, record: DecisionRecord, voter: Voter, now: datetime) -> bool:
        """Count a vote that a reset replays, if the same approval is still open.

        Its record stays as it is. An approval that this run has reopened needs new votes: people
        approve what they see. Returns whether the vote counted.
        """
        approval = self._approval_of(voter)
        if not record.accepted or approval is None or timestamp(approval.opened) > record.at:
            return False
        if self._objection(record, voter, approval, now):
            return False
        approval.count(record)
        self._ledger.record_votes(approval.action_id, approval.to_open_approval())
        return True

    def _approval_of(self, voter: Voter) -> Approval | None:
        if voter.action_id is None and len(self._open) == 1:
            return next(iter(self._open.values()))
        return self._open.get(voter.action_id or "")

    def _objection(
        self, record: DecisionRecord, voter: Voter, approval: Approval | None, now: datetime
    ) -> str | None:
        if approval is None:
            return self._not_open_message(voter.action_id)
        if approval.decision is not None:
            return "it has already been decided"
        if approval.deadline is not None and now >= approval.deadline and not approval.overdue:
            return f"its deadline has passed, {timestamp(approval.deadline)}"
        if not _is_approver(record.by, voter, approval.rules):
            return f"{record.by} is not one of its approvers: {_names(approval.rules)}"
        requester = self._ledger.context.requester
        if _is_requester(record.by, voter, requester) and not approval.rules.get("allowSelf"):
            return "requesters cannot decide about their own requests; ask another approver"
        earlier = next((vote for vote in approval.votes if vote.by == record.by), None)
        return f"{record.by} has already decided: {earlier.decision}" if earlier else None

    def _not_open_message(self, action_id: str | None) -> str:
        if action_id in self._ended:
            return f"{action_id} no longer waits for approval: {self._ended[action_id or '']}"
        waiting = ", ".join(self._open) or "none"
        if action_id is None:
            return f"name the action by actionId; waiting for an approval: {waiting}"
        statuses: dict[str, str] = {state.id: state.status for state in self._ledger.states}
        return (
            f"{action_id} is {statuses.get(action_id, 'unknown')}; "
            f"waiting for an approval: {waiting}"
        )


def _is_approver(by: str, voter: Voter, rules: dict[str, Any]) -> bool:
    users = set(rules.get("users") or ())
    teams = set(rules.get("teams") or ())
    return bool({by, voter.email} & users) or not teams.isdisjoint(voter.teams)


def _is_requester(by: str, voter: Voter, requester: Requester) -> bool:
    own = {requester.id, requester.email} - {None}
    return bool({by, voter.email} & own)


def _names(rules: dict[str, Any]) -> str:
    users = list(rules.get("users") or ())
    return ", ".join([*users, *(f"team {team}" for team in rules.get("teams") or ())])
