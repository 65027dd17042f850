import asyncio
from datetime import timedelta
from typing import cast

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

from db.repositories.audit import AuditEntry, AuditRepository
from db.repositories.events import EventsRepository
from db.repositories.requests import IdempotencyClaim, NewRequest, RequestsRepository
from db.session import Database
from pao.core.payloads.requests import IdempotencyRecord
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import START, brought_to, count, mirror, new_request, snapshot, stored


async def test_a_new_request_is_stored_with_all_that_belongs_to_it(db: Database) -> None:
    request = await stored(db, actions=("ticket", "mail"))
    context = request.context
    async with db.unit_of_work() as session:
        row = await RequestsRepository(session).get(context.request_id)
        actions = await RequestsRepository(session).get_actions(context.request_id)
        trail = await AuditRepository(session).list(context.request_id)
        stream = await EventsRepository(session).page(context.request_id)
    assert row is not None
    assert row.status is RequestStatus.SUBMITTED
    assert (row.catalog_item_id, row.catalog_item_version) == ("database-standard", "1.2.0")
    assert (row.owner_team, row.item_sha) == ("platform", "abc123")
    assert row.item_definition == context.item.definition
    assert (row.user_id, row.user_email, row.user_teams) == (
        "dana",
        "dana@example.org",
        ["orders"],
    )
    assert row.user_arn == "arn:aws:iam::1:user/dana"
    assert (row.fields, row.request_metadata) == ({"size": 100}, {"tags": ["test"]})
    assert str(row.correlation_id) == context.correlation_id
    assert row.created_at == row.updated_at == START
    assert [step["id"] for step in row.plan] == ["ticket", "mail"]
    assert [(one.action_id, one.status, one.config) for one in actions] == [
        ("ticket", ActionStatus.PENDING, {"n": 0}),
        ("mail", ActionStatus.PENDING, {"n": 1}),
    ]
    assert [(line.event_type, line.actor, line.via) for line in trail] == [
        ("request.submitted", "dana", "api")
    ]
    assert [(one.kind, one.data["status"]) for one in stream] == [("state", "submitted")]


async def test_a_request_that_does_not_exist_is_none(db: Database) -> None:
    async with db.unit_of_work() as session:
        repository = RequestsRepository(session)
        assert await repository.get(new_request().context.request_id) is None


async def test_the_same_request_is_stored_once(db: Database, owner: asyncpg.Connection) -> None:
    request = await brought_to(db, RequestStatus.IN_PROGRESS)
    tables = ("requests", "request_actions", "audit_logs", "request_events")
    before = [await count(owner, table) for table in tables]
    async with db.one_statement() as session:
        assert not await RequestsRepository(session).insert(request)
    assert [await count(owner, table) for table in tables] == before
    assert await owner.fetchval("SELECT status FROM requests") == "in_progress"


async def submit(
    db: Database, request: NewRequest, *, key: str = "k-1", caller: str = "dana"
) -> IdempotencyClaim:
    async with db.unit_of_work() as session:
        repository = RequestsRepository(session)
        claim = await repository.claim_idempotency(
            IdempotencyRecord(caller, key, "body"), request_id=request.context.request_id
        )
        if claim.won:
            await repository.insert(request)
    return claim


async def test_twenty_parallel_claims_of_one_key_store_one_request(
    db: Database, owner: asyncpg.Connection
) -> None:
    claims = await asyncio.gather(*(submit(db, new_request()) for _ in range(20)))
    assert [claim.won for claim in claims].count(True) == 1
    assert len({claim.request_id for claim in claims}) == 1
    assert await count(owner, "requests") == 1


async def test_keys_of_different_callers_do_not_meet(db: Database) -> None:
    assert (await submit(db, new_request(), caller="dana")).won
    assert (await submit(db, new_request(), caller="eric")).won
    assert (await submit(db, new_request(), caller="dana", key="k-2")).won


async def test_a_claim_that_is_rolled_back_leaves_the_key_free(db: Database) -> None:
    request = new_request()
    with pytest.raises(IntegrityError):
        # The request does not name a user, which the table refuses.
        await submit(db, new_request(user=cast("str", None)))
    assert (await submit(db, request)).won


async def test_a_key_without_its_request_cannot_be_committed(db: Database) -> None:
    with pytest.raises(IntegrityError):
        async with db.unit_of_work() as session:
            await RequestsRepository(session).claim_idempotency(
                IdempotencyRecord("dana", "k-1", "body"),
                request_id=new_request().context.request_id,
            )


async def test_a_known_key_tells_its_request_and_body(db: Database) -> None:
    claim = await submit(db, new_request())
    async with db.unit_of_work() as session:
        found = await RequestsRepository(session).find_by_idempotency("dana", "k-1")
        unknown = await RequestsRepository(session).find_by_idempotency("dana", "k-2")
    assert found == IdempotencyClaim(claim.request_id, b"body", won=False)
    assert unknown is None


async def test_only_requests_that_no_workflow_has_mirrored_are_unstarted(db: Database) -> None:
    waiting = await stored(db)
    await brought_to(db, RequestStatus.IN_PROGRESS)
    async with db.unit_of_work() as session:
        repository = RequestsRepository(session)
        found = await repository.unstarted(
            older_than=timedelta(seconds=0), younger_than=timedelta(days=36500)
        )
        too_old = await repository.unstarted(
            older_than=timedelta(seconds=0), younger_than=timedelta(seconds=1)
        )
    assert [str(row.id) for row in found] == [waiting.context.request_id]
    assert too_old == []


async def test_the_stream_is_read_in_pages_and_by_kind(db: Database) -> None:
    request = await brought_to(db, RequestStatus.FAILED)
    request_id = request.context.request_id
    async with db.unit_of_work() as session:
        events = EventsRepository(session)
        first = await events.page(request_id, limit=1)
        assert len(first) == 1
        assert await events.page(request_id, after_id=first[0].id) == []
        assert await events.page(request_id, kinds=("log",)) == []
        assert await events.page(request_id, kinds=("log", "state")) == first


async def test_an_audit_line_can_be_added_without_a_request(
    db: Database, owner: asyncpg.Connection
) -> None:
    async with db.unit_of_work() as session:
        await AuditRepository(session).insert(
            AuditEntry(
                event_type="key.created",
                actor="root",
                via="cli",
                source_system="cli",
                at=START,
                event_data={"key": "PAO1"},
            )
        )
    line = await owner.fetchrow("SELECT * FROM audit_logs")
    assert line is not None
    assert (line["event_type"], line["at"]) == ("key.created", START)


async def test_parallel_mirrors_of_one_request_keep_the_newest(
    db: Database, owner: asyncpg.Connection
) -> None:
    request = await stored(db)
    answers = await asyncio.gather(
        *(mirror(db, snapshot(request, seq=seq)) for seq in range(1, 11))
    )
    assert any(answer.applied for answer in answers)
    assert await owner.fetchval("SELECT mirror_seq FROM requests") == 10
