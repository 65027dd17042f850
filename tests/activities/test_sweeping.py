from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.sweeper import Sweeper
from db.repositories.requests import NewRequest, RequestsRepository
from db.session import Database as Session
from pao.clients.temporal import RequestWorkflows
from tests.support.postgres import Database
from tests.support.requests import Request, new_request
from tests.support.worker import Workbench, eventually, workbench

AT_ONCE = timedelta(seconds=-5)


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    async with workbench(database, temporal_address, tmp_path) as running:
        yield running


@pytest.fixture
async def session(database: Database) -> AsyncIterator[Session]:
    opened = Session(database.service_url)
    yield opened
    await opened.close()


def sweeper(bench: Workbench, session: Session, *, sweep_after: timedelta = AT_ONCE) -> Sweeper:
    workflows = RequestWorkflows(bench.client, task_queue=bench.settings.temporal.task_queue)
    return Sweeper(session, workflows, sweep_after=sweep_after)


async def stored(session: Session) -> Request:
    request = new_request()
    async with session.unit_of_work() as unit:
        await RequestsRepository(unit).insert(
            NewRequest(context=request.context, plan=request.plan)
        )
    return request


async def test_a_request_that_was_stored_but_never_started_is_started_once(
    bench: Workbench, session: Session
) -> None:
    request = await stored(session)

    assert await sweeper(bench, session).sweep() == 1
    await eventually(lambda: is_completed(bench, request))
    assert await sweeper(bench, session).sweep() == 0
    assert len(bench.tickets(request)) == 1


async def test_two_sweeps_at_once_make_one_ticket(bench: Workbench, session: Session) -> None:
    request = await stored(session)
    first, second = sweeper(bench, session), sweeper(bench, session)

    await first.sweep()
    await second.sweep()
    await eventually(lambda: is_completed(bench, request))

    assert len(bench.tickets(request)) == 1


async def test_a_request_that_is_just_being_submitted_is_left_alone(
    bench: Workbench, session: Session
) -> None:
    await stored(session)

    assert await sweeper(bench, session, sweep_after=timedelta(seconds=20)).sweep() == 0


async def test_a_request_that_cannot_be_started_does_not_hold_up_the_others(
    bench: Workbench, session: Session
) -> None:
    bad = new_request(title="x" * 2_500_000)  # More than Temporal takes in one payload.
    async with session.unit_of_work() as unit:
        await RequestsRepository(unit).insert(NewRequest(context=bad.context, plan=bad.plan))
    good = await stored(session)

    assert await sweeper(bench, session).sweep() == 1
    await eventually(lambda: is_completed(bench, good))


async def is_completed(bench: Workbench, request: Request) -> bool:
    return bool((await bench.row(request))["status"] == "completed")
