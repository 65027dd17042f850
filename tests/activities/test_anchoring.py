"""The daily anchor of the audit trail; what it proves is held by tests/db/test_audit_chain.py."""

import json

import asyncpg
import pytest

from activities.audit_anchors import AuditAnchors
from db.audit_chain import read_anchor
from db.audit_verification import verify
from db.repositories.maintenance_runs import MaintenanceRunsRepository
from db.session import Database as Session
from pao.runtime.logging import JsonFormatter, Redactor
from tests.support.postgres import Database

LINE = """
    INSERT INTO audit_logs (request_id, event_type, actor, via, source_system)
    VALUES (gen_random_uuid(), 'x', 'dana', 'api', 'api')
"""


async def test_every_anchor_is_logged_whole(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    session, owner = Session(database.service_url), await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(LINE)
        with caplog.at_level("INFO", logger="activities.audit_anchors"):
            await AuditAnchors(session).anchor()
    finally:
        await session.close()
        await owner.close()
    [record] = [one for one in caplog.records if one.message == "audit.anchor"]
    line = json.loads(JsonFormatter(Redactor()).format(record))
    found = await verify(database.service_url, exported=[read_anchor(line)])
    assert (found.anchors, found.findings) == (1, [])


async def test_the_daily_turn_takes_in_what_has_changed_and_is_noted(database: Database) -> None:
    session, owner = Session(database.service_url), await asyncpg.connect(database.owner_url)
    try:
        assert await AuditAnchors(session).anchor() == {"anchor": 0, "chains": 0}
        for number in (1, 2):
            await owner.execute(LINE)
            await owner.execute(LINE)
            assert await AuditAnchors(session).anchor() == {"anchor": number, "chains": 2}
        async with session.reading() as unit:
            noted = await MaintenanceRunsRepository(unit).last("audit-anchor")
        assert noted is not None
        assert noted.result == {"anchor": 2, "chains": 2}
    finally:
        await session.close()
        await owner.close()
