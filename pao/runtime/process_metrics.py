"""The metrics that every process has: which build it is, what it uses, its database connections."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from pao.runtime.sdk_metrics import SDK
from pao.runtime.version import version_document


@dataclass(frozen=True, slots=True)
class PoolState:
    """The connections of one process: open and in use, open and idle; callers that wait for one."""

    in_use: int
    idle: int
    waiting: int
    most: int


class PoolMetrics(Collector):
    """Exports the state of the connection pool that ``source`` returns, once there is one."""

    def __init__(self) -> None:
        self.source: Callable[[], PoolState] | None = None

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the gauges; without samples until there is a pool."""
        connections = GaugeMetricFamily(
            "pao_database_connections",
            "Connections to Postgres that this process has open, by state.",
            labels=["state"],
        )
        most = GaugeMetricFamily(
            "pao_database_connections_max", "Connections that this process may open."
        )
        waiting = GaugeMetricFamily(
            "pao_database_waiting", "Callers that wait for a connection to Postgres."
        )
        if self.source is not None:
            state = self.source()
            connections.add_metric(["in_use"], state.in_use)
            connections.add_metric(["idle"], state.idle)
            most.add_metric([], state.most)
            waiting.add_metric([], state.waiting)
        return [connections, most, waiting]


class SecretMetrics(Collector):
    """Exports the ages that ``source`` returns, once it is set."""

    def __init__(self) -> None:
        self.source: Callable[[], Mapping[str, float]] | None = None

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the gauge; without samples where no secret is read again."""
        ages = GaugeMetricFamily(
            "pao_secret_age_seconds",
            "Time since a secret was last read, or a token made, by its name.",
            labels=["secret"],
        )
        for name, age in (self.source() if self.source else {}).items():
            ages.add_metric([name], age)
        return [ages]


@dataclass(frozen=True, slots=True)
class SourceCalls:
    """Calls to the source of the catalog, and how many it still allows, as it said last."""

    source: str
    calls: int
    remaining: int | None = None
    limit: int | None = None


class SourceMetrics(Collector):
    """Exports the calls that ``source`` returns, once it is set."""

    def __init__(self) -> None:
        self.source: Callable[[], SourceCalls | None] | None = None

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """Return counter and gauges; the gauges have no samples until a limit is known."""
        calls = CounterMetricFamily(
            "pao_catalog_source_calls", "Calls to the source of the catalog.", labels=["source"]
        )
        remaining = GaugeMetricFamily(
            "pao_catalog_source_calls_remaining",
            "Calls that the source still allows until its limit is renewed, as it said last.",
            labels=["source"],
        )
        limit = GaugeMetricFamily(
            "pao_catalog_source_calls_limit", "Calls that the source allows.", labels=["source"]
        )
        source_calls = self.source() if self.source else None
        if source_calls is not None:
            calls.add_metric([source_calls.source], source_calls.calls)
            if source_calls.remaining is not None and source_calls.limit is not None:
                remaining.add_metric([source_calls.source], source_calls.remaining)
                limit.add_metric([source_calls.source], source_calls.limit)
        return [calls, remaining, limit]


class ProcessRegistry(CollectorRegistry):
    """Holds what every process exports about itself; ``pool`` and ``secrets`` are to be set."""

    def __init__(self, process: str) -> None:
        super().__init__()
        # When a series began is of no use, and doubles the number of series.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types
        ProcessCollector(registry=self)
        self.pool = PoolMetrics()
        self.register(self.pool)
        self.secrets = SecretMetrics()
        self.register(self.secrets)
        self.register(SDK)
        self._build = Gauge(
            "pao_build_info",
            "Which PAO this process is; always 1.",
            ["process", "version", "git_sha", "build_id"],
            registry=self,
        )
        self._process = process
        self.build_id("")

    def build_id(self, build_id: str) -> None:
        """Set which build of the worker this is, as Temporal knows it."""
        document = version_document()
        self._build.clear()
        self._build.labels(
            self._process, document["version"], document["gitSha"] or "", build_id
        ).set(1)
