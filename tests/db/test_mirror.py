from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

from db.repositories.decisions import DecisionsRepository
from db.repositories.events import EventsRepository
from db.repositories.requests import RequestsRepository
from db.session import Database
from pao.core.documents import to_document
from pao.core.payloads.failures import ActionFailure
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import (
    ESCALATION,
    action,
    at,
    audit,
    brought_to,
    decision,
    entry,
    mirror,
    snapshot,
    stored,
)

FINAL = [RequestStatus.COMPLETED, RequestStatus.ABORTED, RequestStatus.ESCALATED]


async def test_a_write_stores_everything_that_the_snapshot_tells(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db, actions=("ticket", "mail"))
    failure = ActionFailure(code="ACTION_FAILED", message="no", outcome_unknown=True)
    await mirror(db, snapshot(request, seq=1, actions=[action()]))
    answer = await mirror(
        db,
        snapshot(
            request,
            RequestStatus.FAILED,
            seq=2,
            retrying=True,
            actions=[
                action(ActionStatus.FAILED, error=failure, started_at=at(1), finished_at=at(2)),
                action(ActionStatus.PENDING, id_="mail", index=1, attempt=0),
            ],
            error={"code": "ACTION_FAILED", "message": "no"},
            error_context={"suggestedDecision": "retry"},
            decisions=[decision(changes={"size": [100, 50]})],
            audit=[audit(1)],
            stream=[entry(2), entry(3, "log")],
        ),
    )
    assert answer.applied
    assert not answer.terminal
    assert answer.started_actions == ["ticket"]
    request_id = request.context.request_id
    async with db.unit_of_work() as session:
        row = await RequestsRepository(session).get(request_id)
        actions = await RequestsRepository(session).get_actions(request_id)
        found = await DecisionsRepository(session).find(request_id, "d-1")
        events = await EventsRepository(session).page(request_id)
    assert row is not None
    assert (row.status, row.retrying, row.run_id) == (RequestStatus.FAILED, True, "run-1")
    assert row.error_context == {"suggestedDecision": "retry"}
    assert row.settled_at is not None
    assert [(one.action_id, one.status) for one in actions] == [
        ("ticket", ActionStatus.FAILED),
        ("mail", ActionStatus.PENDING),
    ]
    assert actions[0].outcome_unknown
    assert actions[0].error == to_document(failure)
    assert actions[0].config == {"n": 0}
    assert [one.ever_started for one in actions] == [True, False]
    assert found == decision(changes={"size": [100, 50]})
    assert [(one.kind, one.data.get("n")) for one in events] == [
        ("state", None),
        ("state", 2),
        ("log", 3),
    ]
    line = await owner.fetchrow("SELECT * FROM audit_logs WHERE run_id = 'run-1'")
    assert line is not None
    assert line["correlation_id"] == UUID(request.context.correlation_id)
    assert line["source_system"] == "workflow"


