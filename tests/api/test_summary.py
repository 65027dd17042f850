"""Where a request stands, in one sentence."""

from typing import Any
from uuid import UUID

import pytest

from api.requests.summary import SummaryInput, summary
from db.repositories.action_summaries import ActionSummary
from pao.core.components import COMPONENT
from pao.core.states import ActionStatus, RequestStatus

OWN, CHILD = UUID(int=1), UUID(int=2)
APPROVAL = {"kind": "approval", "approvers": {"users": ["ann"], "teams": ["team-data-lake"]}}
DONE = {"status": "Closed", "statusCategory": "done"}


def step(status: ActionStatus = ActionStatus.COMPLETED, **more: Any) -> ActionSummary:
    values: dict[str, Any] = {
        "request_id": OWN,
        "owner_team": "team-network",
        "action_id": "a",
        "type": "rest-api",
        "name": "Do it",
        "external_reference": None,
        "outcome_unknown": False,
        "waiting": None,
        "ticket_status": None,
    }
    return ActionSummary(status=status, **values | more)


def ticket(key: str, known: dict[str, Any] | None = None, **more: Any) -> ActionSummary:
    return step(type="jira-ticket", external_reference=key, ticket_status=known, **more)


def summarize(
    status: RequestStatus, *steps: ActionSummary, retrying: bool = False, **more: Any
) -> str:
    escalation = more.get("escalation")
    return summary(
        SummaryInput(
            request_id=OWN, status=status, retrying=retrying, escalation=escalation, steps=steps
        )
    )


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ((), "completed"),
        ((step(),), "completed"),
        ((ticket("NET-2"),), "completed: NET-2 was created for the network team"),
        (
            (ticket("NET-2", {"status": "To Do"}),),
            "completed: NET-2 is with the network team (To Do)",
        ),
        ((ticket("NET-2", DONE),), "completed: NET-2 is done (Closed)"),
        ((ticket("NET-2", {"gone": True}),), "completed: NET-2 no longer exists"),
        ((ticket("NET-2", owner_team=None),), "completed: NET-2 was created"),
        (
            (ticket("NET-2", {"status": "To Do"}, owner_team=None),),
            "completed: NET-2 is open (To Do)",
        ),
        ((ticket("NET-2", owner_team="sre"),), "completed: NET-2 was created for sre"),
        (
            (ticket("NET-2", DONE), ticket("DB-3", request_id=CHILD, owner_team="team-db")),
            "completed: NET-2 is done (Closed) and DB-3 was created for the db team",
        ),
        (
            tuple(ticket(f"N-{n}", {"status": "A"}, owner_team="net") for n in range(5)),
            "completed: N-0 is with net (A), N-1 is with net (A), N-2 is with net (A) and 2 more",
        ),
    ],
)
def test_a_completed_request_names_its_tickets(
    steps: tuple[ActionSummary, ...], sentence: str
) -> None:
    assert summarize(RequestStatus.COMPLETED, *steps) == sentence


def test_an_open_request_says_what_runs_and_what_it_waits_for() -> None:
    running = step(ActionStatus.IN_PROGRESS)
    assert summarize(RequestStatus.SUBMITTED) == "submitted: nothing has started yet"
    assert summarize(RequestStatus.IN_PROGRESS) == "in progress"
    assert summarize(RequestStatus.IN_PROGRESS, running) == 'in progress: "Do it" is running'
    asked = step(ActionStatus.WAITING, waiting=APPROVAL)
    assert summarize(RequestStatus.IN_PROGRESS, asked) == (
        "in progress: waits for approval by ann or the data lake team"
    )
    follows = step(ActionStatus.WAITING, waiting={"kind": "follow"})
    assert summarize(RequestStatus.IN_PROGRESS, follows) == (
        'in progress: "Do it" waits for its target'
    )
    waits = ticket("NET-2", status=ActionStatus.WAITING, waiting={"kind": "resolution"})
    assert summarize(RequestStatus.IN_PROGRESS, waits) == (
        "in progress: NET-2 was created for the network team"
    )
    part = step(ActionStatus.IN_PROGRESS, type=COMPONENT, name="Database")
    inner = step(ActionStatus.IN_PROGRESS, request_id=CHILD, name="inner")
    assert summarize(RequestStatus.IN_PROGRESS, part, inner) == 'in progress: "Database" is running'


def test_a_failed_request_says_that_it_waits_for_a_decision() -> None:
    failed = step(ActionStatus.FAILED)
    assert summarize(RequestStatus.FAILED) == "failed: waits for a decision"
    assert summarize(RequestStatus.FAILED, failed) == 'failed: waits for a decision about "Do it"'
    unknown = step(ActionStatus.FAILED, outcome_unknown=True)
    assert summarize(RequestStatus.FAILED, unknown) == (
        'failed: waits for a decision about "Do it", whose outcome is unknown'
    )
    again = step(ActionStatus.IN_PROGRESS)
    assert summarize(RequestStatus.FAILED, again, retrying=True) == (
        'failed, being retried: "Do it" is running'
    )


def test_a_request_that_was_given_up_says_where_it_goes_on() -> None:
    assert summarize(RequestStatus.ABORTED) == "aborted"
    assert summarize(RequestStatus.ESCALATED, ticket("NET-2"), escalation="OPS-1") == (
        "escalated: OPS-1 continues it and NET-2 was created for the network team"
    )
