import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from db.repositories.request_filters import RequestFilters, Sort
from db.repositories.request_pages import (
    PageKey,
    RequestPagesRepository,
    RequestSummary,
    page_query,
)
from db.repositories.request_visibility import Visibility
from db.repositories.requests import NewRequest
from db.session import Database
from pao.core.failure_classes import Cause
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import (
    START,
    action,
    at,
    brought_to,
    mirror,
    new_request,
    snapshot,
    store,
    stored,
)

ADMIN = Visibility(user_id="root", admin=True)
ALL = RequestFilters()


async def read(
    db: Database,
    filters: RequestFilters = ALL,
    visibility: Visibility = ADMIN,
    *,
    limit: int = 50,
) -> list[RequestSummary]:
    """Read all pages."""
    rows: list[RequestSummary] = []
    after: PageKey | None = None
    while True:
        async with db.unit_of_work() as session:
            page = await RequestPagesRepository(session).list_page(
                filters, visibility, after=after, limit=limit
            )
        assert len(page.rows) <= limit
        rows += page.rows
        after = page.next_key
        if after is None:
            return rows


async def ids(
    db: Database, filters: RequestFilters = ALL, visibility: Visibility = ADMIN, *, limit: int = 50
) -> list[str]:
    return [row.id for row in await read(db, filters, visibility, limit=limit)]


async def test_requests_are_listed_newest_first(db: Database) -> None:
    made = await store(db, *(new_request(created=second) for second in (2, 0, 1)))
    assert await ids(db) == [made[0], made[2], made[1]]


async def test_a_listed_request_shows_its_short_form(db: Database) -> None:
    request = await brought_to(db, RequestStatus.IN_PROGRESS)
    (row,) = await read(db)
    assert (row.id, row.status, row.retrying) == (
        request.context.request_id,
        RequestStatus.IN_PROGRESS,
        False,
    )
    assert (row.catalog_item_id, row.user_id) == ("database-standard", "dana")
    assert row.correlation_id == request.context.correlation_id
    assert row.created_at == START


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize(
    "visibility", [ADMIN, Visibility(user_id="dana", teams=("orders", "platform"))]
)
async def test_pages_of_any_size_show_every_request_once(
    db: Database, limit: int, visibility: Visibility
) -> None:
    # All were created in the same two moments, so that the id has to tell them apart.
    made = await store(db, *(new_request(created=number % 2) for number in range(7)))
    found = await ids(db, visibility=visibility, limit=limit)
    assert sorted(found) == sorted(made)
    assert found == await ids(db, visibility=visibility)


async def test_rows_inserted_while_paging_are_neither_skipped_nor_shown_twice(
    db: Database,
) -> None:
    made = await store(db, *(new_request(created=number) for number in range(6)))
    for visibility in (ADMIN, Visibility(user_id="dana", teams=("orders",))):
        async with db.unit_of_work() as session:
            first = await RequestPagesRepository(session).list_page(ALL, visibility, limit=3)
        await store(db, *(new_request(created=100 + number) for number in range(3)))
        async with db.unit_of_work() as session:
            second = await RequestPagesRepository(session).list_page(
                ALL, visibility, after=first.next_key, limit=50
            )
        seen = [row.id for row in (*first.rows, *second.rows)]
        assert len(seen) == len(set(seen))
        assert set(made) - {row.id for row in first.rows} <= set(seen)
        made += [row.id for row in first.rows if row.id not in made]


async def test_a_request_is_seen_for_each_reason_and_by_nobody_else(db: Database) -> None:
    own, shared, owned, foreign = await store(
        db,
        new_request(user="dana", teams=(), owner="other", created=4),
        new_request(user="eric", teams=("orders", "billing"), owner="other", created=3),
        new_request(user="eric", teams=("billing",), owner="orders", created=2),
        new_request(user="eric", teams=("billing",), owner=None, created=1),
    )
    assert await ids(db, visibility=Visibility(user_id="dana", teams=("orders",))) == [
        own,
        shared,
        owned,
    ]
    assert await ids(db, visibility=Visibility(user_id="dana")) == [own]
    assert await ids(db, visibility=Visibility(user_id="nobody")) == []
    assert await ids(db) == [own, shared, owned, foreign]


