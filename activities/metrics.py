"""A worker's Prometheus metrics: how its activities end, their duration, their target."""

import asyncio
import time
from typing import Any

from prometheus_client import Gauge, Histogram
from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.action_errors import OutcomeUnknownError
from activities.call_origin import OTHERS
from pao.runtime import tracing
from pao.runtime.process_metrics import ProcessRegistry, SourceMetrics

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)
NOBODY = "none"
MOST_TARGETS = 200
CANCELLED = (CancelledError, asyncio.CancelledError)


class WorkerMetrics(Interceptor):
    """Measures every activity of the worker that it is given to.

    ``target`` is the instance or host that was called last, ``none`` without a call, ``other`` for
    hosts that templates chose, and after 200 different ones.
    """

    def __init__(self) -> None:
        self.registry = ProcessRegistry("worker")
        self.seconds = Histogram(
            "pao_activity_seconds",
            "Time of activities (actions by their type), by target and outcome.",
            ["type", "target", "outcome"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.running = Gauge(
            "pao_activities_running",
            "Activities in hand, by type.",
            ["type"],
            registry=self.registry,
        )
        self.source = SourceMetrics()
        self.registry.register(self.source)
        self._targets: set[str] = set()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 -- the SDK's name
        """Measure what goes through ``next``."""
        return _MeasuredActivity(next, self)

    def target(self, called: list[str]) -> str:
        """Return the label of what was called."""
        if not called:
            return NOBODY
        if called[-1] not in self._targets and len(self._targets) >= MOST_TARGETS:
            return OTHERS
        self._targets.add(called[-1])
        return called[-1]


class _MeasuredActivity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, metrics: WorkerMetrics) -> None:  # noqa: A002 -- as above
        super().__init__(next)
        self._metrics = metrics

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 -- as above
        kind = activity.info().activity_type
        started = time.perf_counter()
        with (
            self._metrics.running.labels(kind).track_inprogress(),
            tracing.collected_targets() as called,
        ):
            outcome = "completed"
            try:
                return await super().execute_activity(input)
            except BaseException as error:
                outcome = _outcome(error)
                raise
            finally:
                seconds = time.perf_counter() - started
                target = self._metrics.target(called)
                self._metrics.seconds.labels(kind, target, outcome).observe(seconds)


def _outcome(error: BaseException) -> str:
    if isinstance(error, ApplicationError):
        unknown = error.type == OutcomeUnknownError.type_name
        return "outcome_unknown" if unknown else "failed"
    return "cancelled" if isinstance(error, CANCELLED) else "failed"
