"""The statements of the mirror write; what they are for is in mirror.py.

Each takes the whole snapshot as one JSON document, so that a write is one round trip after the one
that takes the lock. The usual write (``NEXT``) takes the lock itself.
"""

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from db.models import DecisionRow, Request, RequestAction
from db.repositories.copied_columns import assignments, copied_columns, record_definition
from pao.core.payloads.actions import ActionState
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.mirror import Snapshot

CHANNEL = "pao_requests"
"""The channel on which every committed change of a request is announced, by its id."""


def _statement(*parts: str) -> TextClause:
    return text("\n".join(parts)).bindparams(bindparam("snapshot", type_=JSONB()))


MOVE = text("UPDATE requests SET status = :status WHERE id = :id").bindparams(
    bindparam("id", type_=PG_UUID())
)
LOCK = text(
    """
    SELECT status, run_id, mirror_at, mirror_seq, correlation_id,
        set_config('pao.audit', 'explicit', true)
    FROM requests WHERE id = :id FOR UPDATE
    """
).bindparams(bindparam("id", type_=PG_UUID()))

# A field of a snapshot, or of an action's state, is stored in the column of its name: one that is
# added to both is mirrored without another word here.
_REQUEST_COLUMNS = copied_columns(Snapshot, Request)
_ACTION_COLUMNS = copied_columns(ActionState, RequestAction)
_DECISION_COLUMNS = copied_columns(DecisionRecord, DecisionRow)
# What the plan says of an action; no write changes it.
_PLANNED = frozenset({"type", "name"})

_GIVEN = f"""
        FROM jsonb_to_record(:snapshot) AS given (
            request_id uuid, {record_definition(_REQUEST_COLUMNS)}, escalation jsonb,
            actions jsonb, decisions jsonb, audit jsonb, stream jsonb,
            after_at text, after_seq integer
        )
        JOIN requests ON requests.id = given.request_id
"""

_SNAPSHOT = f"""
    WITH snapshot AS MATERIALIZED (
        SELECT given.*, requests.correlation_id
        {_GIVEN}
    )
"""

# The snapshot, if its row is as the run's last write has left it, or as it was first stored; else
# nothing. The row is locked and compared as it is then, which may be newer than what the rest of
# the statement sees; but a write of this run that came in between has changed what is compared.
# Only a straggler has not: should it have taken a number meanwhile, the whole statement fails.
_NEXT_SNAPSHOT = f"""
    WITH snapshot AS MATERIALIZED (
        SELECT given.*, requests.correlation_id,
            set_config('pao.audit', 'explicit', true) AS audit_mode
        {_GIVEN}
        WHERE NOT request_is_finished(requests.status) AND CASE
            WHEN given.after_seq = 0 THEN requests.run_id IS NULL AND requests.mirror_at IS NULL
            ELSE requests.run_id = given.run_id
                AND requests.mirror_at = given.after_at::timestamptz
                AND requests.mirror_seq = given.after_seq
                AND (given.mirror_at, given.mirror_seq)
                    > (requests.mirror_at, requests.mirror_seq)
        END
        FOR UPDATE OF requests
    )
"""

_ACTION = f"""
    , action AS (
        SELECT
            snapshot.request_id, snapshot.run_id, snapshot.mirror_seq, given.*,
            given.attempt > 0 OR given.status NOT IN ('pending', 'skipped') AS started
        FROM snapshot, jsonb_to_recordset(snapshot.actions) AS given (
            id text, index integer, {record_definition(_ACTION_COLUMNS)}
        )
    )
"""  # noqa: S608 -- names of our own columns.

