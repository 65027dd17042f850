"""History of an item's requests: how long they took, similar failures, and what helped.

Every query reads a bounded number of the item's newest requests, by the index of its requests: it
costs the same with a thousand requests and with a million.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Float,
    Select,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import DecisionRow, Request, RequestAction, RequestEvent
from db.repositories.request_visibility import Visibility, may_see
from pao.core.states import ActionStatus, RequestStatus

PERIOD = timedelta(days=90)
MOST_MEASURED = 500
MOST_COMPARED = 2_000
MOST_SHOWN = 50

_OPEN = (RequestStatus.SUBMITTED, RequestStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemHistory:
    """How requests of an item went, in seconds; ``helped`` of those ``ended`` needed a person."""

    completed: int
    ended: int
    helped: int
    median: float | None
    most: float | None
    """What nine out of ten stay within."""
    steps: Mapping[str, tuple[int, float]]
    """By action: how often it was measured, and what nine out of ten stay within."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarFailure:
    """A request in which the same action failed for the same cause, and what was decided."""

    request_id: str
    title: str | None
    user_id: str
    status: RequestStatus
    action_status: ActionStatus
    failed_at: datetime
    decision: str | None
    by: str | None
    reason: str | None
    at: datetime | None
    changes: dict[str, Any] | None


class HistoryRepository:
    """Reads the history of requests."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def measure(self, item_id: str) -> ItemHistory:
        """Return the history of an item's newest requests."""
        totals = (await self._session.execute(totals_query(item_id))).one()
        steps = await self._session.execute(steps_query(item_id))
        return ItemHistory(
            completed=totals.completed,
            ended=totals.ended,
            helped=totals.helped,
            median=totals.spans[0] if totals.spans else None,
            most=totals.spans[1] if totals.spans else None,
            steps={row.action_id: (row.times, row.most) for row in steps},
        )

    async def similar_failures(
        self, request: Request, action_id: str, cause: str, visibility: Visibility
    ) -> list[SimilarFailure]:
        """Return failures of other requests like that of an action, the newest first."""
        query = similar_failures_query(request, action_id, cause, visibility)
        rows = (await self._session.execute(query)).mappings()
        return [SimilarFailure(**{**row, "request_id": str(row["request_id"])}) for row in rows]


def totals_query(item_id: str) -> Select[*tuple[Any, ...]]:
    """Return the query of an item's totals; also for tests of its plan."""
    recent = _recent(item_id, MOST_MEASURED).subquery("recent")
    done = recent.c.status == RequestStatus.COMPLETED
    finished = (
        select(func.max(col(RequestAction.finished_at)))
        .where(col(RequestAction.request_id) == recent.c.id)
        .scalar_subquery()
    )
    length = _seconds(func.coalesce(finished, recent.c.settled_at) - recent.c.created_at)
    decided = exists().where(col(DecisionRow.request_id) == recent.c.id)
    spans = func.percentile_cont(literal([0.5, 0.9], ARRAY(Float))).within_group(
        case((done, length))
    )
    return select(
        func.count().filter(done).label("completed"),
        func.count().filter(recent.c.status.not_in(_OPEN)).label("ended"),
        func.count()
        .filter(
            recent.c.status.not_in(_OPEN),
            or_(recent.c.status != RequestStatus.COMPLETED, decided),
        )
        .label("helped"),
        spans.label("spans"),
    ).select_from(recent)


def steps_query(item_id: str) -> Select[*tuple[Any, ...]]:
    """Return the query of how long an item's actions took; also for tests of its plan."""
    recent = _recent(item_id, MOST_MEASURED).subquery("recent")
    length = _seconds(col(RequestAction.finished_at) - col(RequestAction.started_at))
    return (
        select(
            col(RequestAction.action_id),
            func.count().label("times"),
            func.percentile_cont(0.9).within_group(length).label("most"),
        )
        .join(recent, recent.c.id == col(RequestAction.request_id))
        .where(
            col(RequestAction.status) == ActionStatus.COMPLETED,
            col(RequestAction.started_at).is_not(None),
            col(RequestAction.finished_at).is_not(None),
        )
        .group_by(col(RequestAction.action_id))
    )


def similar_failures_query(
    request: Request, action_id: str, cause: str, visibility: Visibility
) -> Select[*tuple[Any, ...]]:
    """Return the query of similar failures; also for tests of its plan."""
    others: list[ColumnElement[bool]] = [col(Request.id) != request.id, may_see(visibility)]
    recent = _recent(request.catalog_item_id, MOST_COMPARED, *others).subquery("recent")
    event, data = col(RequestEvent.request_id), col(RequestEvent.data)
    failed = (
        select(func.max(col(RequestEvent.at)).label("at"))
        .where(
            event == recent.c.id,
            col(RequestEvent.kind) == "action",
            data["id"].astext == action_id,
            data["status"].astext == ActionStatus.FAILED.value,
            data["error"]["cause"].astext == cause,
        )
        .lateral("failed")
    )
    decided = (
        select(
            col(DecisionRow.decision),
            col(DecisionRow.by),
            col(DecisionRow.reason),
            col(DecisionRow.at),
            col(DecisionRow.changes),
        )
        .where(
            col(DecisionRow.request_id) == recent.c.id,
            col(DecisionRow.accepted),
            col(DecisionRow.at) >= failed.c.at,
        )
        .order_by(col(DecisionRow.at))
        .limit(1)
        .lateral("decided")
    )
    # A request that never failed has no decision: most are left out before their events are read.
    may_have_failed = or_(
        recent.c.status == RequestStatus.FAILED,
        exists().where(col(DecisionRow.request_id) == recent.c.id),
    )
    return (
        select(
            recent.c.id.label("request_id"),
            recent.c.title,
            recent.c.user_id,
            recent.c.status,
            col(RequestAction.status).label("action_status"),
            failed.c.at.label("failed_at"),
            decided.c.decision,
            decided.c.by,
            decided.c.reason,
            decided.c.at,
            decided.c.changes,
        )
        .select_from(recent)
        .join(failed, failed.c.at.is_not(None))
        .join(
            RequestAction,
            and_(
                col(RequestAction.request_id) == recent.c.id,
                col(RequestAction.action_id) == action_id,
            ),
        )
        .outerjoin(decided, true())
        .where(may_have_failed)
        .order_by(failed.c.at.desc())
        .limit(MOST_SHOWN)
    )


def _recent(item_id: str, most: int, *conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            col(Request.id),
            col(Request.title),
            col(Request.user_id),
            col(Request.status),
            col(Request.created_at),
            col(Request.settled_at),
        )
        .where(
            col(Request.catalog_item_id) == item_id,
            col(Request.created_at) > func.now() - literal(PERIOD),
            *conditions,
        )
        .order_by(col(Request.created_at).desc(), col(Request.id).desc())
        .limit(most)
    )


def _seconds(length: ColumnElement[Any]) -> ColumnElement[float]:
    return cast(extract("epoch", length), Float)
