"""Aggregates of many requests: how long they take and wait, what fails, what waits now.

Each counts only requests that the reader may see. Components of a bundle count for their own item,
except in what waits now: there the bundle represents them, as in lists.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Executable,
    Float,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import Request, RequestWait
from db.repositories.request_visibility import Visibility, may_see
from pao.core.states import TERMINAL

_SHARES = (0.5, 0.9)
_HOUR, _DAY, _WEEK = 3600, 86_400, 604_800


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsScope:
    """What is counted: on whose behalf, since when, and of which item or team."""

    visibility: Visibility
    since: datetime
    item: str | None = None
    team: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on ``requests``, without the time."""
        conditions = [may_see(self.visibility)]
        if self.item is not None:
            conditions.append(col(Request.catalog_item_id) == self.item)
        if self.team is not None:
            conditions.append(col(Request.owner_team) == self.team)
        return conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTimes:
    """How long the ended requests of an item took, in seconds: (median, 90th percentile)."""

    item: str
    name: str
    requests: int
    machine: tuple[float, float]
    human: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFailures:
    """How often requests of an item failed for one cause; None where no cause is known."""

    item: str
    name: str
    cause: str | None
    failures: int
    requests: int
    """How many requests those failures were of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamWaits:
    """What waits for a team now: since when the oldest waits, and how many by age."""

    team: str | None
    waiting: int
    oldest: datetime
    under_an_hour: int
    under_a_day: int
    under_a_week: int
    longer: int


class InsightsRepository:
    """Reads the aggregates; each method is one query."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def times(self, scope: InsightsScope) -> list[ItemTimes]:
        """Return the times of requests that ended within the scope, by item."""
        rows = await self._session.execute(_times(scope))
        return [
            ItemTimes(
                item=row.item,
                name=row.name,
                requests=row.requests,
                machine=(row.machine[0], row.machine[1]),
                human=(row.human[0], row.human[1]),
            )
            for row in rows
        ]

    async def failures(self, scope: InsightsScope) -> list[ItemFailures]:
        """Return what failed within the scope, by item and cause; each failed retry counts."""
        item = col(Request.catalog_item_id)
        query: Executable = (
            select(
                item.label("item"),
                func.max(col(Request.catalog_item_name)).label("name"),
                col(RequestWait.cause).label("cause"),
                func.count().label("failures"),
                func.count(col(Request.id).distinct()).label("requests"),
            )
            .join(Request, col(Request.id) == col(RequestWait.request_id))
            .where(
                col(RequestWait.kind) == "failed",
                col(RequestWait.since) >= scope.since,
                *scope.conditions(),
            )
            .group_by(item, col(RequestWait.cause))
        )
        rows = await self._session.execute(query)
        return [ItemFailures(**row._asdict()) for row in rows]

    async def waiting(self, scope: InsightsScope) -> list[TeamWaits]:
        """Return what waits now, by owning team; the scope's time does not matter."""
        since, team = col(Request.waiting_since), col(Request.owner_team)
        age = func.extract("epoch", func.now() - since)
        query: Executable = (
            select(
                team.label("team"),
                func.count().label("waiting"),
                func.min(since).label("oldest"),
                _count_if(age < _HOUR).label("under_an_hour"),
                _count_if(and_(age >= _HOUR, age < _DAY)).label("under_a_day"),
                _count_if(and_(age >= _DAY, age < _WEEK)).label("under_a_week"),
                _count_if(age >= _WEEK).label("longer"),
            )
            .where(since.is_not(None), col(Request.parent_id).is_(None), *scope.conditions())
            .group_by(team)
        )
        rows = await self._session.execute(query)
        return [TeamWaits(**row._asdict()) for row in rows]


def _times(scope: InsightsScope) -> Select[tuple[str, str, int, list[float], list[float]]]:
    ended, since = col(RequestWait.ended_at), col(RequestWait.since)
    waited = (
        select(func.coalesce(func.sum(func.extract("epoch", ended - since)), 0))
        .where(col(RequestWait.request_id) == col(Request.id))
        .scalar_subquery()
    )
    # Its last write; one that was ended without its workflow has none.
    ended_at = func.coalesce(col(Request.mirror_at), col(Request.updated_at))
    took = func.greatest(func.extract("epoch", ended_at - col(Request.created_at)), 0)
    each = (
        select(
            col(Request.catalog_item_id).label("item"),
            col(Request.catalog_item_name).label("name"),
            cast(took, Float).label("took"),
            cast(waited, Float).label("human"),
        )
        .where(
            col(Request.status).in_(TERMINAL),
            col(Request.updated_at) >= scope.since,
            *scope.conditions(),
        )
        .subquery()
    )
    # Clocks of machines differ: people's share is never more than the total.
    human = func.least(each.c.human, each.c.took)
    shares = literal(list(_SHARES), ARRAY(Float))
    return select(
        each.c.item,
        func.max(each.c.name).label("name"),
        func.count().label("requests"),
        func.percentile_cont(shares).within_group(each.c.took - human).label("machine"),
        func.percentile_cont(shares).within_group(human).label("human"),
    ).group_by(each.c.item)


def _count_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