async def test_a_request_seen_for_several_reasons_is_shown_once(db: Database) -> None:
    request = await stored(db, user="dana", teams=("a", "b", "a"), owner="a")
    found = await ids(db, visibility=Visibility(user_id="dana", teams=("a", "b")))
    assert found == [request.context.request_id]


async def test_a_team_of_the_name_of_a_user_sees_nothing_of_theirs(db: Database) -> None:
    await stored(db, user="dana", teams=(), owner=None)
    assert await ids(db, visibility=Visibility(user_id="eric", teams=("dana",))) == []


SEERS = [ADMIN, Visibility(user_id="dana", teams=("orders", "platform"))]


@pytest.mark.parametrize("who", SEERS, ids=["admin", "member"])
async def test_a_list_is_narrowed_by_each_filter(db: Database, who: Visibility) -> None:
    match = new_request(user="eric", teams=("orders", "x"), item="cache", created=5)
    other = new_request(user="dana", teams=("orders",), item="queue", created=9)
    hidden = new_request(user="eric", teams=("x",), item="cache", owner="z", created=5)
    wanted, unwanted, unseen = await store(db, match, other, hidden)
    await mirror(
        db, snapshot(match, actions=[action(ActionStatus.COMPLETED, external_reference="OPS-7")])
    )
    await mirror(
        db, snapshot(hidden, actions=[action(ActionStatus.COMPLETED, external_reference="OPS-7")])
    )
    moment = START + timedelta(seconds=5)
    for filters in (
        RequestFilters(catalog_item_id="cache"),
        RequestFilters(user_id="eric"),
        RequestFilters(team="x"),
        RequestFilters(statuses=(RequestStatus.IN_PROGRESS,)),
        RequestFilters(statuses=(RequestStatus.IN_PROGRESS, RequestStatus.FAILED)),
        RequestFilters(external_reference="OPS-7"),
        RequestFilters(until=moment + timedelta(seconds=1)),
        RequestFilters(since=moment, until=moment + timedelta(seconds=1)),
    ):
        assert set(await ids(db, filters, who)) == ({wanted, unseen} if who.admin else {wanted})
    by_correlation = RequestFilters(correlation_id=match.context.correlation_id)
    assert await ids(db, by_correlation, who) == [wanted]
    assert await ids(db, RequestFilters(since=moment + timedelta(seconds=1)), who) == [unwanted]
    assert await ids(db, RequestFilters(until=moment), who) == []
    own = RequestFilters(user_id="dana")
    assert await ids(db, own, who) == [unwanted]


async def test_a_lookup_shows_no_more_than_the_caller_may_see(db: Database) -> None:
    request = await stored(db, user="eric", teams=("x",), owner="z")
    stranger = Visibility(user_id="dana", teams=("orders",))
    filters = RequestFilters(correlation_id=request.context.correlation_id)
    assert await ids(db, filters, stranger) == []
    assert await ids(db, filters, replace(stranger, teams=("x",))) == [request.context.request_id]
    assert await ids(db, filters, replace(stranger, teams=("z",))) == [request.context.request_id]


async def test_a_team_filter_of_somebody_elses_team_widens_nothing(db: Database) -> None:
    request = await stored(db, user="dana", teams=("a", "b"), owner=None)
    assert await ids(db, RequestFilters(team="b"), Visibility(user_id="eric")) == []
    mine = Visibility(user_id="eric", teams=("a",))
    assert await ids(db, RequestFilters(team="b"), mine) == [request.context.request_id]