# What is new of a snapshot's lines or entries. The request's row is locked, so nobody adds any
# meanwhile; a number that another line has taken is replaced by the next free one.
# An identity is computed once, not for every line that it is compared with (MATERIALIZED).
# What is there already is looked up by key, once, within a fence (OFFSET): a connection keeps the
# plan of its first writes, and one that joined the tables while they were small would read them
# whole in every write, however long they have become.
_NEW = """
    , {stored} AS MATERIALIZED (
        SELECT known.seq, known.identity
        FROM snapshot CROSS JOIN LATERAL (
            SELECT seq, identity FROM {table} AS one
            WHERE one.request_id = snapshot.request_id AND one.run_id = snapshot.run_id
            OFFSET 0
        ) AS known
    ),
    {new} AS (
        SELECT
            given.*,
            CASE WHEN EXISTS (SELECT FROM {stored} AS known WHERE known.seq = given.seq)
                THEN greatest(max(given.seq) OVER (), (SELECT max(seq) FROM {stored}))
                    + row_number() OVER (ORDER BY given.seq)
                ELSE given.seq
            END AS free_seq
        FROM {given} AS given
        WHERE NOT EXISTS (
            SELECT FROM {stored} AS known
            WHERE known.identity = given.identity
                OR (known.identity IS NULL OR given.identity IS NULL) AND known.seq = given.seq
        )
    )
"""

_LINES = (
    """
    , line AS MATERIALIZED (
        SELECT
            snapshot.request_id, snapshot.run_id, snapshot.correlation_id, given.seq, given.at,
            given.event_type, given.actor, given.via, given.reason, given.action_id,
            coalesce(given.data, '{}') AS data,
            md5(jsonb_build_array(
                given.event_type, given.actor, given.via, given.reason, given.action_id, given.data
            )::text) || '-' || given.occurrence AS identity
        FROM snapshot, jsonb_to_recordset(snapshot.audit) AS given (
            seq integer, at timestamptz, event_type text, actor text, via text, reason text,
            action_id text, data jsonb, occurrence integer
        )
    ),
    entry AS MATERIALIZED (
        SELECT
            snapshot.request_id, snapshot.run_id, given.seq, given.at, given.kind,
            coalesce(given.data, '{}') AS data,
            md5(jsonb_build_array(given.kind, given.data)::text) || '-' || given.occurrence
                AS identity
        FROM snapshot, jsonb_to_recordset(snapshot.stream) AS given (
            seq integer, at timestamptz, kind text, data jsonb, occurrence integer
        )
    )
    """
    + _NEW.format(new="new_line", stored="stored_line", given="line", table="audit_logs")
    + _NEW.format(new="new_entry", stored="stored_entry", given="entry", table="request_events")
)

# The statement reads request_actions as they were before it, so that this write's own starts are
# not among them; the very same write, executed again, leaves them out by their origin.
_STARTED_BEFORE = """
    (
        SELECT coalesce(array_agg(known.action_id ORDER BY known.action_index), '{}')
        FROM request_actions AS known, snapshot
        WHERE known.request_id = snapshot.request_id AND known.ever_started
            AND (known.started_run_id, known.started_seq)
                IS DISTINCT FROM (snapshot.run_id, snapshot.mirror_seq)
    ) AS started
"""

_RECORDS = f"""
    , written_decisions AS (
        INSERT INTO decisions (
            request_id, {", ".join(_DECISION_COLUMNS)}, run_id, mirror_at, mirror_seq
        )
        SELECT
            snapshot.request_id, given.*, snapshot.run_id, snapshot.mirror_at, snapshot.mirror_seq
        FROM snapshot, jsonb_to_recordset(snapshot.decisions) AS given (
            {record_definition(_DECISION_COLUMNS)}
        )
        ON CONFLICT (request_id, decision_id) DO UPDATE SET
            accepted = excluded.accepted, outcome = excluded.outcome, message = excluded.message,
            changes = coalesce(nullif(decisions.changes, '{{}}'), excluded.changes),
            run_id = excluded.run_id,
            code = coalesce(excluded.code, decisions.code),
            details = coalesce(excluded.details, decisions.details),
            mirror_at = excluded.mirror_at, mirror_seq = excluded.mirror_seq
        WHERE :replace AND decisions.outcome = 'open'
            AND (NOT decisions.accepted OR excluded.accepted OR excluded.outcome <> 'open')
            AND (decisions.mirror_at, decisions.mirror_seq)
                < (excluded.mirror_at, excluded.mirror_seq)
    ),
    written_audit AS (
        INSERT INTO audit_logs (
            request_id, action_id, correlation_id, event_type, event_data, actor, via, reason, at,
            source_system, run_id, seq, identity
        )
        SELECT
            request_id, action_id, correlation_id, event_type, data, actor, via, reason, at,
            CASE WHEN :replace THEN 'workflow' ELSE 'superseded' END, run_id, free_seq, identity
        FROM new_line
        ORDER BY seq
    ),
    written_stream AS (
        INSERT INTO request_events (request_id, run_id, seq, kind, at, data, identity)
        SELECT request_id, run_id, free_seq, kind, at, data, identity
        FROM new_entry
        WHERE :replace
        ORDER BY seq
    )
"""  # noqa: S608 -- names of our own columns.

