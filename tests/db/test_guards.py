"""What the service's own role may not undo, tried with its rights, table by table."""

import re
from pathlib import Path

import asyncpg
import pytest

from db.session import Database
from pao.core.payloads.decisions import DecisionRecord
from pao.core.states import ActionStatus, RequestStatus
from tests.db.building import action, at, brought_to, mirror, snapshot, stored

STATE = """
    INSERT INTO terraform_states (state_key, place, request_id, action_id, item_id, user_id)
    SELECT 'digest', 'bucket states', id, 'ticket', 'a', 'dana' FROM requests
"""
KEY = """
    INSERT INTO access_keys
        (access_key_id, sealed_secret, user_id, teams, created_by, expires_at)
    VALUES ('one', 'sealed', 'dana', '{orders}', 'test', now() + interval '1 year')
"""
ITEM = """
    INSERT INTO catalog_items (id, kind, version, name, definition, file_path, generation)
    VALUES ('a', 'CatalogItem', '1.0.0', 'A', '{}', 'a.yaml', 5)
"""
SIGNATURE = "INSERT INTO replay_signatures VALUES ('\\x01', '\\x02', now() + interval '10 minutes')"

SESSION = """
    INSERT INTO web_sessions (id, token_digest, user_id, source, ends_at)
    VALUES (gen_random_uuid(), '\\x01', 'dana', 'oidc', now() + interval '12 hours')
"""
CODE = "INSERT INTO web_sign_ins VALUES ('\\x01', 'one', now() + interval '1 minute')"
BULK = """
    INSERT INTO web_bulk_decisions (id, user_id, cause, reason, requests)
    SELECT gen_random_uuid(), 'dana', 'quota', 'more of it', array_agg(id) FROM requests
"""

MORE_ACTIONS = """
    INSERT INTO request_actions (request_id, action_id, action_index, type, name)
    SELECT id, 'more', 9, 'jira-ticket', 'More' FROM requests
"""

