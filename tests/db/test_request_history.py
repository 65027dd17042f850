"""What earlier requests of an item tell; and what the pages keep of people."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from db.repositories.request_history import (
    HistoryRepository,
    ItemHistory,
    SimilarFailure,
    similar_failures_query,
    steps_query,
    totals_query,
)
from db.repositories.request_visibility import Visibility
from db.repositories.requests import RequestsRepository
from db.repositories.web_bulk_decisions import WebBulkDecisionsRepository
from db.repositories.web_stars import WebStarsRepository
from db.session import Database

ADMIN = Visibility(user_id="root", admin=True)
NOW = datetime.now(UTC)


class Past:
    """Requests of one item as they would have been left behind."""

    def __init__(self, owner: asyncpg.Connection, item: str = "dns") -> None:
        self._owner, self._item = owner, item

    async def request(
        self,
        *,
        minutes: float = 1.0,
        status: str = "completed",
        step: str = "completed",
        user: str = "dana",
        days_ago: float = 1.0,
    ) -> str:
        """Insert a request that took some minutes, with one step."""
        made, created = str(uuid4()), NOW - timedelta(days=days_ago)
        done = created + timedelta(minutes=minutes)
        await self._owner.execute(
            """
            INSERT INTO requests (id, catalog_item_id, catalog_item_version, catalog_item_name,
                item_definition, plan, user_id, correlation_id, status, title, created_at,
                updated_at, settled_at)
            VALUES ($1, $2, '1', 'DNS', '{}', '[]', $3, gen_random_uuid(), 'in_progress', 'orders',
                $4, $4, $5)
            """,
            made,
            self._item,
            user,
            created,
            done,
        )
        await self._owner.execute(
            """
            INSERT INTO request_actions (request_id, action_id, action_index, type, name, config,
                status, attempt, started_at, finished_at)
            VALUES ($1, 'ticket', 0, 'jira-ticket', 'Ticket', '{}', $2, 1, $3, $4)
            """,
            made,
            step,
            created,
            done,
        )
        if status in {"aborted", "escalated"}:
            await self._owner.execute("UPDATE requests SET status = 'failed' WHERE id = $1", made)
        if status != "in_progress":
            await self._owner.execute(
                "UPDATE requests SET status = $2, settled_at = $3 WHERE id = $1", made, status, done
            )
        return made

    async def failure(self, request_id: str, cause: str, *, minutes: float = 1.0) -> None:
        """Add to the stream that the step has failed."""
        data = {"id": "ticket", "status": "failed", "error": {"cause": cause}}
        await self._owner.execute(
            """
            INSERT INTO request_events (request_id, run_id, seq, kind, at, data)
            VALUES ($1, 'run', 1, 'action', $2, $3)
            """,
            request_id,
            NOW - timedelta(days=1) + timedelta(minutes=minutes),
            json.dumps(data),
        )

    async def decision(self, request_id: str, decision: str, reason: str) -> None:
        """Add what somebody decided about it."""
        await self._owner.execute(
            """
            INSERT INTO decisions (request_id, decision_id, decision, at, by, via, reason, accepted,
                outcome, mirror_at, mirror_seq)
            VALUES ($1, gen_random_uuid()::text, $2, $3, 'priya', 'api', $4, true, 'done', $3, 1)
            """,
            request_id,
            decision,
            NOW - timedelta(days=1) + timedelta(minutes=30),
            reason,
        )


async def measured(db: Database, item: str = "dns") -> ItemHistory:
    async with db.reading() as session:
        return await HistoryRepository(session).measure(item)


async def like(db: Database, request_id: str, who: Visibility = ADMIN) -> list[SimilarFailure]:
    async with db.reading() as session:
        row = await RequestsRepository(session).get(request_id)
        assert row is not None
        return await HistoryRepository(session).similar_failures(row, "ticket", "quota", who)


async def test_requests_are_measured_from_submission_to_their_last_step(
    db: Database, owner: asyncpg.Connection
) -> None:
    past = Past(owner)
    for minutes in (1, 2, 3, 4, 40):
        await past.request(minutes=minutes)
    helped = await past.request(minutes=3)
    await past.decision(helped, "retry", "again")
    await past.request(status="aborted", step="failed")
    await past.request(status="in_progress", step="in_progress")
    await past.request(minutes=5000, days_ago=100)
    await Past(owner, "another").request(minutes=900)
    found = await measured(db)
    assert (found.completed, found.ended, found.helped) == (6, 7, 2)
    assert found.median == 3 * 60
    assert found.most == (4 + 40) / 2 * 60
    assert found.steps["ticket"][0] == 6


async def test_an_item_without_requests_has_no_measure(db: Database) -> None:
    found = await measured(db)
    assert (found.completed, found.median, found.steps) == (0, None, {})


async def test_like_failures_tell_what_was_decided_next(
    db: Database, owner: asyncpg.Connection
) -> None:
    past = Past(owner)
    mine = await past.request(status="failed", step="failed")
    await past.failure(mine, "quota")
    solved = await past.request()
    await past.failure(solved, "quota", minutes=20)
    await past.decision(solved, "retry", "The quota was raised.")
    open_ = await past.request(status="failed", step="failed")
    await past.failure(open_, "quota", minutes=10)
    other_cause = await past.request()
    await past.failure(other_cause, "access")
    await past.decision(other_cause, "retry", "again")
    found = await like(db, mine)
    assert [one.request_id for one in found] == [solved, open_]
    assert (found[0].decision, found[0].by, found[0].reason) == (
        "retry",
        "priya",
        "The quota was raised.",
    )
    assert (found[1].decision, found[1].at) == (None, None)


async def test_like_failures_of_others_are_told_to_those_who_may_see_them(
    db: Database, owner: asyncpg.Connection
) -> None:
    past = Past(owner)
    mine = await past.request(status="failed", step="failed", user="olga")
    for user in ("olga", "dana"):
        made = await past.request(status="failed", step="failed", user=user)
        await past.failure(made, "quota")
    assert len(await like(db, mine)) == 2
    assert len(await like(db, mine, Visibility(user_id="olga"))) == 1


@pytest.mark.parametrize("query", [totals_query("dns"), steps_query("dns")])
async def test_the_newest_requests_of_an_item_are_read_by_their_index(
    db: Database, query: Any
) -> None:
    assert "using requests_by_item" in await plan_of(db, query)


async def test_like_failures_are_read_by_the_index_of_the_item(
    db: Database, owner: asyncpg.Connection
) -> None:
    made = await Past(owner).request(status="failed", step="failed")
    async with db.reading() as session:
        row = await RequestsRepository(session).get(made)
    assert row is not None
    plan = await plan_of(db, similar_failures_query(row, "ticket", "quota", ADMIN))
    assert "Index Scan using requests_by_item" in plan
    assert "Seq Scan on request_events" not in plan


async def plan_of(db: Database, query: Any) -> str:
    async with db.unit_of_work() as session:
        # As with many rows, where reading a whole table costs more than an index.
        for kind in ("seqscan", "bitmapscan"):
            await session.execute(text(f"SET LOCAL enable_{kind} = off"))
        dialect = session.get_bind().dialect
        compiled = query.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        return "\n".join(await session.scalars(text(f"EXPLAIN {compiled}".replace(":", "\\:"))))


async def test_stars_are_each_users_own_and_bounded(db: Database) -> None:
    async with db.unit_of_work() as session:
        stars = WebStarsRepository(session)
        for item in ("a", "b", "b", "c"):
            await stars.add("dana", item, most=2)
        await stars.add("olga", "z", most=2)
        assert await stars.list("dana") == ["c", "b"]
        await stars.remove("dana", "c")
        assert await stars.list("dana") == ["b"]
        assert await stars.list("olga") == ["z"]


async def test_a_bulk_decision_is_stored_once_and_belongs_to_its_user(
    db: Database, owner: asyncpg.Connection
) -> None:
    made, one, two = (str(uuid4()) for _ in range(3))
    async with db.unit_of_work() as session:
        bulk = WebBulkDecisionsRepository(session)
        await bulk.insert(made, "dana", cause="quota", reason="first", requests=[one])
        await bulk.insert(made, "dana", cause="quota", reason="second", requests=[two])
        await bulk.note(made, {one: ""})
        await bulk.note(made, {one: "later", two: "refused"})
        assert await bulk.get(made, "olga") is None
        found = await bulk.get(made, "dana")
        assert found is not None
        assert (found.reason, [str(row) for row in found.requests]) == ("first", [one])
        assert found.results == {one: "", two: "refused"}
        assert await bulk.remove_expired(batch=10) == 0
    await owner.execute("ALTER TABLE web_bulk_decisions DISABLE TRIGGER web_bulk_decisions_guard")
    await owner.execute("UPDATE web_bulk_decisions SET created_at = now() - interval '8 days'")
    async with db.unit_of_work() as session:
        assert await WebBulkDecisionsRepository(session).remove_expired(batch=10) == 1
