"""Which action a resolved ticket is about: the one that waits for a ticket now."""

from datetime import UTC, datetime

import pytest

from pao.core.payloads.actions import ActionResult
from pao.core.payloads.tickets import TicketResolved
from pao.core.payloads.waits import OpenWait
from pao.core.states import RequestStatus
from tests.support.requests import new_request, ticket
from workflows.approvals import OpenApprovals
from workflows.ledger import Ledger
from workflows.mirror import Mirror
from workflows.notifications import Notices
from workflows.open_decisions import OpenDecisions
from workflows.stopping import Stop
from workflows.waiting import Waiting

SINCE = "2026-03-01T12:00:00.000Z"


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
    kind: str | None, resolved: TicketResolved, *, is_about_it: bool
) -> None:
    request = new_request(ticket("first"), ticket("second"))
    ledger = Ledger(request.given, now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
    decisions = OpenDecisions(ledger)
    waiting = Waiting(
        ledger,
        approvals=OpenApprovals(ledger),
        notices=Notices(request.plan, ledger, Mirror(ledger, decisions, request.given)),
        stop=Stop(ledger, decisions),
        waits=request.waits,
    )
    ledger.move(RequestStatus.IN_PROGRESS)
    first, second = ledger.states
    ledger.begin(first)
    ledger.begin(second)
    if kind is not None:
        ledger.wait(second, ActionResult(external_reference="NET-1"), OpenWait(kind, SINCE))
    assert waiting.ticket_resolved(resolved) is is_about_it
