"""Statistics of earlier requests of an item: how long they took, similar failures, solutions."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cachetools import TTLCache

from api.access import AccessPolicy
from api.auth.principal import Principal
from api.requests import schemas
from api.requests.presentation import failure
from api.requests.reading import ReadingService, StoredRequest
from db.repositories.events import EventsRepository
from db.repositories.request_history import HistoryRepository, ItemHistory, SimilarFailure
from db.repositories.request_waits import RequestWaitsRepository
from db.session import Database
from pao.core.states import ActionStatus, Decision, RequestStatus
from pao.core.timestamps import timestamp

FEWEST = 5
"""With fewer measurements there are no statistics."""
SHOWN = 5
MOST_EVENTS = 2_000
_REMEMBERED_SECONDS, _MOST_REMEMBERED = 60, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualTimes:
    """How requests of an item usually go, in seconds and percent."""

    median: float
    most: float
    helped_percent: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanWait:
    """A time in which a request, or a component of it, waited for people."""

    component: str | None
    action_id: str | None
    kind: str
    since: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """Something that happened to a request, or to a component of it."""

    component: str | None
    kind: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryService:
    """Answers from the newest requests of an item, within 90 days."""

    access: AccessPolicy
    database: Database
    reading: ReadingService
    _measured: TTLCache[str, ItemHistory] = field(
        default_factory=lambda: TTLCache(_MOST_REMEMBERED, _REMEMBERED_SECONDS)
    )

    async def usual_times(self, item_id: str) -> UsualTimes | None:
        """Return how requests of an item usually go; None where too few are known."""
        found = await self._measure(item_id)
        if found.completed < FEWEST or found.median is None or found.most is None:
            return None
        return UsualTimes(
            median=found.median,
            most=found.most,
            helped_percent=round(100 * found.helped / found.ended),
            times=found.completed,
        )

    async def usual_step_seconds(self, item_id: str) -> dict[str, float]:
        """Return by action what nine of ten of its runs stay within, in seconds."""
        found = await self._measure(item_id)
        return {name: most for name, (times, most) in found.steps.items() if times >= FEWEST}

    async def similar_failures(self, caller: Principal, request_id: str) -> schemas.SimilarFailures:
        """Return the outcomes of requests of the item that failed in the same action and cause.

        Only requests that the caller may see are included; none if no action has failed.
        """
        stored = await self.reading.get(caller, request_id)
        failed = next((one for one in stored.actions if one.status == ActionStatus.FAILED), None)
        error = failure(failed.error) if failed else None
        if failed is None or error is None or error.cause is None:
            return _similar_failures(None, None, [])
        async with self.database.reading() as session:
            found = await HistoryRepository(session).similar_failures(
                stored.row, failed.action_id, error.cause, self.access.visibility(caller)
            )
        return _similar_failures(failed.action_id, error.cause, found)

    async def waits(self, stored: StoredRequest) -> list[HumanWait]:
        """Return when a request and its components waited for people."""
        names = stored.component_ids
        async with self.database.reading() as session:
            found = await RequestWaitsRepository(session).of([*names])
        return [
            HumanWait(
                component=names[str(one.request_id)],
                action_id=one.action_id,
                kind=one.kind,
                since=one.since,
                ended_at=one.ended_at,
            )
            for one in found
        ]

    async def timeline(self, stored: StoredRequest) -> list[TimelineEvent]:
        """Return the changes of a request, its steps and its components, the oldest first."""
        names = stored.component_ids
        async with self.database.reading() as session:
            found = await EventsRepository(session).page_of(
                dict.fromkeys(names, 0), limit=MOST_EVENTS, kinds=("state", "action")
            )
        return [
            TimelineEvent(component=names[one.request_id], kind=one.kind, at=one.at, data=one.data)
            for one in found
        ]

    async def _measure(self, item_id: str) -> ItemHistory:
        if (cached := self._measured.get(item_id)) is not None:
            return cached
        async with self.database.reading() as session:
            found = await HistoryRepository(session).measure(item_id)
        self._measured[item_id] = found
        return found


def _similar_failures(
    action_id: str | None, cause: str | None, found: list[SimilarFailure]
) -> schemas.SimilarFailures:
    solved = [one for one in found if _is_solved(one)]
    return schemas.SimilarFailures(
        action_id=action_id,
        cause=cause,
        count=len(found),
        solved=len(solved),
        aborted=sum(one.status == RequestStatus.ABORTED for one in found),
        escalated=sum(one.status == RequestStatus.ESCALATED for one in found),
        solutions=[_solution(one) for one in solved[:SHOWN]],
    )


def _is_solved(one: SimilarFailure) -> bool:
    return one.decision == Decision.RETRY and one.action_status == ActionStatus.COMPLETED


def _solution(one: SimilarFailure) -> schemas.Solution:
    return schemas.Solution(
        request_id=one.request_id,
        title=one.title,
        by=one.by or "",
        at=timestamp(one.at) if one.at else "",
        reason=one.reason,
        fields=sorted(one.changes or {}),
    )
