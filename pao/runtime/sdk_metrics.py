"""The metrics of Temporal's SDK, served beside our own instead of on a port of their own.

The SDK hands out every single update. They are added up here, under the names that Temporal
documents, such as ``temporal_workflow_task_execution_failed``.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.registry import Collector
from temporalio.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetric,
    MetricBuffer,
    MetricBufferDurationFormat,
)

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
DRAIN_SECONDS = 5.0
# Updates that may arrive between two drains; the SDK drops what is beyond.
_BUFFER = 100_000

_Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Histogram:
    total: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))

    def add(self, value: float) -> None:
        self.total += value
        self.counts[bisect_left(SECONDS, value)] += 1


class SdkMetrics(Collector):
    """Adds the updates up; without a buffer there are none."""

    def __init__(self) -> None:
        self._buffer: MetricBuffer | None = None
        self._lock = threading.Lock()
        self._metrics: dict[str, BufferedMetric] = {}
        self._values: dict[str, dict[_Labels, float]] = {}
        self._histograms: dict[str, dict[_Labels, _Histogram]] = {}

    def buffer(self) -> MetricBuffer:
        """Return the buffer to build the process's runtime with, before it is started."""
        self._buffer = MetricBuffer(_BUFFER, MetricBufferDurationFormat.SECONDS)
        return self._buffer

    def start(self) -> None:
        """Drain the buffer from now on, whether or not metrics are scraped."""
        threading.Thread(target=self._keep_draining, name="sdk-metrics", daemon=True).start()

    def collect(self) -> Iterable[Metric]:
        """Return everything that was counted so far."""
        self._drain()
        with self._lock:
            return [self._family(one) for one in self._metrics.values()]

    def _keep_draining(self) -> None:
        pause = threading.Event()
        while not pause.wait(DRAIN_SECONDS):
            self._drain()

    def _drain(self) -> None:
        if self._buffer is None:
            return
        with self._lock:
            for update in self._buffer.retrieve_updates():
                labels = tuple(sorted((k, str(v)) for k, v in update.attributes.items()))
                self._add(update.metric, labels, float(update.value))

    def _add(self, metric: BufferedMetric, labels: _Labels, value: float) -> None:
        name = metric.name
        self._metrics.setdefault(name, metric)
        if metric.kind == BUFFERED_METRIC_KIND_HISTOGRAM:
            self._histograms.setdefault(name, {}).setdefault(labels, _Histogram()).add(value)
            return
        values = self._values.setdefault(name, {})
        before = values.get(labels, 0.0) if metric.kind == BUFFERED_METRIC_KIND_COUNTER else 0.0
        values[labels] = before + value

    def _family(self, metric: BufferedMetric) -> Metric:
        text = metric.description or "Of Temporal's SDK."
        name = metric.name
        if metric.kind == BUFFERED_METRIC_KIND_HISTOGRAM:
            family = Metric(name, text, "histogram")
            for labels, histogram in self._histograms[name].items():
                _add_buckets(family, dict(labels), histogram)
            return family
        # As a counter the library would call it `..._total`, unlike Temporal's documentation.
        family = Metric(
            name, text, "unknown" if metric.kind == BUFFERED_METRIC_KIND_COUNTER else "gauge"
        )
        for labels, value in self._values[name].items():
            family.add_sample(name, dict(labels), value)
        return family


def _add_buckets(family: Metric, labels: dict[str, str], histogram: _Histogram) -> None:
    count = 0
    for limit, own in zip((*map(str, SECONDS), "+Inf"), histogram.counts, strict=True):
        count += own
        family.add_sample(f"{family.name}_bucket", {**labels, "le": limit}, count)
    family.add_sample(f"{family.name}_count", labels, count)
    family.add_sample(f"{family.name}_sum", labels, histogram.total)


SDK = SdkMetrics()
"""The one of this process: the SDK has one runtime as well."""
