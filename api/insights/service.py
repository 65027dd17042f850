"""Reads statistics over many requests, on behalf of a caller."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.access import AccessPolicy
from api.auth.principal import Principal
from api.insights.schemas import Insights, ItemFailures, ItemTimes, Spread, TeamWaits
from db.repositories import insights as stored
from db.repositories.insights import InsightsRepository, InsightsScope
from db.session import Database
from pao.core.failure_classes import Cause
from pao.core.timestamps import timestamp

PERIODS = (7, 30, 90)
"""The periods in days; requests are kept for 90 days after their end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsService:
    """Counts only what the caller may see."""

    access: AccessPolicy
    database: Database

    async def read(
        self, caller: Principal, *, days: int, item: str | None = None, team: str | None = None
    ) -> Insights:
        """Return the insights of the last days, narrowed to an item or an owning team."""
        until = datetime.now(UTC)
        since = until - timedelta(days=days)
        scope = InsightsScope(
            visibility=self.access.visibility(caller), since=since, item=item, team=team
        )
        async with self.database.reading() as session:
            repository = InsightsRepository(session)
            times = await repository.times(scope)
            failures = await repository.failures(scope)
            waiting = await repository.waiting(scope)
        return Insights(
            days=days,
            since=timestamp(since),
            until=timestamp(until),
            item=item,
            team=team,
            times=sorted(map(_times, times), key=_by_waiting),
            failures=_failures(failures),
            waiting=[_waits(one) for one in sorted(waiting, key=lambda one: one.oldest)],
        )


def _times(row: stored.ItemTimes) -> ItemTimes:
    return ItemTimes(
        item=row.item,
        name=row.name,
        requests=row.requests,
        machine_seconds=_spread(row.machine),
        human_seconds=_spread(row.human),
    )


def _spread(seconds: tuple[float, float]) -> Spread:
    median, p90 = seconds
    return Spread(median=round(median, 1), p90=round(p90, 1))


def _by_waiting(row: ItemTimes) -> tuple[float, float, str]:
    return -row.human_seconds.p90, -row.machine_seconds.p90, row.item


def _failures(rows: Iterable[stored.ItemFailures]) -> list[ItemFailures]:
    names: dict[str, str] = {}
    causes: dict[str, dict[Cause, int]] = {}
    for row in rows:
        cause = Cause(row.cause) if row.cause in set(Cause) else Cause.UNKNOWN
        names[row.item] = row.name
        of_item = causes.setdefault(row.item, {})
        of_item[cause] = of_item.get(cause, 0) + row.failures
    found = [
        ItemFailures(
            item=item,
            name=names[item],
            failures=sum(counts.values()),
            causes={one: counts[one] for one in sorted(counts, key=lambda one: -counts[one])},
        )
        for item, counts in causes.items()
    ]
    return sorted(found, key=lambda one: (-one.failures, one.item))


def _waits(row: stored.TeamWaits) -> TeamWaits:
    return TeamWaits(
        team=row.team,
        waiting=row.waiting,
        oldest_since=timestamp(row.oldest),
        under_an_hour=row.under_an_hour,
        under_a_day=row.under_a_day,
        under_a_week=row.under_a_week,
        longer=row.longer,
    )