async def test_children_are_listed_under_their_parent_only(db: Database) -> None:
    parent = await stored(db, created=1)
    parent_id = parent.context.request_id
    child = await stored(db, created=2, parent=parent_id)
    dana = Visibility(user_id="dana", teams=("orders",))
    for visibility in (ADMIN, dana, Visibility(user_id="eric", teams=("orders",))):
        assert await ids(db, visibility=visibility) == [parent_id]
        children = RequestFilters(parent=parent_id)
        assert await ids(db, children, visibility) == [child.context.request_id]
    assert await ids(db, RequestFilters(parent=parent_id), Visibility(user_id="eric")) == []


async def fail(db: Database, request: NewRequest, *, seq: int, seconds: float) -> None:
    await mirror(db, snapshot(request, RequestStatus.IN_PROGRESS, seq=seq, seconds=seconds - 1))
    await mirror(db, snapshot(request, RequestStatus.FAILED, seq=seq + 1, seconds=seconds))


@pytest.mark.parametrize("who", SEERS, ids=["admin", "member"])
async def test_what_waits_for_a_decision_is_listed_the_longest_first(
    db: Database, who: Visibility
) -> None:
    late, early, retried = made = [new_request(created=second) for second in (1, 2, 0)]
    await store(db, *made)
    await fail(db, retried, seq=1, seconds=10)
    await fail(db, late, seq=1, seconds=30)
    await fail(db, early, seq=1, seconds=20)
    await mirror(db, snapshot(retried, RequestStatus.FAILED, seq=3, seconds=40, retrying=True))
    await brought_to(db, RequestStatus.COMPLETED)
    waiting = RequestFilters(sort=Sort.WAITING)
    expected = [early.context.request_id, late.context.request_id]
    assert await ids(db, waiting, who, limit=1) == expected
    await mirror(db, snapshot(retried, RequestStatus.FAILED, seq=4, seconds=50))
    assert await ids(db, waiting, who, limit=1) == [*expected, retried.context.request_id]
    rows = await read(db, waiting, who)
    assert [row.waiting_since for row in rows] == [
        START + timedelta(seconds=seconds) for seconds in (20, 30, 50)
    ]
    assert await ids(db, replace(waiting, since=START + timedelta(seconds=2)), who) == expected[:1]


async def test_what_i_may_decide_is_what_failed_and_is_mine_or_my_teams_to_own(
    db: Database,
) -> None:
    how: list[dict[str, Any]] = [
        {"user": "dana", "teams": (), "owner": "z"},
        {"user": "eric", "teams": (), "owner": "orders"},
        {"user": "eric", "teams": ("orders",), "owner": "z"},
    ]
    failed = [await brought_to(db, RequestStatus.FAILED, **one) for one in how]
    await stored(db, user="dana")
    retried = await brought_to(db, RequestStatus.FAILED, user="dana")
    await mirror(db, snapshot(retried, RequestStatus.FAILED, seq=3, retrying=True))
    dana = Visibility(user_id="dana", teams=("orders",))
    mine, owned, shared = (request.context.request_id for request in failed)
    filters = RequestFilters(decidable=True)
    assert set(await ids(db, filters, dana)) == {mine, owned}
    assert set(await ids(db, filters)) == {mine, owned, shared}
    narrowed = replace(filters, correlation_id=failed[2].context.correlation_id)
    assert await ids(db, narrowed, dana) == []
    assert await ids(db, replace(filters, team="orders"), dana) == []


