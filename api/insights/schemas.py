"""Answers about many requests at once."""

from pydantic import Field

from api.schemas import EXAMPLE_TIME, Moment, ResponseBody
from pao.core.failure_classes import Cause


class Spread(ResponseBody):
    """Seconds: the median, and what 90 % stay below."""

    median: float
    p90: float


class ItemTimes(ResponseBody):
    """How long the requests of an item took that ended in the period."""

    item: str
    name: str
    requests: int = Field(description="How many ended")
    machine_seconds: Spread = Field(description="Without the time in which people were awaited")
    human_seconds: Spread = Field(
        description="How long they waited for decisions about failures and for approvals"
    )


class ItemFailures(ResponseBody):
    """How often requests of an item failed in the period, and why."""

    item: str
    name: str
    failures: int = Field(description="Failed retries count as well")
    causes: dict[Cause, int]


class TeamWaits(ResponseBody):
    """What waits now for decisions about a team's items, by how long it has waited."""

    team: str | None = Field(description="The owning team; null for items without one")
    waiting: int
    oldest_since: Moment
    under_an_hour: int
    under_a_day: int
    under_a_week: int
    longer: int


class Insights(ResponseBody):
    """Statistics over the requests that the caller may see."""

    days: int
    since: Moment
    until: Moment
    item: str | None
    team: str | None
    times: list[ItemTimes] = Field(description="The longest waits for people first")
    failures: list[ItemFailures] = Field(description="The most failures first")
    waiting: list[TeamWaits] = Field(description="The oldest first")


INSIGHTS = Insights(
    days=30,
    since="2026-02-03T14:07:09.123Z",
    until=EXAMPLE_TIME,
    item=None,
    team=None,
    times=[
        ItemTimes(
            item="database-standard",
            name="PostgreSQL database",
            requests=42,
            machine_seconds=Spread(median=61.5, p90=204.2),
            human_seconds=Spread(median=0.0, p90=10_860.0),
        )
    ],
    failures=[
        ItemFailures(
            item="database-standard",
            name="PostgreSQL database",
            failures=5,
            causes={Cause.QUOTA: 4, Cause.TARGET_DOWN: 1},
        )
    ],
    waiting=[
        TeamWaits(
            team="data",
            waiting=3,
            oldest_since="2026-03-04T09:30:00.000Z",
            under_an_hour=1,
            under_a_day=1,
            under_a_week=1,
            longer=0,
        )
    ],
)
