"""Requests to end what runs: which are accepted, how they end, and what is said of them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure
from pao.core.states import RequestStatus
from tests.support.requests import new_request, ticket
from workflows.ledger import Ledger
from workflows.open_decisions import OpenDecisions
from workflows.stopping import CANCELLED, NOTHING_RUNS, TOO_LATE, Stop

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger() -> Ledger:
    """Return that of a request whose first action runs."""
    ledger = Ledger(new_request(ticket("first")).given, now=lambda: START)
    ledger.move(RequestStatus.IN_PROGRESS)
    ledger.begin(ledger.states[0])
    return ledger


@pytest.fixture
def stop(ledger: Ledger) -> Stop:
    return Stop(ledger, OpenDecisions(ledger))


def record(id_: str = "c-1", **more: Any) -> DecisionRecord:
    told = {"by": "ann", "reason": "it hangs", **more}
    return DecisionRecord(decision_id=id_, decision="cancel", at="2026-03-01", **told)


def test_what_runs_is_ended_once_and_the_outcome_is_told(ledger: Ledger, stop: Stop) -> None:
    one, other = record(), record("c-2")
    stop.evaluate(one)
    assert (one.accepted, one.outcome, stop.record, stop.is_requested) == (True, "open", one, True)
    assert not stop.allows_start
    stop.evaluate(other)
    assert (other.accepted, other.outcome) == (False, "rejected")
    assert "already in progress" in (other.message or "")
    assert stop.accept_cancellation()
    stop.finish(TOO_LATE)
    assert (one.outcome, one.message, stop.record) == ("done", TOO_LATE, None)
    stop.finish()
    assert [(line.event_type, line.actor) for line in ledger.journal.unconfirmed_lines()[-2:]] == [
        ("request.cancel", "ann"),
        ("decision.rejected", "ann"),
    ]
    ended = [one.data for one in ledger.journal.unconfirmed_entries() if one.kind == "decision"]
    assert [(one["outcome"], one["message"]) for one in ended][-1] == ("done", TOO_LATE)


def test_there_is_nothing_to_end_at_rest_but_a_retry_may_be(ledger: Ledger, stop: Stop) -> None:
    ledger.fail(ledger.states[0], ActionFailure(code="ACTION_FAILED", message="no"))
    ledger.move(RequestStatus.FAILED)
    stop.evaluate(refused := record())
    assert (refused.outcome, refused.message) == ("rejected", NOTHING_RUNS)
    ledger.retrying = True
    stop.evaluate(late := record("c-2", attempt=7))
    assert "made for attempt 7" in (late.message or "")
    stop.evaluate(unreadable := record("c-3", message="not an object"))
    assert (unreadable.accepted, unreadable.message) == (False, "not an object")
    stop.evaluate(accepted := record("c-4", attempt=1))
    assert accepted.accepted


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("it hangs", "Cancelled by ann: it hangs."),
        ("Enough!", "Cancelled by ann: Enough!"),
        ("Why?", "Cancelled by ann: Why?"),
        ("It hangs.", "Cancelled by ann: It hangs."),
        (None, "Cancelled by ann."),
    ],
)
def test_who_ended_it_is_said_in_a_sentence(stop: Stop, reason: str | None, said: str) -> None:
    assert stop.describe() == CANCELLED
    stop.evaluate(record(reason=reason))
    assert stop.describe() == said