async def test_a_bundle_stands_for_the_approvals_that_its_components_wait_for(
    db: Database, owner: asyncpg.Connection
) -> None:
    parent = await stored(db, user="eric", teams=(), owner="z")
    child = await stored(db, parent=parent.context.request_id, user="eric", teams=(), owner="z")
    for request in (parent, child):
        await mirror(db, snapshot(request, RequestStatus.IN_PROGRESS, seq=1))
    filters = RequestFilters(decidable=True)
    people = [Visibility(user_id="ann"), Visibility(user_id="ann", admin=True)]
    assert [await ids(db, filters, who) for who in people] == [[], []]
    await owner.execute(
        "UPDATE request_actions SET status = 'waiting', waiting = $2 WHERE request_id = $1",
        child.context.request_id,
        json.dumps(
            {
                "kind": "approval",
                "since": at(70),
                "approvers": {"users": ["ann"], "teams": []},
            }
        ),
    )
    assert [await ids(db, filters, who) for who in people] == [[parent.context.request_id]] * 2
    assert await ids(db, filters, Visibility(user_id="bob")) == []
    waiting = replace(filters, sort=Sort.WAITING)
    assert [await ids(db, waiting, who) for who in people] == [[parent.context.request_id]] * 2
    (row,) = await read(db, ALL, people[0])
    assert (row.waiting_since, row.may_decide) == (START + timedelta(seconds=70), True)
    (row,) = await read(db)
    assert row.may_decide is False
    # Of the bundle's own write and the end of the approval neither loses the other.
    await mirror(db, snapshot(parent, RequestStatus.IN_PROGRESS, seq=2))
    assert [await ids(db, waiting, who) for who in people] == [[parent.context.request_id]] * 2
    await mirror(
        db,
        snapshot(child, RequestStatus.IN_PROGRESS, seq=2, actions=[action(ActionStatus.COMPLETED)]),
    )
    assert [await ids(db, waiting, who) for who in people] == [[], []]
    (row,) = await read(db, ALL, people[0])
    assert row.waiting_since is None


async def test_a_child_has_no_audience_of_its_own(db: Database, owner: asyncpg.Connection) -> None:
    parent = await stored(db)
    await stored(db, parent=parent.context.request_id)
    viewers = await owner.fetch("SELECT viewer FROM request_audience ORDER BY viewer")
    assert [row["viewer"] for row in viewers] == ["owner:platform", "team:orders", "user:dana"]


async def plan_of(db: Database, filters: RequestFilters, visibility: Visibility) -> str:
    """Return the plan of a page where Postgres avoids table scans and sorts if it can."""
    query = page_query(filters, visibility, limit=51)
    async with db.unit_of_work() as session:
        for costly in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin", "hashagg"):
            await session.execute(text(f"SET LOCAL enable_{costly} = off"))
        dialect = session.get_bind().dialect
        compiled = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        return "\n".join(await session.scalars(text(f"EXPLAIN {compiled}")))


@pytest.mark.parametrize(
    ("filters", "visibility", "index"),
    [
        (ALL, ADMIN, "requests_newest"),
        (RequestFilters(user_id="dana"), ADMIN, "requests_by_user"),
        (RequestFilters(statuses=(RequestStatus.FAILED,)), ADMIN, "requests_by_status"),
        (RequestFilters(sort=Sort.WAITING), ADMIN, "requests_waiting"),
        (
            RequestFilters(sort=Sort.WAITING),
            Visibility(user_id="dana", teams=("orders",)),
            "requests_waiting",
        ),
        (RequestFilters(causes=(Cause.INPUT,)), ADMIN, "requests_by_cause"),
        (RequestFilters(decidable=True), ADMIN, "requests_open"),
        (RequestFilters(catalog_item_id="cache"), ADMIN, "requests_by_item"),
        (ALL, Visibility(user_id="dana", teams=("orders",)), "request_audience_pkey"),
        (RequestFilters(team="orders"), ADMIN, "request_audience_pkey"),
    ],
)
async def test_a_page_is_a_range_of_an_index_in_the_order_of_the_page(
    db: Database, filters: RequestFilters, visibility: Visibility, index: str
) -> None:
    plan = await plan_of(db, filters, visibility)
    assert f"using {index}" in plan
    assert "Seq Scan" not in plan
    # Only the few rows that were merged from several ranges may be sorted.
    assert "Sort" not in plan or "Function Scan on unnest" in plan
