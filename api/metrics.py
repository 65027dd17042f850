"""What this API process counts, in Prometheus' words. One registry per application."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10)


class ApiMetrics:
    """Counters of the HTTP interface; labels are bounded: routes, item ids, states."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.http = Histogram(
            "pao_http_request_seconds",
            "Time to answer HTTP requests, by method, route and status.",
            ["method", "route", "status"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.breakers = Gauge(
            "pao_circuit_breaker_open",
            "Targets that failed last: 1 while left alone, 0.5 while tried out, 0 while closed.",
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
            "Human decisions through the API, by kind and outcome.",
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

        self.requests = Gauge(
            "pao_requests",
            "Requests stored, by catalog item and state.",
            ["item", "status"],
            registry=self.registry,
        )
        self.mirror_lag = Gauge(
            "pao_mirror_lag_seconds",
            "Age of the oldest request that no workflow has mirrored yet.",
            registry=self.registry,
        )
        self.backlog = Gauge(
            "pao_task_queue_backlog",
            "Tasks that wait for a worker, approximately, by queue and kind.",
            ["queue", "kind"],
            registry=self.registry,
        )
        self.backlog_age = Gauge(
            "pao_task_queue_backlog_age_seconds",
            "How long the oldest of them has waited.",
            ["queue", "kind"],
            registry=self.registry,
        )
        self.pollers = Gauge(
            "pao_task_queue_pollers",
            "Workers that Temporal has seen polling, by queue and kind.",
            ["queue", "kind"],
            registry=self.registry,
        )
        self.unmeasured = Counter(
            "pao_unmeasured",
            "Scrapes that had to leave a part out because it did not answer.",
            ["part"],
            registry=self.registry,
        )

    def text(self) -> bytes:
        """Give everything in the text format."""
        return generate_latest(self.registry)