_ACTIONS = f"""
    , written_actions AS (
        INSERT INTO request_actions AS stored (
            request_id, action_id, action_index, started_run_id, started_seq,
            {", ".join(_ACTION_COLUMNS)}
        )
        SELECT
            request_id, id, index,
            CASE WHEN started THEN run_id END, CASE WHEN started THEN mirror_seq END,
            {", ".join(_ACTION_COLUMNS)}
        FROM action
        ON CONFLICT (request_id, action_id) DO UPDATE SET
            started_run_id = coalesce(stored.started_run_id, excluded.started_run_id),
            started_seq = coalesce(stored.started_seq, excluded.started_seq),
            {assignments("excluded", [one for one in _ACTION_COLUMNS if one not in _PLANNED])}
        RETURNING 1
    )
"""  # noqa: S608 -- names of our own columns.

# Counting the written actions makes them go first: once the request is finished, a trigger refuses
# any change of them.
_REQUEST = f"""
    UPDATE requests SET
        {assignments("snapshot", _REQUEST_COLUMNS)},
        escalation_ticket_key = snapshot.escalation->>'ticketKey',
        escalation_url = snapshot.escalation->>'url',
        escalated_at = (snapshot.escalation->>'escalatedAt')::timestamptz,
        escalated_by = snapshot.escalation->>'escalatedBy',
        escalation_reason = snapshot.escalation->>'reason',
        settled_at = coalesce(
            settled_at,
            CASE WHEN snapshot.status NOT IN ('submitted', 'in_progress')
                THEN snapshot.mirror_at END
        )
    FROM snapshot, (SELECT count(*) FROM written_actions) AS actions_first
    WHERE requests.id = snapshot.request_id
    RETURNING pg_notify(:channel, requests.id::text)::text AS notified, requests.updated_at,
"""  # noqa: S608 -- names of our own columns.

_NOTIFY = """
    SELECT
        pg_notify(:channel, snapshot.request_id::text)::text AS notified,
        NULL::timestamptz AS updated_at,
"""

_REMEMBER = """
    UPDATE request_actions AS known
    SET started_run_id = action.run_id, started_seq = action.mirror_seq
    FROM action, requests
    WHERE known.request_id = action.request_id AND known.action_id = action.id
        AND action.started AND NOT known.ever_started
        AND requests.id = action.request_id AND NOT request_is_finished(requests.status)
"""

# What this write has added, by the numbers of the snapshot.
_ADDED = """
    , (SELECT coalesce(array_agg(seq), '{}') FROM new_line) AS lines
    , (SELECT coalesce(array_agg(seq), '{}') FROM new_entry WHERE :replace) AS entries
"""

_WRITE = (_ACTION, _LINES, _RECORDS, _ACTIONS, _REQUEST, _STARTED_BEFORE, _ADDED)
WRITE = _statement(_SNAPSHOT, *_WRITE)
NEXT = _statement(_NEXT_SNAPSHOT, *_WRITE, ", snapshot.correlation_id")
APPEND = _statement(
    _SNAPSHOT, _ACTION, _LINES, _RECORDS, _NOTIFY, _STARTED_BEFORE, _ADDED, "FROM snapshot"
)
REMEMBER_STARTED = _statement(_SNAPSHOT, _ACTION, _REMEMBER)
