"""Requests: storing new ones, reading one, and their idempotency keys.

Pages of the list are in request_pages.py; what a workflow writes later is in mirror.py.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import IdempotencyKey, Request, RequestAction
from db.repositories import approvers
from db.repositories.copied_columns import columns_named, copied_columns, record_definition
from db.repositories.request_visibility import Visibility, may_decide
from db.request_columns import STORED, columns_of
from pao.core.payloads.context import RequestContext
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import IdempotencyRecord
from pao.core.states import RequestStatus

API = "api"
"""The run id under which the entries of the submission itself stand in the request's stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request that was accepted: what is stored is what its workflow will be given.

    ``sent`` and ``computed`` name, for the audit trail, the fields that the caller sent and those
    that the form computed.
    """

    context: RequestContext
    plan: list[PlannedAction] = field(default_factory=list)
    user_arn: str | None = None
    parent_id: str | None = None
    component_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    via: str = API
    sent: list[str] = field(default_factory=list)
    computed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """Which request a caller's key belongs to; ``won`` when this call is the first with it."""

    request_id: str
    body_digest: bytes
    won: bool


# The columns of a new request: those of its context, and its own fields of the same name.
_COLUMNS = {
    **columns_named(Request, STORED),
    **copied_columns(NewRequest, Request),
}
_REQUEST = f"""
    WITH given AS MATERIALIZED (
        SELECT new.*, set_config('pao.audit', 'explicit', true) AS audit_mode
        FROM jsonb_to_record(:given) AS new (
            {record_definition(_COLUMNS)}, via text, sent jsonb, computed jsonb
        )
    ),
    request AS (
        INSERT INTO requests ({", ".join(_COLUMNS)}, updated_at)
        SELECT {", ".join(_COLUMNS)}, created_at
        FROM given WHERE audit_mode = 'explicit'
        ON CONFLICT (id) DO NOTHING
        RETURNING id
    ),
    stored AS (SELECT given.* FROM given JOIN request USING (id)),
"""  # noqa: S608 -- names of our own columns.
_ACTIONS = """
    actions AS (
        INSERT INTO request_actions (
            request_id, action_id, action_index, type, name, config, cleanup
        )
        SELECT
            stored.id, planned.id, planned.index, planned.type, planned.name, planned.config,
            planned.cleanup
        FROM stored, jsonb_to_recordset(stored.plan) AS planned (
            id text, index integer, type text, name text, config jsonb, cleanup text,
            fallback boolean, notice text
        )
        WHERE NOT coalesce(planned.fallback, false) AND planned.notice IS NULL
    ),
    audit AS (
        INSERT INTO audit_logs (
            request_id, correlation_id, event_type, event_data, actor, via, at, source_system
        )
        SELECT
            id, correlation_id, 'request.submitted',
            jsonb_build_object(
                'to', 'submitted', 'item', catalog_item_id, 'version', catalog_item_version
            ) || CASE
                WHEN coalesce(jsonb_array_length(computed), 0) = 0 THEN '{}'
                ELSE jsonb_build_object('sent', sent, 'computed', computed)
            END,
            user_id, via, created_at, 'api'
        FROM stored
    )
    INSERT INTO request_events (request_id, run_id, seq, kind, at, data)
    SELECT id, 'api', 0, 'state', created_at, '{"status": "submitted", "retrying": false}'
    FROM stored
    RETURNING request_id
"""
_INSERT = text(_REQUEST + _ACTIONS).bindparams(bindparam("given", type_=JSONB()))


# Components of a bundle are started by the bundle.
_NEVER_STARTED = (
    col(Request.run_id).is_(None),
    col(Request.status) == RequestStatus.SUBMITTED,
    col(Request.parent_id).is_(None),
)


