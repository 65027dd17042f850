"""Metrics of the whole installation, queried on a scrape, at most every 10 s.

Counters of this process are in api/metrics.py. What cannot be queried now is omitted, or not a
number, instead of being outdated.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from api.catalog.service import CatalogService
from api.metrics import ApiMetrics
from db.repositories.breakers import BreakersRepository
from db.repositories.counts import CountsRepository
from db.repositories.maintenance_runs import MaintenanceRunsRepository
from db.repositories.open_requests import RECONCILER
from db.repositories.requests import RequestsRepository
from db.session import Database
from pao.clients.queues import TaskQueues
from pao.clients.temporal import TemporalUnavailableError
from pao.core.errors import PaoError

_log = logging.getLogger(__name__)

FRESH_SECONDS = 10.0
ASK_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSources:
    """What is measured."""

    metrics: ApiMetrics
    database: Database
    queues: TaskQueues
    catalog: CatalogService


class Measures:
    """Refreshes the gauges; concurrent scrapes query once."""

    def __init__(self, sources: MetricSources) -> None:
        self._sources = sources
        self._measured_at = float("-inf")
        self._lock = asyncio.Lock()

    def forget(self) -> None:
        """Make the next scrape query again, however soon it comes."""
        self._measured_at = float("-inf")

    async def refresh(self) -> None:
        """Set every gauge from its source; never raises, and ends within two seconds."""
        self._catalog()
        async with self._lock:
            if time.monotonic() - self._measured_at < FRESH_SECONDS:
                return
            self._measured_at = time.monotonic()
            await asyncio.gather(
                self._measure("requests", self._requests),
                self._measure("mirror", self._mirror),
                self._measure("waiting", self._waiting),
                self._measure("reconciler", self._reconciler),
                self._measure("queues", self._queues),
                self._measure("breakers", self._breakers),
            )

    async def _measure(self, name: str, ask: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await ask()
        except (PaoError, TemporalUnavailableError, TimeoutError) as error:
            self._sources.metrics.unmeasured.labels(name).inc()
            _log.warning("metrics of %s are omitted: %s", name, type(error).__name__)

    def _catalog(self) -> None:
        state, metrics = self._sources.catalog.state, self._sources.metrics
        metrics.catalog_items.set(state.index.requested)
        metrics.catalog_refused.set(state.refused_files)
        now, since = datetime.now(UTC), state.status.error_since
        metrics.catalog_unread.set((now - since).total_seconds() if since else 0.0)
        metrics.catalog_held.set((state.status.held or {}).get("removes", 0))
        metrics.catalog_unreported.set(len(state.status.unreported))
        if state.loaded_at:
            metrics.catalog_age.set(state.age(now) or 0.0)

    async def _breakers(self) -> None:
        gauge = self._sources.metrics.breakers
        gauge.clear()
        async with self._sources.database.reading() as session:
            repository = BreakersRepository(session)
            states, others = await repository.named(), await repository.others()
        levels: dict[str, float] = {"other": others.left_alone} if others.failing else {}
        for one in states:
            level = {"closed": 0.0, "half-open": 0.5}.get(one.state, 1.0)
            levels[one.target] = max(level, levels.get(one.target, 0.0))
        for target, level in levels.items():
            gauge.labels(target).set(level)

    async def _requests(self) -> None:
        gauge = self._sources.metrics.requests
        gauge.clear()
        async with self._sources.database.reading() as session:
            counts = await CountsRepository(session).by_item_and_state()
        for item, status, count in counts:
            gauge.labels(item, status).set(count)

    async def _mirror(self) -> None:
        gauge = self._sources.metrics.mirror_lag
        gauge.set(float("nan"))
        async with self._sources.database.reading() as session:
            since = await RequestsRepository(session).unstarted_since()
        gauge.set((datetime.now(UTC) - since).total_seconds() if since else 0.0)

    async def _waiting(self) -> None:
        gauge = self._sources.metrics.oldest_waiting
        gauge.set(float("nan"))
        async with self._sources.database.reading() as session:
            since = await CountsRepository(session).oldest_waiting_since()
        gauge.set((datetime.now(UTC) - since).total_seconds() if since else 0.0)

    async def _reconciler(self) -> None:
        counters = self._sources.metrics.reconciliations
        counters.totals = None
        async with self._sources.database.reading() as session:
            run = await MaintenanceRunsRepository(session).last(RECONCILER)
        counters.totals = run.totals if run else {}

    async def _queues(self) -> None:
        metrics = self._sources.metrics
        for gauge in (metrics.backlog, metrics.backlog_age, metrics.pollers):
            gauge.clear()
        for one in await self._sources.queues.backlogs():
            metrics.backlog.labels(one.queue, one.kind).set(one.tasks)
            metrics.backlog_age.labels(one.queue, one.kind).set(one.age)
            metrics.pollers.labels(one.queue, one.kind).set(one.pollers)
