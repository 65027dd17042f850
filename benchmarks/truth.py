"""Whether every submission is completed in the database and has exactly one ticket."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import httpx

from pao.core.states import SETTLED

# Without any request that completes meanwhile: a burst on a busy machine takes minutes to work off.
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was found of the submissions that were answered."""

    submitted: int
    completed: int
    with_one_ticket: int
    twice: int
    tickets: int
    waiting: tuple[str, ...] = ()
    """Why each failed one failed; it waits for a decision, so it is not lost."""

    @property
    def right(self) -> bool:
        """Return whether all agree."""
        return self.submitted == self.completed == self.with_one_ticket == self.tickets

    @property
    def nothing_lost(self) -> bool:
        """Return whether each is completed or waits for a decision, and none has two tickets."""
        return self.submitted == self.completed + len(self.waiting) and not self.twice

    def text(self) -> str:
        """Say it in words."""
        waiting = f"{len(self.waiting)} waiting for a decision, " if self.waiting else ""
        return (
            f"{self.submitted} submitted, {self.completed} completed, {waiting}"
            f"{self.with_one_ticket} with exactly one ticket of {self.tickets} tickets in all"
        )


async def count(database_url: str, *, jira: str, made: Sequence[str]) -> Truth:
    """Count; requests that still go on are waited for."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await _settled_rows(connection, made)
    finally:
        await connection.close()
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.get(f"{jira}/sandbox/tickets")
    tickets = Counter(
        ticket["correlationId"] for ticket in answer.raise_for_status().json()["tickets"]
    )
    return Truth(
        submitted=len(made),
        completed=sum(row["status"] == "completed" for row in rows),
        with_one_ticket=sum(tickets[str(row["correlation_id"])] == 1 for row in rows),
        twice=sum(tickets[str(row["correlation_id"])] > 1 for row in rows),
        tickets=tickets.total(),
        waiting=tuple(row["message"] for row in rows if row["status"] == "failed"),
    )


async def _settled_rows(
    connection: asyncpg.Connection, made: Sequence[str]
) -> list[asyncpg.Record]:
    fewest, ends = len(made), time.monotonic() + PATIENCE_SECONDS
    while True:
        rows: list[asyncpg.Record] = await connection.fetch(
            "SELECT status, correlation_id, error->>'message' AS message FROM requests"
            " WHERE id = ANY($1::uuid[])",
            list(made),
        )
        open_ones = [row for row in rows if row["status"] not in SETTLED]
        if len(open_ones) < fewest:
            fewest, ends = len(open_ones), time.monotonic() + PATIENCE_SECONDS
        if not open_ones or time.monotonic() > ends:
            return rows
        await asyncio.sleep(PAUSE_SECONDS)
