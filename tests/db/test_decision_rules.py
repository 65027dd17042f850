"""What was recorded of a decision is never rewritten: by the mirror's write, nor by hand."""

from dataclasses import replace

import asyncpg
import pytest

from db.repositories.decisions import DecisionsRepository
from db.repositories.requests import RequestsRepository
from db.session import Database
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import PartialResource
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import action, at, decision, mirror, snapshot, stored


async def known(db: Database, request_id: str) -> list[DecisionRecord]:
    async with db.reading() as session:
        return await DecisionsRepository(session).list(request_id)


async def test_a_closed_decision_is_not_reopened_by_another_run(db: Database) -> None:
    request = await stored(db)
    told = decision("done", changes={"size": 9})
    await mirror(db, snapshot(request, seq=1, run="run-1", decisions=[told]))
    arrived = decision("open", changes=None)
    answer = await mirror(
        db, snapshot(request, seq=2, run="run-2", decisions=[replace(arrived, accepted=False)])
    )
    [before] = await known(db, request.context.request_id)
    assert (before.outcome, before.accepted, before.changes) == ("done", True, {"size": 9})
    assert answer.recorded == [before]


async def test_an_accepted_decision_does_not_become_one_that_has_just_arrived(
    db: Database,
) -> None:
    request = await stored(db)
    await mirror(db, snapshot(request, seq=1, run="run-1", decisions=[decision("open")]))
    arrived = replace(decision("open"), accepted=False)
    answer = await mirror(db, snapshot(request, seq=2, run="run-2", decisions=[arrived]))
    assert [(one.outcome, one.accepted) for one in answer.recorded] == [("open", True)]
    assert [one.accepted for one in await known(db, request.context.request_id)] == [True]


async def test_a_run_is_not_told_of_what_it_has_recorded_itself(db: Database) -> None:
    request = await stored(db)
    arrived = replace(decision("open"), accepted=False)
    first = await mirror(db, snapshot(request, seq=1, decisions=[arrived]))
    second = await mirror(db, snapshot(request, seq=2, decisions=[decision("open")]))
    assert (first.recorded, second.recorded) == ([], [])


async def test_another_run_takes_over_the_stored_fields_and_does_not_overwrite_them(
    db: Database,
) -> None:
    request = await stored(db)
    await mirror(db, replace(snapshot(request, seq=1, run="run-1"), fields={"size": 7}))
    after_reset = replace(snapshot(request, seq=2, run="run-2"), fields={"size": 1})
    answer = await mirror(db, after_reset)
    again = await mirror(db, after_reset)
    assert (answer.fields, again.fields) == ({"size": 7}, {"size": 7})
    async with db.reading() as session:
        row = await RequestsRepository(session).get(request.context.request_id)
    assert row is not None
    assert row.fields == {"size": 7}


async def test_a_correction_that_only_the_new_run_knows_is_kept(db: Database) -> None:
    request = await stored(db)
    await mirror(db, replace(snapshot(request, seq=1, run="run-1"), fields={"size": 1}))
    corrected = decision("open", changes={"size": {"old": 1, "new": 7}})
    answer = await mirror(
        db,
        replace(snapshot(request, seq=2, run="run-2", decisions=[corrected]), fields={"size": 7}),
    )
    assert answer.fields is None
    async with db.reading() as session:
        row = await RequestsRepository(session).get(request.context.request_id)
    assert row is not None
    assert row.fields == {"size": 7}


@pytest.mark.parametrize(
    "change",
    ["outcome = 'rejected', accepted = false", "by = 'mallory'", "changes = '{}'", "at = now()"],
)
async def test_the_services_role_cannot_rewrite_a_closed_decision(
    db: Database, service: asyncpg.Connection, change: str
) -> None:
    request = await stored(db)
    await mirror(db, snapshot(request, RequestStatus.FAILED, decisions=[decision("done")]))
    with pytest.raises(asyncpg.RestrictViolationError, match="never rewritten"):
        await service.execute("UPDATE decisions SET " + change)  # noqa: S608 -- a test's own


@pytest.mark.parametrize("change", ["by = 'mallory'", "via = 'temporal'", "accepted = false"])
async def test_of_an_open_decision_only_its_outcome_may_change(
    db: Database, service: asyncpg.Connection, change: str
) -> None:
    request = await stored(db)
    await mirror(db, snapshot(request, RequestStatus.FAILED, decisions=[decision("open")]))
    with pytest.raises(asyncpg.RestrictViolationError, match="never rewritten"):
        await service.execute("UPDATE decisions SET " + change)  # noqa: S608 -- a test's own


