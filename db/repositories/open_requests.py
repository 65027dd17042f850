"""Open requests for the reconciler, and the one transition that it makes itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import Request
from db.repositories.mirror_sql import CHANNEL
from pao.core.payloads.failures import ActionFailure
from pao.core.states import TERMINAL, RequestStatus

OPEN = [status for status in RequestStatus if status not in TERMINAL]
RECONCILER = "reconciler"


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """The state of an open request, as the mirror has it."""

    id: str
    status: RequestStatus
    run_id: str | None
    mirror_at: datetime | None
    mirror_seq: int | None
    correlation_id: str
    created_at: datetime
    updated_at: datetime
    is_component: bool = False

    @property
    def key(self) -> tuple[datetime, str]:
        """The key of the order in which the reconciler visits requests."""
        return (self.created_at, self.id)


_COLUMNS = (
    col(Request.id),
    col(Request.status),
    col(Request.run_id),
    col(Request.mirror_at),
    col(Request.mirror_seq),
    col(Request.correlation_id),
    col(Request.created_at),
    col(Request.updated_at),
    col(Request.parent_id),
)

_FAIL = text(
    """
    WITH moved AS (
        UPDATE requests SET
            status = 'failed', retrying = false, error = :error,
            settled_at = coalesce(settled_at, now())
        WHERE id = :id AND status = :status
            AND run_id IS NOT DISTINCT FROM :run_id
            AND mirror_at IS NOT DISTINCT FROM :mirror_at
            AND mirror_seq IS NOT DISTINCT FROM :mirror_seq
            AND set_config('pao.audit', 'explicit', true) = 'explicit'
        RETURNING id, correlation_id, run_id
    ),
    line AS (
        INSERT INTO audit_logs (
            request_id, correlation_id, event_type, event_data, actor, via, reason, source_system
        )
        SELECT
            id, correlation_id, 'request.failed',
            jsonb_build_object('from', CAST(:status AS text), 'to', 'failed'),
            'reconciler', 'reconciler', :reason, 'reconciler'
        FROM moved
    ),
    entry AS (
        INSERT INTO request_events (request_id, run_id, seq, kind, at, data)
        SELECT
            id, 'reconciler:' || coalesce(run_id, ''), 0, 'state', now(),
            '{"status": "failed", "retrying": false}'
        FROM moved
        ON CONFLICT (request_id, run_id, seq) DO NOTHING
    )
    SELECT pg_notify(:channel, id::text)::text FROM moved
    """
).bindparams(bindparam("error", type_=JSONB()), bindparam("id", type_=PG_UUID()))


class OpenRequestsRepository:
    """Reads open requests in a fixed order, and fails one whose workflow is gone."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(
        self, *, after: tuple[datetime, str] | None, limit: int, quiet_since: datetime
    ) -> list[OpenRequest]:
        """Read the next open requests, oldest first, that have not changed since a moment."""
        query = select(*_COLUMNS).where(
            col(Request.status).in_(OPEN), col(Request.updated_at) < quiet_since
        )
        if after is not None:
            place = tuple_(col(Request.created_at), col(Request.id))
            query = query.where(place > (after[0], UUID(after[1])))
        order = (col(Request.created_at), col(Request.id))
        rows = (await self._session.execute(query.order_by(*order).limit(limit))).all()
        return [_from_row(row) for row in rows]

    async def named(self, request_ids: Sequence[str]) -> list[OpenRequest]:
        """Return the open ones of these requests; values that are not ids are skipped."""
        ids = [UUID(one) for one in request_ids if _is_id(one)]
        query = select(*_COLUMNS).where(col(Request.id).in_(ids), col(Request.status).in_(OPEN))
        return [_from_row(row) for row in (await self._session.execute(query)).all()]

    async def missing(self, request_ids: Sequence[str]) -> list[str]:
        """Return the ids of those requests that have no row, open or not."""
        ids = {one: UUID(one) for one in request_ids if _is_id(one)}
        query = select(col(Request.id)).where(col(Request.id).in_(ids.values()))
        stored = set(await self._session.scalars(query))
        return [one for one, id_ in ids.items() if id_ not in stored]

    async def fail(self, request: OpenRequest, *, failure: ActionFailure) -> bool:
        """Move a request whose workflow is gone to ``failed``, with its line in the audit trail.

        False if it has changed since it was read: then another process handles it.
        """
        moved = await self._session.execute(
            _FAIL,
            {
                "id": UUID(request.id),
                "status": request.status.value,
                "run_id": request.run_id,
                "mirror_at": request.mirror_at,
                "mirror_seq": request.mirror_seq,
                "error": failure.public_document(),
                "reason": failure.message,
                "channel": CHANNEL,
            },
        )
        return moved.first() is not None


def _from_row(row: Any) -> OpenRequest:
    request_id, status, run_id, mirror_at, mirror_seq, correlation_id, created, updated, parent = (
        row
    )
    return OpenRequest(
        id=str(request_id),
        status=RequestStatus(status),
        run_id=run_id,
        mirror_at=mirror_at,
        mirror_seq=mirror_seq,
        correlation_id=str(correlation_id),
        created_at=created,
        updated_at=updated,
        is_component=parent is not None,
    )


def _is_id(text_: str) -> bool:
    try:
        UUID(text_)
    except ValueError:
        return False
    return True
