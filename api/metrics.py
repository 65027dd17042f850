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

    def text(self) -> bytes:
        """Give everything in the text format."""
        return generate_latest(self.registry)