async def test_the_same_snapshot_twice_counts_both_times_and_changes_nothing(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    given = snapshot(
        request, actions=[action()], audit=[audit(1)], stream=[entry(1)], decisions=[decision()]
    )
    first = await mirror(db, given)
    before = await owner.fetchrow("SELECT * FROM requests")
    # Only a write that changes the row tells the time of the change.
    assert await mirror(db, given) == replace(first, updated_at=None)
    assert first.started_actions == []
    assert await owner.fetchrow("SELECT * FROM requests") == before
    assert await owner.fetchval("SELECT count(*) FROM audit_logs WHERE run_id IS NOT NULL") == 1
    assert await owner.fetchval("SELECT count(*) FROM request_events") == 2


@pytest.mark.parametrize("status", FINAL)
async def test_the_last_snapshot_twice_counts_both_times(
    db: Database, status: RequestStatus
) -> None:
    request = await brought_to(db, status)
    ticket = ESCALATION if status is RequestStatus.ESCALATED else None
    seq = 2 if status is RequestStatus.COMPLETED else 3
    answer = await mirror(db, snapshot(request, status, seq=seq, escalation=ticket))
    assert (answer.applied, answer.terminal) == (True, False)


async def test_the_time_counts_before_the_number(db: Database) -> None:
    request = await stored(db)
    await mirror(db, snapshot(request, seq=9, seconds=1))
    answer = await mirror(db, snapshot(request, RequestStatus.FAILED, seq=1, seconds=2))
    assert answer.applied


async def test_a_decision_moves_from_open_to_done(db: Database) -> None:
    request = await brought_to(db, RequestStatus.FAILED)
    await mirror(db, snapshot(request, RequestStatus.FAILED, seq=3, decisions=[decision("open")]))
    await mirror(
        db, snapshot(request, RequestStatus.COMPLETED, seq=4, decisions=[decision("done")])
    )
    async with db.unit_of_work() as session:
        found = await DecisionsRepository(session).list(request.context.request_id)
        missing = await DecisionsRepository(session).find(request.context.request_id, "other")
    assert [one.outcome for one in found] == ["done"]
    assert missing is None


async def test_started_actions_are_those_of_earlier_writes_and_stay_started(db: Database) -> None:
    request = await stored(db, actions=("ticket", "mail"))
    first = await mirror(db, snapshot(request, seq=1, actions=[action()]))
    second = await mirror(
        db,
        snapshot(
            request,
            seq=2,
            actions=[action(ActionStatus.COMPLETED), action(id_="mail", index=1)],
        ),
    )
    pending = [
        action(ActionStatus.PENDING, attempt=0),
        action(ActionStatus.PENDING, id_="mail", index=1, attempt=0),
    ]
    reset = await mirror(db, snapshot(request, seq=1, seconds=60, run="run-2", actions=pending))
    assert first.started_actions == []
    assert second.started_actions == ["ticket"]
    assert reset.started_actions == ["ticket", "mail"]


async def test_the_first_settling_is_kept(db: Database, owner: asyncpg.Connection) -> None:
    request = await brought_to(db, RequestStatus.FAILED)
    settled = await owner.fetchval("SELECT settled_at FROM requests")
    await mirror(db, snapshot(request, RequestStatus.COMPLETED, seq=3))
    assert await owner.fetchval("SELECT settled_at FROM requests") == settled


async def test_an_escalated_request_keeps_its_ticket(db: Database) -> None:
    request = await brought_to(db, RequestStatus.ESCALATED)
    async with db.unit_of_work() as session:
        row = await RequestsRepository(session).get(request.context.request_id)
    assert row is not None
    assert (row.escalation_ticket_key, row.escalated_by) == ("OPS-1", "dana")
    assert row.escalation_reason == "nobody answers"


async def test_a_state_that_the_table_forbids_is_a_loud_bug(db: Database) -> None:
    request = await stored(db)
    with pytest.raises(IntegrityError, match="cannot go from submitted to completed"):
        await mirror(db, snapshot(request, RequestStatus.COMPLETED))


async def test_what_postgres_cannot_keep_as_json_does_not_stop_a_write(db: Database) -> None:
    request = await stored(db)
    outputs = {"nul": "a\0b", "half": "\ud800", "number": float("nan"), "\0": "\\u0000"}
    await mirror(
        db,
        snapshot(request, actions=[action(outputs=outputs)], audit=[audit(1, "x\0y")]),
    )
    async with db.unit_of_work() as session:
        actions = await RequestsRepository(session).get_actions(request.context.request_id)
    assert actions[0].outputs == {
        "nul": "a\N{REPLACEMENT CHARACTER}b",
        "half": "?",
        "number": None,
        "\N{REPLACEMENT CHARACTER}": "\\u0000",
    }


async def test_the_last_write_brings_the_results_of_its_actions(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    await mirror(db, snapshot(request, actions=[action()]))
    done = action(ActionStatus.COMPLETED, external_reference="OPS-1", outputs={"key": "OPS-1"})
    await mirror(db, snapshot(request, RequestStatus.COMPLETED, seq=2, actions=[done]))
    row = await owner.fetchrow("SELECT status, external_reference FROM request_actions")
    assert row is not None
    assert tuple(row) == ("completed", "OPS-1")


async def test_a_retrys_write_answers_the_same_when_it_is_executed_again(db: Database) -> None:
    request = await stored(db)
    await mirror(db, snapshot(request, seq=1, actions=[action()]))
    await mirror(
        db, snapshot(request, RequestStatus.FAILED, seq=2, actions=[action(ActionStatus.FAILED)])
    )
    retry = snapshot(
        request, RequestStatus.FAILED, seq=3, retrying=True, actions=[action(attempt=2)]
    )
    first, second = await mirror(db, retry), await mirror(db, retry)
    assert second == replace(first, updated_at=None)
    assert first.started_actions == ["ticket"]