async def test_no_decision_is_removed_while_its_request_is_there(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    await mirror(db, snapshot(request, RequestStatus.FAILED, decisions=[decision("done")]))
    with pytest.raises(asyncpg.RestrictViolationError, match="as long as its request"):
        await owner.execute("DELETE FROM decisions")
    with pytest.raises(asyncpg.RestrictViolationError, match="never emptied"):
        await owner.execute("TRUNCATE decisions")


async def test_a_correction_that_another_run_has_followed_up_does_not_come_back(
    db: Database,
) -> None:
    request = await stored(db)
    first = decision("done", changes={"size": {"old": 1, "new": 7}})
    await mirror(db, replace(snapshot(request, seq=1, run="run-1", decisions=[first])))
    await mirror(db, replace(snapshot(request, seq=2, run="run-1"), fields={"size": 9}))
    again = snapshot(request, seq=3, run="run-2", decisions=[first])
    answer = await mirror(db, replace(again, fields={"size": 7}))
    assert answer.fields == {"size": 9}


async def test_what_attempts_of_another_run_may_have_left_is_taken_over(db: Database) -> None:
    request = await stored(db)
    left = PartialResource("jira-ticket", id="OPS-1")
    state = action(ActionStatus.FAILED, attempt=2, outcome_unknown=True, partial=[left])
    await mirror(db, snapshot(request, RequestStatus.FAILED, seq=1, run="run-1", actions=[state]))
    again = snapshot(request, RequestStatus.FAILED, seq=2, run="run-2", actions=[action()])
    answer = await mirror(db, again)
    assert [(one.id, one.partial) for one in answer.actions] == [("ticket", [left])]
    async with db.reading() as session:
        [row] = await RequestsRepository(session).get_actions(request.context.request_id)
    assert row.partial == [
        {"type": "jira-ticket", "id": "OPS-1", "url": None, "cleanup": None, "move": 0}
    ]
    assert row.outcome_unknown


async def test_an_action_that_is_over_takes_nothing_over(db: Database) -> None:
    request = await stored(db)
    left = PartialResource("jira-ticket", id="OPS-1")
    state = action(ActionStatus.FAILED, outcome_unknown=True, partial=[left])
    await mirror(db, snapshot(request, RequestStatus.FAILED, seq=1, run="run-1", actions=[state]))
    over = action(ActionStatus.COMPLETED)
    await mirror(db, snapshot(request, RequestStatus.FAILED, seq=2, run="run-2", actions=[over]))
    async with db.reading() as session:
        [row] = await RequestsRepository(session).get_actions(request.context.request_id)
    assert (row.partial, row.outcome_unknown) == ([], False)


async def test_a_run_whose_task_was_lost_finds_its_own_decision_and_carries_it_out(
    db: Database,
) -> None:
    request = await stored(db)
    failed, aborted = RequestStatus.FAILED, RequestStatus.ABORTED
    await mirror(db, snapshot(request, failed, seq=1))
    await mirror(db, snapshot(request, aborted, seq=2, decisions=[decision("done")]))
    arrived = replace(decision("open"), accepted=False)
    again = await mirror(db, snapshot(request, failed, seq=3, decisions=[arrived]))
    assert (again.applied, again.terminal, again.recorded) == (True, False, [])
    retried = await mirror(db, snapshot(request, failed, seq=4, retrying=True))
    assert (retried.applied, retried.terminal) == (False, True)
    ended = await mirror(db, snapshot(request, aborted, seq=5, decisions=[decision("done")]))
    assert (ended.applied, ended.terminal) == (True, False)
    [kept] = await known(db, request.context.request_id)
    assert (kept.outcome, kept.accepted) == ("done", True)


async def test_a_run_whose_task_was_lost_passes_through_what_came_before_its_end(
    db: Database,
) -> None:
    request = await stored(db)
    going, completed = RequestStatus.IN_PROGRESS, RequestStatus.COMPLETED
    running = action(ActionStatus.IN_PROGRESS, attempt=1)
    await mirror(db, snapshot(request, going, seq=1, actions=[running]))
    over = action(ActionStatus.COMPLETED, attempt=1)
    await mirror(db, snapshot(request, completed, seq=2, actions=[over]))

    again = await mirror(db, snapshot(request, going, seq=3, actions=[running]))
    assert (again.applied, again.terminal) == (True, False)
    anew = replace(running, attempt=2)
    refused = await mirror(db, snapshot(request, going, seq=4, actions=[anew]))
    assert (refused.applied, refused.terminal) == (False, True)
    other = await mirror(db, snapshot(request, going, seq=5, run="run-2", actions=[running]))
    assert (other.applied, other.terminal) == (False, True)
    async with db.reading() as session:
        [kept] = await RequestsRepository(session).get_actions(request.context.request_id)
    assert (kept.status, kept.attempt) == (ActionStatus.COMPLETED, 1)


async def test_a_failure_of_a_lost_task_is_told_again(db: Database) -> None:
    request = await stored(db)
    going, failed = RequestStatus.IN_PROGRESS, RequestStatus.FAILED
    waiting = action(ActionStatus.WAITING, attempt=1)
    await mirror(db, snapshot(request, going, seq=1, actions=[waiting]))
    over = action(ActionStatus.FAILED, attempt=1)
    await mirror(db, snapshot(request, failed, seq=2, actions=[over]))
    for number, (status, state) in enumerate(((going, waiting), (failed, over)), start=3):
        again = await mirror(db, snapshot(request, status, seq=number, actions=[state]))
        assert (again.applied, again.terminal) == (True, False)


async def test_fields_of_a_lost_task_stay_and_are_told_to_the_one_that_follows(
    db: Database,
) -> None:
    request = await stored(db)
    failed = RequestStatus.FAILED
    await mirror(db, snapshot(request, failed, seq=1))
    corrected = decision("open", changes={"size": {"old": 100, "new": 7}})
    lost = snapshot(request, failed, seq=2, after_at=at(1), after_seq=1, decisions=[corrected])
    await mirror(db, replace(lost, fields={"size": 7}))
    again = snapshot(request, failed, seq=3, after_at=at(1), after_seq=1)
    assert (await mirror(db, again)).fields == {"size": 7}
