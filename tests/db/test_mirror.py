from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

from db.repositories.decisions import DecisionsRepository
from db.repositories.events import EventsRepository
from db.repositories.requests import RequestsRepository
from db.session import Database
from pao.core.documents import to_document
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.mirror import AuditEvent, StreamEvent
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import (
    ESCALATION,
    action,
    at,
    brought_to,
    mirror,
    new_request,
    snapshot,
    stored,
)

FINAL = [RequestStatus.COMPLETED, RequestStatus.ABORTED, RequestStatus.ESCALATED]


def audit(seq: int, event_type: str = "request.in_progress", **more: Any) -> AuditEvent:
    return AuditEvent(seq=seq, at=at(seq), event_type=event_type, actor="workflow", **more)


def entry(seq: int, kind: str = "state", **more: Any) -> StreamEvent:
    return StreamEvent(seq=seq, at=at(seq), kind=kind, data={"n": seq}, **more)


def decision(outcome: str = "open", id_: str = "d-1", **more: Any) -> DecisionRecord:
    return DecisionRecord(
        decision_id=id_,
        decision="retry",
        at=at(2),
        by="dana",
        via="api",
        accepted=outcome != "rejected",
        outcome=outcome,
        **more,
    )


async def status_of(db: Database, request_id: str) -> RequestStatus:
    async with db.unit_of_work() as session:
        row = await RequestsRepository(session).get(request_id)
    assert row is not None
    return row.status


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