class RequestsRepository:
    """Stores requests and reads them one by one."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def insert(self, new: NewRequest) -> bool:
        """Store a request as ``submitted`` with its pending actions, audit row and first entry.

        One that is stored already stays as it is (False), so that a write whose outcome is unknown
        can be repeated.
        """
        written = await self._session.execute(_INSERT, {"given": columns_of_new(new)})
        return written.first() is not None

    async def get(self, request_id: str) -> Request | None:
        """Read a request with everything it holds; ``None`` when there is none of that id."""
        return await self._session.get(Request, UUID(request_id))

    async def get_components(self, request_id: str) -> list[Request]:
        """Read the requests of a bundle's components, in no order that means anything."""
        query = select(Request).where(
            col(Request.parent_id) == UUID(request_id), col(Request.component_id).is_not(None)
        )
        return list((await self._session.scalars(query)).all())

    async def get_actions_of(self, request_ids: Sequence[UUID]) -> dict[UUID, list[RequestAction]]:
        """Read the actions of several requests, each in the order of its plan."""
        query = (
            select(RequestAction)
            .where(col(RequestAction.request_id).in_(request_ids))
            .order_by(col(RequestAction.action_index), col(RequestAction.action_id))
        )
        actions: dict[UUID, list[RequestAction]] = {one: [] for one in request_ids}
        for action in await self._session.scalars(query):
            actions[action.request_id].append(action)
        return actions

    async def get_actions(self, request_id: str) -> list[RequestAction]:
        """Read the request's actions in the order of the plan."""
        query = (
            select(RequestAction)
            .where(col(RequestAction.request_id) == UUID(request_id))
            .order_by(col(RequestAction.action_index), col(RequestAction.action_id))
        )
        return list((await self._session.scalars(query)).all())

    async def is_asked(self, request_id: str, viewers: list[str]) -> bool:
        """Return whether one of these viewers was asked to approve something of the request."""
        query = select(col(Request.id)).where(
            col(Request.id) == UUID(request_id), approvers.is_among(viewers)
        )
        return (await self._session.scalar(query)) is not None

    async def may_decide(self, request_id: str, visibility: Visibility) -> bool:
        """Return whether a request waits for a decision that this person may make."""
        query = select(col(Request.id)).where(
            col(Request.id) == UUID(request_id), may_decide(visibility)
        )
        return (await self._session.scalar(query)) is not None

    async def claim_idempotency(
        self, record: IdempotencyRecord, *, request_id: str
    ) -> IdempotencyClaim:
        """Claim a caller's key for a request that is stored in this same transaction.

        Of concurrent callers one wins; the others wait for its commit and get the request that the
        key stands for.
        """
        digest = record.digest.encode()
        claim = (
            insert(IdempotencyKey)
            .values(
                caller_id=record.caller_id,
                key=record.key,
                body_digest=digest,
                request_id=UUID(request_id),
            )
            .on_conflict_do_nothing()
            .returning(col(IdempotencyKey.request_id))
        )
        if (await self._session.execute(claim)).first() is not None:
            return IdempotencyClaim(request_id, digest, won=True)
        claimed = await self.find_by_idempotency(record.caller_id, record.key)
        if claimed is None:
            raise LookupError("an idempotency key was taken and is gone; keys are never removed")
        return claimed

    async def find_by_idempotency(self, caller_id: str, key: str) -> IdempotencyClaim | None:
        """Return the request and body that a caller's key belongs to; ``None`` when it is new."""
        query = select(col(IdempotencyKey.request_id), col(IdempotencyKey.body_digest)).where(
            col(IdempotencyKey.caller_id) == caller_id, col(IdempotencyKey.key) == key
        )
        row = (await self._session.execute(query)).first()
        return None if row is None else IdempotencyClaim(str(row[0]), row[1], won=False)

    async def idempotency_of(self, request_id: str) -> IdempotencyRecord | None:
        """Return the key that a request was submitted with; ``None`` when there was none."""
        query = select(IdempotencyKey).where(
            col(IdempotencyKey.request_id) == UUID(request_id),
            # Those of decisions about it have blanks.
            ~col(IdempotencyKey.key).contains(" "),
        )
        row = (await self._session.scalars(query)).first()
        if row is None:
            return None
        return IdempotencyRecord(row.caller_id, row.key, row.body_digest.decode())

    async def unstarted(
        self, *, older_than: timedelta, younger_than: timedelta, limit: int = 100
    ) -> list[Request]:
        """Read requests that were stored but that no workflow has mirrored yet, oldest first."""
        now = datetime.now(UTC)
        query = (
            select(Request)
            .where(
                *_NEVER_STARTED,
                col(Request.created_at).between(now - younger_than, now - older_than),
            )
            .order_by(col(Request.created_at))
            .limit(limit)
        )
        return list((await self._session.scalars(query)).all())

    async def unstarted_since(self) -> datetime | None:
        """Return since when the oldest request waits to be mirrored; None if none does."""
        query = select(func.min(col(Request.created_at))).where(*_NEVER_STARTED)
        return await self._session.scalar(query)


def columns_of_new(new: NewRequest) -> dict[str, Any]:
    """Return what is stored of a new request, by column."""
    own = {one.name: getattr(new, one.name) for one in fields(new) if one.name != "context"}
    return own | columns_of(new.context) | {"plan": [asdict(action) for action in new.plan]}
