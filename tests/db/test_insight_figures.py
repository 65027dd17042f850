"""What many requests tell together, counted from stored requests with known times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.repositories.insights import InsightsRepository, InsightsScope, ItemTimes
from db.repositories.request_visibility import Visibility
from db.session import Database
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import START, action, at, mirror, new_request, snapshot, store

ALL = Visibility(user_id="root", admin=True)
LONG_AGO = START - timedelta(days=1)


async def ended(
    db: Database, item: str, *, machine: float, human: float = 0.0, cause: str = "quota", **how: Any
) -> None:
    """Store a request that failed halfway where people are to have waited, and was retried."""
    request = new_request(item=item, **how)
    await store(db, request)
    await mirror(db, snapshot(request, RequestStatus.IN_PROGRESS, seq=1, seconds=0))
    half, last = machine / 2, machine + human
    if human:
        error = {"code": "ACTION_FAILED", "cause": cause, "message": "no"}
        failed = RequestStatus.FAILED
        await mirror(db, snapshot(request, failed, seq=2, seconds=half, error=error))
        again = snapshot(request, failed, seq=3, seconds=half + human, retrying=True)
        await mirror(db, again)
    await mirror(db, snapshot(request, RequestStatus.COMPLETED, seq=4, seconds=last))


def scope(**how: Any) -> InsightsScope:
    given: dict[str, Any] = {"visibility": ALL, "since": LONG_AGO} | how
    return InsightsScope(**given)


async def times(db: Database, given: InsightsScope) -> dict[str, ItemTimes]:
    async with db.reading() as session:
        return {one.item: one for one in await InsightsRepository(session).times(given)}


async def test_the_time_of_people_is_told_from_that_of_machines(db: Database) -> None:
    for human in (0, 0, 100, 1000):
        await ended(db, "database", machine=60, human=human)
    await ended(db, "bucket", machine=5)
    found = await times(db, scope())
    assert found["database"].requests == 4
    assert found["database"].machine == pytest.approx((60, 60))
    # percentile_cont interpolates: halfway between 0 and 100, and 0.7 of the way from 100 to 1000.
    assert found["database"].human == pytest.approx((50, 730))
    assert (found["bucket"].machine, found["bucket"].human) == ((5, 5), (0, 0))


async def test_only_what_the_reader_may_see_in_the_period_is_counted(db: Database) -> None:
    await ended(db, "database", machine=60, human=10, user="dana", owner="data")
    await ended(db, "database", machine=10, human=10, user="olga", owner="platform")
    dana = Visibility(user_id="dana")
    assert (await times(db, scope(visibility=dana)))["database"].machine[0] == 60
    assert (await times(db, scope(team="platform")))["database"].machine[0] == 10
    assert await times(db, scope(item="bucket")) == {}
    assert await times(db, scope(since=datetime.now(UTC) + timedelta(minutes=1))) == {}
    async with db.reading() as session:
        repository = InsightsRepository(session)
        assert [one.failures for one in await repository.failures(scope(visibility=dana))] == [1]
        assert await repository.failures(scope(item="bucket")) == []
        assert await repository.failures(scope(since=START + timedelta(days=1))) == []


async def test_failures_are_counted_by_item_and_cause(db: Database) -> None:
    await ended(db, "database", machine=60, human=10, cause="quota")
    await ended(db, "database", machine=60, human=10, cause="access")
    await ended(db, "database", machine=60, human=20, cause="quota")
    await ended(db, "bucket", machine=60)
    async with db.reading() as session:
        found = await InsightsRepository(session).failures(scope())
    assert {(one.item, one.cause): one.failures for one in found} == {
        ("database", "quota"): 2,
        ("database", "access"): 1,
    }


async def test_what_waits_is_counted_by_team_and_age(db: Database) -> None:
    now = datetime.now(UTC)
    for hours, team in ((0.5, "data"), (5, "data"), (50, "data"), (500, "platform")):
        request = new_request(owner=team)
        await store(db, request)
        seconds = (now - timedelta(hours=hours) - START).total_seconds()
        await mirror(db, snapshot(request, RequestStatus.FAILED, seq=1, seconds=seconds))
    # An approval of a component counts once, for the bundle.
    bundle = new_request(owner=None)
    child = new_request(parent=bundle.context.request_id)
    await store(db, bundle, child)
    await mirror(db, snapshot(bundle, RequestStatus.IN_PROGRESS, seq=1))
    since = at((now - timedelta(hours=2) - START).total_seconds())
    approval = {"kind": "approval", "since": since, "approvers": {"users": ["ann"], "teams": []}}
    waiting = [action(ActionStatus.WAITING, waiting=approval)]
    await mirror(db, snapshot(child, RequestStatus.IN_PROGRESS, seq=1, actions=waiting))
    async with db.reading() as session:
        found = {one.team: one for one in await InsightsRepository(session).waiting(scope())}

    def ages(team: str | None) -> tuple[int, ...]:
        row = found[team]
        return row.waiting, row.under_an_hour, row.under_a_day, row.under_a_week, row.longer

    assert {team: ages(team) for team in found} == {
        "data": (3, 1, 1, 1, 0),
        "platform": (1, 0, 0, 0, 1),
        None: (1, 0, 1, 0, 0),
    }
