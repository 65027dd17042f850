"""Runs of one request one after the other: which of them may write, and what."""

from dataclasses import replace

import asyncpg
import pytest

from db.repositories.requests import RequestsRepository
from db.session import Database
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
    new_request,
    snapshot,
    stored,
)

FINAL = [RequestStatus.COMPLETED, RequestStatus.ABORTED, RequestStatus.ESCALATED]


async def status_of(db: Database, request_id: str) -> RequestStatus:
    async with db.unit_of_work() as session:
        row = await RequestsRepository(session).get(request_id)
    assert row is not None
    return row.status


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