REFUSED = [
    # a key's revocation, and what it was issued as
    "UPDATE access_keys SET revoked_at = NULL",
    "UPDATE access_keys SET revoked_at = now() + interval '1 year'",
    "UPDATE access_keys SET last_used_at = NULL",
    "UPDATE access_keys SET teams = '{pao-admins}'",
    "UPDATE access_keys SET sealed_secret = 'x'",
    "UPDATE access_keys SET source = 'sts', aws_arn = 'arn:aws:iam::1:user/ada'",
    "UPDATE access_keys SET is_session = true",
    "UPDATE access_keys SET expires_at = NULL",
    "DELETE FROM access_keys",
    # who is signed in
    "UPDATE web_sessions SET user_id = 'ada'",
    "UPDATE web_sessions SET teams = '{pao-admins}'",
    "UPDATE web_sessions SET source = 'link', access_key_id = 'one'",
    "UPDATE web_sessions SET ends_at = now() + interval '1 year'",
    "UPDATE web_sign_ins SET access_key_id = 'two'",
    "UPDATE web_sign_ins SET expires_at = now() + interval '1 hour'",
    # what a person decided about many requests
    "UPDATE web_bulk_decisions SET user_id = 'ada'",
    "UPDATE web_bulk_decisions SET reason = 'another'",
    "UPDATE web_bulk_decisions SET requests = '{}'",
    "UPDATE web_bulk_decisions SET created_at = now() - interval '1 year'",
    "DELETE FROM web_bulk_decisions",
    # a finished request: itself, its actions, decisions, stream, viewers
    "UPDATE requests SET status = 'failed'",
    "UPDATE requests SET error = '{}'",
    "UPDATE requests SET metadata = '{}'",
    "UPDATE requests SET title = 'another'",
    "DELETE FROM requests",
    "UPDATE request_actions SET external_reference = 'X-1'",
    "UPDATE request_actions SET started_run_id = NULL, started_seq = NULL",
    "UPDATE request_actions SET request_id = gen_random_uuid()",
    MORE_ACTIONS,
    "DELETE FROM request_actions",
    "UPDATE decisions SET accepted = true, outcome = 'done'",
    "UPDATE decisions SET by = 'somebody'",
    "UPDATE decisions SET reason = 'another'",
    "DELETE FROM decisions",
    "UPDATE request_events SET data = '{}'",
    "DELETE FROM request_events",
    "INSERT INTO request_audience SELECT 'user:eve', created_at, id FROM requests",
    "UPDATE request_audience SET viewer = 'user:eve'",
    "DELETE FROM request_audience",
    "INSERT INTO request_waits SELECT id, now(), NULL, 'failed' FROM requests",
    "UPDATE request_waits SET ended_at = now()",
    "DELETE FROM request_waits",
    # the trail
    "UPDATE audit_logs SET actor = 'somebody'",
    "DELETE FROM audit_logs",
    # what callers have used up
    "DELETE FROM idempotency_keys",
    "UPDATE idempotency_keys SET key = 'x'",
    "DELETE FROM replay_signatures",
    "UPDATE replay_signatures SET expires_at = now()",
    "UPDATE replay_signatures SET holder = '\\x03'",
    # the catalog
    "DELETE FROM catalog_items",
    "UPDATE catalog_items SET generation = 0",
    "UPDATE catalog_items SET id = 'b'",
    "UPDATE catalog_state SET generation = -1",
    "DELETE FROM catalog_state",
    # the proof of the trail
    "UPDATE audit_heads SET position = position + 1",
    "UPDATE audit_heads SET base_position = position",
    "DELETE FROM audit_heads",
    "UPDATE audit_anchors SET hash = '\\x00'",
    "DELETE FROM audit_anchors",
    "UPDATE audit_anchor_heads SET hash = '\\x00'",
    "DELETE FROM audit_anchor_heads",
    # what people have cleaned up
    "UPDATE cleanups_done SET done_by = 'eve'",
    "DELETE FROM cleanups_done",
    # which request works on which Terraform state
    "UPDATE terraform_states SET request_id = gen_random_uuid()",
    "UPDATE terraform_states SET shared = true",
    "UPDATE terraform_states SET released_at = NULL, released_by = NULL, release_note = NULL",
    "UPDATE terraform_states SET resources = 7",
    "DELETE FROM terraform_states",
    # the schema, and which installation this is
    "UPDATE installation SET id = gen_random_uuid()",
    "INSERT INTO installation DEFAULT VALUES",
    "DELETE FROM installation",
    "UPDATE schema_migrations SET checksum = 'x'",
    "DELETE FROM schema_migrations",
    "INSERT INTO schema_migrations VALUES ('9999', 'x', now(), 'x')",
    *(
        f"TRUNCATE {table} CASCADE"
        for table in (
            "access_keys",
            "audit_anchor_heads",
            "audit_anchors",
            "audit_heads",
            "audit_logs",
            "catalog_items",
            "catalog_state",
            "cleanups_done",
            "decisions",
            "idempotency_keys",
            "installation",
            "replay_signatures",
            "request_actions",
            "request_audience",
            "request_events",
            "request_waits",
            "requests",
            "schema_migrations",
            "terraform_states",
            "web_bulk_decisions",
        )
    ),
]


@pytest.fixture
async def finished(db: Database, service: asyncpg.Connection) -> None:
    """A row in every table: a finished request, a revoked key, a used signature, an item."""
    request = await stored(db)
    decision = DecisionRecord(
        decision_id="one",
        decision="retry",
        at=at(1),
        by="dana",
        via="api",
        accepted=False,
        outcome="rejected",
    )
    working = snapshot(request, actions=[action()], decisions=[decision], stream=[], seq=1)
    await mirror(db, working)
    await service.execute(
        "INSERT INTO request_events (request_id, run_id, seq, kind, at)"
        " SELECT id, 'run-1', 99, 'log', now() FROM requests"
    )
    done = snapshot(
        request,
        RequestStatus.COMPLETED,
        actions=[action(ActionStatus.COMPLETED)],
        decisions=[decision],
        seq=2,
    )
    await mirror(db, done)
    await service.execute(KEY)
    await service.execute("UPDATE access_keys SET last_used_at = now(), revoked_at = now()")
    await service.execute(
        "INSERT INTO idempotency_keys (caller_id, key, body_digest, request_id)"
        " SELECT 'dana', 'k', '\\x01', id FROM requests"
    )
    await service.execute(
        "INSERT INTO cleanups_done (request_id, entry_id, done_by, note)"
        " SELECT id, 'entry', 'ada', 'removed' FROM requests"
    )
    await service.execute(STATE)
    await service.execute(
        "UPDATE terraform_states SET released_at = now(), released_by = 'ada', release_note = 'x'"
    )
    await service.execute("SELECT anchor_audit()")
    for statement in (SIGNATURE, ITEM, SESSION, CODE, BULK):
        await service.execute(statement)


