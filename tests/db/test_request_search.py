"""Requests are found by words, tags, causes and tickets, by those who may see them."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from db.repositories.request_filters import RequestFilters
from db.repositories.request_pages import RequestPagesRepository, page_query
from db.repositories.request_references import ReferencesRepository
from db.repositories.request_visibility import Visibility
from db.repositories.requests import NewRequest
from db.session import Database
from pao.core.failure_classes import Cause
from pao.core.payloads.failures import ActionFailure
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import action, brought_to, mirror, new_request, snapshot, store

ADMIN = Visibility(user_id="root", admin=True)
MEMBER = Visibility(user_id="eric", teams=("orders",))
STRANGER = Visibility(user_id="eve", teams=("others",))


async def ids(db: Database, filters: RequestFilters, visibility: Visibility = ADMIN) -> set[str]:
    async with db.unit_of_work() as session:
        pages = RequestPagesRepository(session)
        page = await pages.list_page(filters, visibility)
        assert await pages.count(filters, visibility, most=100) == len(page.rows)
    return {row.id for row in page.rows}


def titled(title: str | None, *tags: str, **how: Any) -> NewRequest:
    request = new_request(**how)
    request.context.title = title
    return replace(request, metadata={"tags": list(tags)})


@pytest.mark.parametrize("who", [ADMIN, MEMBER], ids=["admin", "member"])
@pytest.mark.parametrize(
    "words",
    [
        "orders",
        "ORDERS db",
        "ord prod",
        "example",
        "db01",
        "queue-std",
        "Straße",
        "team=red",
        "red",
    ],
)
async def test_words_are_found_by_their_beginnings_whatever_separates_them(
    db: Database, who: Visibility, words: str
) -> None:
    wanted = titled("orders-db01.prod.example.com / Straße", "team=red", item="queue-std")
    other = titled(None, "blue")
    await store(db, wanted, other)
    assert await ids(db, RequestFilters(text=words), who) == {wanted.context.request_id}
    assert await ids(db, RequestFilters(text=words), STRANGER) == set()


@pytest.mark.parametrize(
    "words", ["rders", "orders nothing", "'", "a:*|!b", "\\", "---", "", "orders" * 40]
)
async def test_what_is_no_beginning_of_a_word_finds_nothing(db: Database, words: str) -> None:
    await store(db, titled("orders-db"))
    assert await ids(db, RequestFilters(text=words)) == set()


async def test_a_request_without_a_title_is_found_by_its_item(db: Database) -> None:
    request = titled(None)
    await store(db, request)
    assert await ids(db, RequestFilters(text="datab")) == {request.context.request_id}


async def test_a_component_is_found_as_its_bundle(db: Database) -> None:
    bundle = titled("web shop", correlation_id=str(uuid4()))
    bundle_id = bundle.context.request_id
    child = new_request(parent=bundle_id)
    await store(db, bundle)
    await store(db, child)
    done = action(ActionStatus.COMPLETED, external_reference="NET-7")
    await mirror(db, snapshot(child, actions=[done]))
    for found in ("NET-7", "net-7", child.context.request_id[:8], bundle_id[:4], bundle_id):
        assert await ids(db, RequestFilters(text=found)) == {bundle_id}
        assert await ids(db, RequestFilters(text=found), MEMBER) == {bundle_id}
        assert await ids(db, RequestFilters(text=found), STRANGER) == set()
    assert await ids(db, RequestFilters(text=bundle.context.correlation_id[:13])) == {bundle_id}


@pytest.mark.parametrize("who", [ADMIN, MEMBER], ids=["admin", "member"])
async def test_a_request_has_all_tags_that_are_asked_for(db: Database, who: Visibility) -> None:
    one, both = await store(db, titled(None, "prod"), titled(None, "prod", "eu"))
    assert await ids(db, RequestFilters(tags=("prod",)), who) == {one, both}
    assert await ids(db, RequestFilters(tags=("prod", "eu")), who) == {both}
    assert await ids(db, RequestFilters(tags=("pro",)), who) == set()
    assert await ids(db, RequestFilters(tags=("prod",)), STRANGER) == set()


@pytest.mark.parametrize("who", [ADMIN, MEMBER], ids=["admin", "member"])
async def test_requests_are_listed_by_why_they_failed(db: Database, who: Visibility) -> None:
    made = {}
    for cause in (Cause.ACCESS, Cause.TARGET_DOWN):
        request = await brought_to(db, RequestStatus.IN_PROGRESS)
        failure = ActionFailure("ACTION_FAILED", "no", cause=cause)
        await mirror(
            db, snapshot(request, RequestStatus.FAILED, seq=2, error=failure.public_document())
        )
        made[cause] = request.context.request_id
    await brought_to(db, RequestStatus.COMPLETED)
    assert await ids(db, RequestFilters(causes=(Cause.ACCESS,)), who) == {made[Cause.ACCESS]}
    assert await ids(db, RequestFilters(causes=tuple(made)), who) == set(made.values())


async def test_a_count_stops_where_it_is_told_to(db: Database) -> None:
    await store(db, *(new_request() for _ in range(4)))
    async with db.unit_of_work() as session:
        pages = RequestPagesRepository(session)
        assert await pages.count(RequestFilters(), ADMIN, most=3) == 3
        assert await pages.count(RequestFilters(), MEMBER, most=100) == 4


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (RequestFilters(text="orders"), "requests_by_words"),
        (RequestFilters(tags=("prod",)), "requests_by_metadata"),
    ],
)
async def test_a_search_reads_an_index(db: Database, filters: RequestFilters, index: str) -> None:
    mentioned = [uuid4()] if filters.text else []
    query = page_query(filters, ADMIN, mentioned=mentioned)
    async with db.unit_of_work() as session:
        for costly in ("seqscan", "indexscan"):
            await session.execute(text(f"SET LOCAL enable_{costly} = off"))
        dialect = session.get_bind().dialect
        compiled = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        plan = "\n".join(await session.scalars(text(f"EXPLAIN {compiled}")))
    assert f"on {index}" in plan
    assert "Seq Scan on requests" not in plan


async def named(db: Database, reference: str, who: Visibility) -> list[str]:
    async with db.unit_of_work() as session:
        found = await ReferencesRepository(session).find(reference, who, limit=10)
    return [one.id for one in found]


async def test_a_reference_names_what_a_person_may_see(db: Database) -> None:
    request = await brought_to(db, RequestStatus.ESCALATED)
    (other,) = await store(db, new_request())
    done = action(ActionStatus.COMPLETED, external_reference="NET-7")
    second = await brought_to(db, RequestStatus.IN_PROGRESS)
    await mirror(db, snapshot(second, seq=2, actions=[done]))
    own = request.context.request_id
    for reference in (own, own[:8], own[:13], own.upper(), own.replace("-", ""), "ops-1"):
        assert await named(db, reference, ADMIN) == [own]
        assert await named(db, reference, MEMBER) == [own]
        assert await named(db, reference, STRANGER) == []
    assert await named(db, request.context.correlation_id, MEMBER) == [own]
    assert await named(db, "NET-7", MEMBER) == [second.context.request_id]
    for reference in (own[:7], request.context.correlation_id[:8], "NET-8", "x", ""):
        assert await named(db, reference, ADMIN) == []
    assert await named(db, other, ADMIN) == [other]


async def test_a_reference_is_ambiguous_among_visible_requests_only(db: Database) -> None:
    shared = str(uuid4())
    first = new_request(correlation_id=shared, created=1)
    second = new_request(correlation_id=shared, created=2)
    hidden = new_request(correlation_id=shared, user="bob", teams=("x",), owner="y", created=3)
    await store(db, first, second, hidden)
    made = [one.context.request_id for one in (second, first)]
    assert await named(db, shared, MEMBER) == made
    assert await named(db, shared, ADMIN) == [hidden.context.request_id, *made]
    # An id means its request, whatever else bears it as its correlation id.
    impostor = new_request(correlation_id=made[0])
    await store(db, impostor)
    assert await named(db, made[0], ADMIN) == [made[0]]
    assert await named(db, made[0], STRANGER) == []


async def test_a_correlation_id_means_the_bundle_and_not_its_components(db: Database) -> None:
    shared = str(uuid4())
    bundle = new_request(correlation_id=shared)
    await store(db, bundle)
    await store(db, new_request(correlation_id=shared, parent=bundle.context.request_id))
    assert await named(db, shared, MEMBER) == [bundle.context.request_id]
