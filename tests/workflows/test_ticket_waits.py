"""Which action a resolved ticket is about: the one that waits for a ticket now."""

from datetime import UTC, datetime

import pytest

from pao.core.payloads.actions import ActionResult
from pao.core.payloads.tickets import TicketResolved
from pao.core.payloads.waits import OpenWait
from pao.core.states import ActionStatus, RequestStatus
from tests.support.requests import new_request, ticket
from workflows.approvals import OpenApprovals
from workflows.ledger import Ledger
from workflows.mirror import Mirror
from workflows.notifications import Notices
from workflows.open_decisions import OpenDecisions
from workflows.stopping import Stop
from workflows.waiting import ActionWaits

SINCE = "2026-03-01T12:00:00.000Z"


@pytest.fixture
def ledger() -> Ledger:
    """Return that of a request whose two actions are at work."""
    request = new_request(ticket("first"), ticket("second"))
    ledger = Ledger(request.given, now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
    ledger.move(RequestStatus.IN_PROGRESS)
    for state in ledger.states:
        ledger.begin(state)
    return ledger


def is_about(ledger: Ledger, resolved: TicketResolved) -> bool:
    """Return whether an action waits for the end of this ticket."""
    request, decisions = new_request(), OpenDecisions(ledger)
    waiting = ActionWaits(
        ledger,
        approvals=OpenApprovals(ledger),
        notices=Notices((), ledger, Mirror(ledger, decisions, request.given)),
        stop=Stop(ledger, decisions),
        waits=request.waits,
    )
    return waiting.ticket_resolved(resolved)


@pytest.mark.parametrize(
    ("kind", "resolved", "is_about_it"),
    [
        ("resolution", TicketResolved("second"), True),
        ("resolution", TicketResolved("second", since=SINCE), True),
        ("resolution", TicketResolved("second", since="2026-02-28T12:00:00.000Z"), False),
        ("resolution", TicketResolved("first"), False),
        ("resolution", TicketResolved("third"), False),
        ("follow", TicketResolved("second"), False),
        ("approval", TicketResolved("second", since=SINCE), False),
        (None, TicketResolved("second"), False),
    ],
)
def test_a_ticket_ends_the_wait_that_it_is_about(
    ledger: Ledger, kind: str | None, resolved: TicketResolved, *, is_about_it: bool
) -> None:
    if kind is not None:
        result = ActionResult(external_reference="NET-1")
        ledger.wait(ledger.states[1], result, OpenWait(kind, SINCE))
    assert is_about(ledger, resolved) is is_about_it


def test_a_ticket_ends_no_wait_that_a_lost_workflow_has_left(ledger: Ledger) -> None:
    _, second = ledger.states
    ledger.wait(second, ActionResult(external_reference="NET-1"), OpenWait("resolution", SINCE))
    second.status = ActionStatus.FAILED
    assert not is_about(ledger, TicketResolved("second"))