@pytest.mark.usefixtures("finished")
async def test_the_services_role_undoes_nothing(
    service: asyncpg.Connection, owner: asyncpg.Connection
) -> None:
    undone = []
    for statement in REFUSED:
        try:
            await service.execute(statement)
        except (asyncpg.InsufficientPrivilegeError, asyncpg.RestrictViolationError):
            continue
        undone.append(statement)
    assert undone == []
    for table in ("requests", "request_actions", "decisions", "request_events", "audit_logs"):
        assert await owner.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 -- our own names


@pytest.mark.usefixtures("finished")
async def test_a_single_user_database_refuses_the_same_but_for_rights(
    owner: asyncpg.Connection,
) -> None:
    """Where the service is the owner there are no rights to lack: the triggers stand alone."""
    for statement in REFUSED:
        if statement not in OWNERS_OWN:
            with pytest.raises(asyncpg.RestrictViolationError):
                await owner.execute(statement)


OWNERS_OWN = {
    # As the trigger does that chains a line; `pao audit verify` finds it.
    "UPDATE audit_heads SET position = position + 1",
    *(one for one in REFUSED if "schema_migrations" in one or "installation" in one),
}
"""What an owner may do by hand, who migrates and gives a copied database an id of its own."""


def test_every_promise_is_tried() -> None:
    """The table of SECURITY.md: each table that it names, and each deletion that it denies."""
    text = (Path(__file__).parents[2] / "SECURITY.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|$", text, re.MULTILINE)
    promised = {
        table: refused
        for tables, refused in rows
        for table in re.findall(r"`(\w+)`", tables)
        if not refused.startswith("nothing")
    }
    wanted = [
        f"{verb} {table}"
        for table, refused in promised.items()
        for verb in (
            ("DELETE FROM", "TRUNCATE")
            if re.search("deletion|removing|everything", refused)
            else ("UPDATE",)
        )
    ]
    tried = {" ".join(one.split()[:words]) for one in REFUSED for words in (2, 3)}
    assert len(promised) > 20
    assert [one for one in wanted if one not in tried] == []


@pytest.mark.usefixtures("finished")
async def test_the_daily_work_of_the_service_goes_on(service: asyncpg.Connection) -> None:
    for statement in (
        "UPDATE access_keys SET last_used_at = now() + interval '1 minute'",
        "INSERT INTO replay_signatures VALUES ('\\x09', '\\x02', now() - interval '1 second')",
        "UPDATE replay_signatures SET holder = '\\x03' WHERE digest = '\\x09'",
        "UPDATE request_actions SET ticket_status = '{}'",
        "UPDATE catalog_items SET removed_at = now(), generation = 6",
        "UPDATE catalog_state SET generation = generation + 1",
        "UPDATE web_sessions SET seen_at = now()",
        "UPDATE web_bulk_decisions SET results = '{}'",
        "DELETE FROM web_sessions",
        "DELETE FROM web_sign_ins",
    ):
        await service.execute(statement)


async def test_a_missing_finished_request_is_made_anew_with_its_actions(
    db: Database, service: asyncpg.Connection
) -> None:
    await brought_to(db, RequestStatus.COMPLETED)
    row = "SELECT * FROM requests"
    copied = await service.fetchrow(row)
    assert copied is not None
    columns = ", ".join(name for name in copied.keys() if name != "id")  # noqa: SIM118 -- a Record
    async with service.transaction():
        made = await service.fetchval(
            f"INSERT INTO requests (id, {columns}) SELECT gen_random_uuid(), {columns}"  # noqa: S608 -- our own names
            " FROM requests RETURNING id"
        )
        await service.execute(
            "INSERT INTO request_actions (request_id, action_id, action_index, type, name)"
            " VALUES ($1, 'a', 0, 't', 'A')",
            made,
        )
    viewers = "SELECT count(*) FROM request_audience WHERE request_id = $1"
    assert await service.fetchval(viewers, made)
