"""The metrics of this API process. One registry per application."""

from collections.abc import Iterable, Mapping

from prometheus_client import Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from pao.runtime.process_metrics import ProcessRegistry

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10)


REPAIRED = ("behind", "ended", "lost")


class Reconciliations(Collector):
    """The reconciler's totals, as stored in Postgres; empty until first read."""

    def __init__(self) -> None:
        self.totals: Mapping[str, int] | None = None

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Return the counters; without samples when unknown."""
        checked = CounterMetricFamily(
            "pao_mirror_checked", "Comparisons of an open request with its workflow."
        )
        repaired = CounterMetricFamily(
            "pao_mirror_repaired",
            "Requests whose row and workflow disagreed and that were repaired, by difference.",
            labels=["kind"],
        )
        unrepaired = CounterMetricFamily(
            "pao_mirror_unrepaired", "Comparisons that failed; the next run tries again."
        )
        if self.totals is not None:
            checked.add_metric([], self.totals.get("checked", 0))
            unrepaired.add_metric([], self.totals.get("unrepaired", 0))
            for kind in REPAIRED:
                repaired.add_metric([kind], self.totals.get(kind, 0))
        return [checked, repaired, unrepaired]


class ApiMetrics:
    """Counters of the HTTP interface; labels are bounded: routes, item ids, states."""

    def __init__(self) -> None:
        self.registry = ProcessRegistry("api")
        self.http = Histogram(
            "pao_http_request_seconds",
            "Time to answer HTTP requests, by method, route and status.",
            ["method", "route", "status"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._refused = Counter(
            "pao_connections_refused",
            "Connections refused or closed early, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.streams = Gauge(
            "pao_streams_open", "Event streams that this process has open.", registry=self.registry
        )
        self.streams_most = Gauge(
            "pao_streams_max", "Event streams that this process may open.", registry=self.registry
        )
        self._deliveries = Counter(
            "pao_webhook_deliveries",
            "Deliveries of forges, by forge and what became of them.",
            ["forge", "outcome"],
            registry=self.registry,
        )
        self._identified = Counter(
            "pao_identifications",
            "Calls of the API, by the identity source of their caller and what became of them.",
            ["source", "outcome"],
            registry=self.registry,
        )
        self._sign_ins = Counter(
            "pao_sign_ins",
            "Sign-ins to the pages, by way and what became of them.",
            ["way", "outcome"],
            registry=self.registry,
        )
        self.breakers = Gauge(
            "pao_circuit_breaker_open",
            "Targets with recent failures: 1 while the circuit is open, 0.5 while one call probes "
            "it, 0 while closed; `other`: how many circuits of templated targets are open.",
            ["target"],
            registry=self.registry,
        )
        self.submitted = Counter(
            "pao_requests_submitted",
            "Requests accepted, by catalog item and the state that was answered.",
            ["item", "status"],
            registry=self.registry,
        )
        self.submission = Histogram(
            "pao_submission_seconds",
            "Time from accepting a submission to answering it.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.decisions = Counter(
            "pao_decisions",
            "Decisions made through the API, by kind and outcome.",
            ["decision", "outcome"],
            registry=self.registry,
        )
        self.catalog_items = Gauge(
            "pao_catalog_items", "Catalog items in service.", registry=self.registry
        )
        self.catalog_refused = Gauge(
            "pao_catalog_refused_files",
            "Files refused at the last load of the catalog.",
            registry=self.registry,
        )
        self.catalog_age = Gauge(
            "pao_catalog_age_seconds",
            "Time since the catalog was loaded.",
            registry=self.registry,
        )
        self.catalog_unread = Gauge(
            "pao_catalog_unread_seconds",
            "For how long the source of the catalog cannot be read, 0 while it can.",
            registry=self.registry,
        )
        self.catalog_held = Gauge(
            "pao_catalog_held_removals",
            "Items that a held-back revision would remove, 0 where none is held back.",
            registry=self.registry,
        )
        self.catalog_unreported = Gauge(
            "pao_catalog_unreported_commits",
            "Commits and pull or merge requests whose check could not be set on the forge.",
            registry=self.registry,
        )

        self.requests = Gauge(
            "pao_requests",
            "Requests stored, by catalog item and state.",
            ["item", "status"],
            registry=self.registry,
        )
        self.mirror_lag = Gauge(
            "pao_mirror_lag_seconds",
            "Age of the oldest request that no workflow has started yet.",
            registry=self.registry,
        )
        self.oldest_waiting = Gauge(
            "pao_oldest_waiting_seconds",
            "How long the request has waited that has waited longest for a person.",
            registry=self.registry,
        )
        self.reconciliations = Reconciliations()
        self.registry.register(self.reconciliations)
        self.backlog = Gauge(
            "pao_task_queue_backlog",
            "Tasks waiting for a worker (approximate), by queue and kind.",
            ["queue", "kind"],
            registry=self.registry,
        )
        self.backlog_age = Gauge(
            "pao_task_queue_backlog_age_seconds",
            "How long the oldest waiting task has waited.",
            ["queue", "kind"],
            registry=self.registry,
        )
        self.pollers = Gauge(
            "pao_task_queue_pollers",
            "Workers polling Temporal, by queue and kind.",
            ["queue", "kind"],
            registry=self.registry,
        )
        self.unmeasured = Counter(
            "pao_unmeasured",
            "Scrapes that omitted a part because it did not respond.",
            ["part"],
            registry=self.registry,
        )

    def count_refused_connection(self, reason: str) -> None:
        """Count a connection that was refused or closed."""
        self._refused.labels(reason).inc()

    def count_identification(self, source: str, outcome: str) -> None:
        """Count a call whose caller was, or was not, identified."""
        self._identified.labels(source, outcome).inc()

    def count_sign_in(self, way: str, outcome: str) -> None:
        """Count a sign-in to the pages."""
        self._sign_ins.labels(way, outcome).inc()

    def count_delivery(self, forge: str, outcome: str) -> None:
        """Count a delivery of a forge."""
        self._deliveries.labels(forge, outcome).inc()

    def text(self) -> bytes:
        """Return everything in the text format."""
        return generate_latest(self.registry)
