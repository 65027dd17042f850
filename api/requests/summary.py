"""The state of a request in one sentence: the only place where it is built.

It names tickets and people, because a status alone misleads: a request is completed as soon as its
ticket exists, while the work is still to be done.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from api.requests.schemas import LiveTicket
from db.repositories.action_summaries import ActionSummary
from pao.core.payloads.waits import OpenApproval, read_wait
from pao.core.states import ActionStatus, RequestStatus

MOST_NAMED = 3
_TEAM = "team-"
_DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryInput:
    """What the sentence is made from.

    ``steps`` are the actions that run, wait or have failed, and the tickets; of a bundle those of
    its components as well.
    """

    request_id: UUID | str
    status: RequestStatus
    retrying: bool
    escalation: str | None
    steps: Sequence[ActionSummary]

    @property
    def own(self) -> list[ActionSummary]:
        """The request's own steps; of a bundle some of them represent components."""
        return [one for one in self.steps if str(one.request_id) == str(self.request_id)]

    @property
    def awaited(self) -> ActionSummary | None:
        """The step that a decision is awaited about: what failed first, else an approval."""
        if self.status == RequestStatus.FAILED and not self.retrying:
            return next((one for one in self.own if one.status == ActionStatus.FAILED), None)
        return next((one for one in self.steps if _approval(one)), None)


def summary(request: SummaryInput) -> str:
    """Return the sentence: the status, and who or what has the request now."""
    state = request.status.replace("_", " ")
    if request.retrying:
        state = "failed, being retried"
    facts = _join(_facts(request))
    return f"{state}: {facts}" if facts else state


def _facts(request: SummaryInput) -> Iterable[str]:
    if request.status == RequestStatus.SUBMITTED:
        return ["nothing has started yet"]
    if request.status == RequestStatus.IN_PROGRESS or request.retrying:
        running = [one for one in request.own if one.status == ActionStatus.IN_PROGRESS]
        waiting = [one for one in request.steps if one.status == ActionStatus.WAITING]
        return [*(f'"{one.name}" is running' for one in running), *map(_wait, waiting)]
    if request.status == RequestStatus.FAILED:
        return [_decision(request.awaited)]
    tickets = [_ticket(one) for one in request.steps if _has_ticket(one)]
    if request.escalation:
        return [f"{request.escalation} continues it", *tickets]
    return tickets


def _decision(step: ActionSummary | None) -> str:
    about = f' about "{step.name}"' if step else ""
    unknown = ", whose outcome is unknown" if step and step.outcome_unknown else ""
    return f"waits for a decision{about}{unknown}"


def _wait(step: ActionSummary) -> str:
    approval = _approval(step)
    if approval is not None:
        people = [*approval.approvers.users, *map(team_name, approval.approvers.teams)]
        return f"waits for approval by {_join(people, last=' or ')}"
    return _ticket(step) if _has_ticket(step) else f'"{step.name}" waits for its target'


def _has_ticket(step: ActionSummary) -> bool:
    return step.type == "jira-ticket" and bool(step.external_reference)


def _ticket(step: ActionSummary) -> str:
    ticket = step.ticket_status or {}
    key, status = step.external_reference, ticket.get("status")
    if ticket.get("gone"):
        return f"{key} no longer exists"
    with_status = f" ({status})" if status else ""
    if ticket.get("statusCategory") == _DONE:
        return f"{key} is done{with_status}"
    team = team_name(step.owner_team) if step.owner_team else None
    if not status:
        # JIRA does not return the status of a new ticket, and it was not queried since.
        return f"{key} was created for {team}" if team else f"{key} was created"
    return f"{key} is {f'with {team}' if team else 'open'}{with_status}"


def _approval(step: ActionSummary) -> OpenApproval | None:
    wait = read_wait(step.waiting) if step.status == ActionStatus.WAITING else None
    return wait if isinstance(wait, OpenApproval) else None


def with_live_status(
    steps: Sequence[ActionSummary], tickets: Sequence[LiveTicket]
) -> list[ActionSummary]:
    """Return the steps with what JIRA says of their tickets now."""
    live = {one.key: one for one in tickets if one.live}
    return [
        replace(
            step,
            ticket_status={
                "status": live[step.external_reference].status,
                "statusCategory": live[step.external_reference].status_category,
            },
        )
        if step.external_reference in live
        else step
        for step in steps
    ]


def team_name(team: str) -> str:
    """Return the name of a team in a sentence: ``team-network`` is "the network team"."""
    name = team.removeprefix(_TEAM)
    return f"the {name.replace('-', ' ')} team" if name and name != team else team


def _join(parts: Iterable[str], *, last: str = " and ") -> str:
    names = list(dict.fromkeys(parts))
    if len(names) > MOST_NAMED:
        names = [*names[:MOST_NAMED], f"{len(names) - MOST_NAMED} more"]
    return last.join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
