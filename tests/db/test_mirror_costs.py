"""What a mirror write reads, counted by Postgres itself."""

from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.repositories.mirror import MirrorRepository
from db.session import Database, PoolSettings
from tests.db.building import audit, entry, mirror, snapshot, stored
from tests.support.postgres import Database as Given

OTHERS = 2_000
WRITES_BEFORE = 10
"""Postgres keeps a plan from the sixth execution of a statement on."""

READ = text(
    """
    SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS rows
    FROM pg_stat_xact_user_tables WHERE relname IN ('audit_logs', 'request_events')
    """
)
MANY_ENTRIES = """
    INSERT INTO request_events (request_id, run_id, seq, kind, at, data, identity)
    SELECT $1, 'run-1', seq, 'log', now(), '{}', md5(seq::text) FROM generate_series(100, $2) AS seq
"""
MANY_LINES = """
    INSERT INTO audit_logs (
        request_id, correlation_id, event_type, event_data, actor, via, at, source_system,
        run_id, seq, identity
    )
    SELECT $1, $2, 'request.in_progress', '{}', 'workflow', 'temporal', now(), 'workflow',
        'run-1', seq, md5(seq::text)
    FROM generate_series(100, $3) AS seq
"""


@pytest.fixture
async def one_connection(database: Given) -> AsyncIterator[Database]:
    opened = Database(database.service_url, pool=PoolSettings(max_idle=1, max_open=1))
    yield opened
    await opened.close()


async def test_a_connection_that_knew_small_tables_reads_by_key_once_they_have_grown(
    one_connection: Database, service: asyncpg.Connection
) -> None:
    request, other = await stored(one_connection), await stored(one_connection)
    for seq in range(1, WRITES_BEFORE + 1):
        given = snapshot(request, seq=seq, audit=[audit(seq)], stream=[entry(seq)])
        await mirror(one_connection, given)
    about = other.context
    await service.execute(MANY_ENTRIES, about.request_id, OTHERS)
    await service.execute(MANY_LINES, about.request_id, about.correlation_id, OTHERS)
    last = WRITES_BEFORE + 1
    async with one_connection.unit_of_work() as session:
        # What earlier transactions have read is counted too, until Postgres publishes it.
        before = await _rows_read(session)
        given = snapshot(request, seq=last, audit=[audit(last)], stream=[entry(last)])
        await MirrorRepository(session).write(given)
        read = await _rows_read(session) - before
    # Its own entries, and the last line of the chain; none of the others.
    assert 0 < read["request_events"] <= 2 * WRITES_BEFORE
    assert 0 < read["audit_logs"] <= 2 * WRITES_BEFORE


async def _rows_read(session: AsyncSession) -> Counter[str]:
    return Counter({name: int(rows) for name, rows in await session.execute(READ)})