async def test_an_older_snapshot_changes_no_state_but_its_facts_are_kept(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    await mirror(db, snapshot(request, seq=2, actions=[action(ActionStatus.FAILED)]))
    await mirror(db, snapshot(request, RequestStatus.FAILED, seq=3, decisions=[decision("done")]))
    answer = await mirror(
        db,
        snapshot(
            request,
            seq=1,
            actions=[action()],
            audit=[audit(1)],
            stream=[entry(1)],
            decisions=[decision("open"), decision("rejected", "d-2")],
        ),
    )
    assert (answer.applied, answer.terminal) == (False, False)
    assert await status_of(db, request.context.request_id) is RequestStatus.FAILED
    assert await owner.fetchval("SELECT status FROM request_actions") == "failed"
    outcomes = await owner.fetch("SELECT decision_id, outcome FROM decisions ORDER BY 1")
    assert [tuple(row) for row in outcomes] == [("d-1", "done"), ("d-2", "rejected")]
    sources = await owner.fetch("SELECT source_system FROM audit_logs WHERE run_id IS NOT NULL")
    assert [row["source_system"] for row in sources] == ["superseded"]
    assert await owner.fetchval("SELECT count(*) FROM request_events WHERE run_id <> 'api'") == 0


async def test_an_older_snapshot_after_the_end_is_no_news_to_its_own_run(db: Database) -> None:
    request = await brought_to(db, RequestStatus.COMPLETED)
    answer = await mirror(db, snapshot(request, seq=1, actions=[action()]))
    assert (answer.applied, answer.terminal) == (False, False)
    assert await status_of(db, request.context.request_id) is RequestStatus.COMPLETED


async def test_the_time_counts_before_the_number(db: Database) -> None:
    request = await stored(db)
    await mirror(db, snapshot(request, seq=9, seconds=1))
    answer = await mirror(db, snapshot(request, RequestStatus.FAILED, seq=1, seconds=2))
    assert answer.applied


@pytest.mark.parametrize("status", FINAL)
async def test_a_new_run_of_a_finished_request_is_told_to_stop(
    db: Database, owner: asyncpg.Connection, status: RequestStatus
) -> None:
    request = await brought_to(db, status)
    answer = await mirror(
        db,
        snapshot(
            request, seq=9, run="run-2", actions=[action()], audit=[audit(9)], stream=[entry(9)]
        ),
    )
    assert (answer.applied, answer.terminal) == (False, True)
    assert await status_of(db, request.context.request_id) is status
    assert await owner.fetchval("SELECT run_id FROM requests") == "run-1"
    assert await owner.fetchval("SELECT source_system FROM audit_logs WHERE seq = 9") == (
        "superseded"
    )


async def test_a_request_that_does_not_exist_stops_its_workflow(db: Database) -> None:
    answer = await mirror(db, snapshot(new_request()))
    assert (answer.applied, answer.terminal) == (False, True)


async def test_a_straggler_of_the_old_run_loses_after_a_reset(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db, actions=("ticket", "mail"))
    await mirror(db, snapshot(request, seq=1, actions=[action()]))
    await mirror(db, snapshot(request, seq=1, seconds=10, run="run-2", actions=[action()]))
    mail = action(id_="mail", index=1)
    answer = await mirror(
        db, snapshot(request, RequestStatus.FAILED, seq=7, seconds=5, actions=[action(), mail])
    )
    assert (answer.applied, answer.terminal) == (False, False)
    assert await owner.fetchval("SELECT run_id FROM requests") == "run-2"
    assert await status_of(db, request.context.request_id) is RequestStatus.IN_PROGRESS
    following = await mirror(db, snapshot(request, seq=2, seconds=11, run="run-2"))
    assert following.started_actions == ["ticket", "mail"]


async def test_the_run_that_ended_a_request_may_still_append_what_it_heard(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await brought_to(db, RequestStatus.COMPLETED)
    answer = await mirror(
        db,
        snapshot(
            request,
            RequestStatus.COMPLETED,
            seq=3,
            decisions=[decision("rejected")],
            audit=[audit(5, "decision.rejected")],
            stream=[entry(6, "decision")],
        ),
    )
    assert (answer.applied, answer.terminal) == (True, False)
    assert await owner.fetchval("SELECT outcome FROM decisions") == "rejected"
    assert await owner.fetchval("SELECT count(*) FROM request_events WHERE seq = 6") == 1
    assert await owner.fetchval("SELECT mirror_seq FROM requests") == 2


async def test_the_run_that_ended_a_request_cannot_open_it_again(db: Database) -> None:
    request = await brought_to(db, RequestStatus.ABORTED)
    retried = await mirror(db, snapshot(request, RequestStatus.FAILED, seq=8, retrying=True))
    assert (retried.applied, retried.terminal) == (False, True)
    waits = await mirror(db, snapshot(request, RequestStatus.FAILED, seq=9))
    assert (waits.applied, waits.terminal) == (True, False)
    assert await status_of(db, request.context.request_id) == RequestStatus.ABORTED


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


async def test_a_new_run_cannot_finish_a_request_again_or_rewrite_its_decisions(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await brought_to(db, RequestStatus.FAILED)
    await mirror(db, snapshot(request, RequestStatus.ABORTED, seq=3, decisions=[decision("done")]))
    again = snapshot(
        request, RequestStatus.ABORTED, seq=9, run="run-2", decisions=[decision("failed")]
    )
    answer = await mirror(db, again)
    assert (answer.applied, answer.terminal) == (False, True)
    assert await owner.fetchval("SELECT outcome FROM decisions") == "done"


async def test_a_task_that_is_run_again_and_tells_other_things_loses_no_line(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    told = [audit(1, "action.failed", occurrence=0), audit(2, "request.failed", occurrence=0)]
    await mirror(db, snapshot(request, seq=1, audit=told, stream=[entry(3, occurrence=0)]))
    again = [audit(1, "decision.rejected", occurrence=0), *told[:1], *told[1:]]
    numbered = [replace(line, seq=seq) for seq, line in enumerate(again, start=1)]
    entries = [entry(3, "log", occurrence=0), replace(entry(3, occurrence=0), seq=4)]
    await mirror(db, snapshot(request, seq=1, seconds=9, audit=numbered, stream=entries))
    lines = "SELECT event_type FROM audit_logs WHERE run_id = 'run-1' ORDER BY id"
    assert [row[0] for row in await owner.fetch(lines)] == [
        "action.failed",
        "request.failed",
        "decision.rejected",
    ]
    kinds = "SELECT kind FROM request_events WHERE run_id = 'run-1' ORDER BY id"
    assert [row[0] for row in await owner.fetch(kinds)] == ["state", "log"]


async def test_the_same_said_twice_is_two_lines_and_the_same_told_twice_is_one(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    lines = [audit(1, occurrence=0), audit(2, occurrence=1)]
    await mirror(db, snapshot(request, seq=1, audit=lines))
    await mirror(db, snapshot(request, seq=2, audit=lines))
    assert await owner.fetchval("SELECT count(*) FROM audit_logs WHERE run_id = 'run-1'") == 2


async def test_a_line_of_an_earlier_version_is_known_by_its_number(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    await mirror(db, snapshot(request, seq=1, audit=[audit(1)], stream=[entry(2)]))
    line, said = audit(1, occurrence=0), entry(2, occurrence=0)
    await mirror(db, snapshot(request, seq=2, audit=[line], stream=[said]))
    await mirror(db, snapshot(request, seq=3, audit=[audit(1)], stream=[entry(2)]))
    assert await owner.fetchval("SELECT count(*) FROM audit_logs WHERE run_id = 'run-1'") == 1
    assert await owner.fetchval("SELECT count(*) FROM request_events WHERE run_id = 'run-1'") == 1


async def test_a_row_that_its_run_had_written_before_is_absent_not_ended(db: Database) -> None:
    request = new_request()
    answer = await mirror(db, snapshot(request, seq=2, after_at=at(1), after_seq=1))
    assert (answer.applied, answer.terminal, answer.absent) == (False, False, True)


@pytest.mark.parametrize("final", FINAL)
@pytest.mark.parametrize("before", [RequestStatus.SUBMITTED, RequestStatus.IN_PROGRESS])
async def test_an_older_row_goes_where_its_workflow_has_gone_meanwhile(
    db: Database, before: RequestStatus, final: RequestStatus
) -> None:
    request = await stored(db)
    if before != RequestStatus.SUBMITTED:
        await mirror(db, snapshot(request, before, seq=1))
    escalation = ESCALATION if final == RequestStatus.ESCALATED else None
    last = snapshot(request, final, seq=9, after_at=at(8), after_seq=8, escalation=escalation)
    answer = await mirror(db, last)
    assert (answer.applied, answer.behind) == (True, True)
    assert await status_of(db, request.context.request_id) == final
    assert not (await mirror(db, last)).behind
