"""Traces: set up once per process. Their ids always travel; spans are kept only for a receiver.

Spans are opened where things happen, by ``tracer()``; this file says where they go and what they
carry. A request's correlation id and own id travel as W3C baggage from the HTTP call
through Temporal's headers into activities, and are copied onto every span on the way.
"""

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import baggage, context, trace
from opentelemetry.context import Context
from opentelemetry.processor.baggage import BaggageSpanProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio.contrib.opentelemetry import TracingInterceptor

from pao.runtime.version import VERSION

CORRELATION_ID = "pao.correlation_id"
REQUEST_ID = "pao.request_id"
# More than any action calls; only the last one is reported.
_MOST_TARGETS = 100
_BAGGAGE_KEYS = frozenset({CORRELATION_ID, REQUEST_ID})
_SERVER_ERROR = 500
# Callers may continue their own trace; their baggage is not adopted.
_targets: ContextVar[list[str] | None] = ContextVar("pao_targets", default=None)
_incoming = TraceContextTextMapPropagator()


class Tracing:
    """The process's traces; ``close`` sends what is still waiting."""

    def __init__(self, provider: TracerProvider | None) -> None:
        self._provider = provider

    async def close(self) -> None:
        """Send what has not been sent, for a few seconds at most, and stop."""
        if self._provider is not None:
            await asyncio.to_thread(self._provider.shutdown)


def install(*, endpoint: str | None, sample_rate: float, service: str) -> Tracing:
    """Send this process's traces to an OTLP receiver (HTTP, protobuf); without one, keep no span.

    Every call and request still has a trace id, for the log. ``sample_rate`` is the share of
    traces that begin here and are kept, 0 to 1; one that a caller has begun is kept as the caller
    says. Headers for the receiver come from ``OTEL_EXPORTER_OTLP_HEADERS``, which the exporter
    reads itself. May be called once a process.
    """
    if endpoint is None:
        if not isinstance(trace.get_tracer_provider(), TracerProvider):
            trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF, resource=Resource({})))
        return Tracing(None)
    resource = Resource.create(
        {
            "service.name": service,
            "service.version": VERSION,
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        }
    )
    # A process that keeps no spans does without the exporter's memory.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 -- see above
        OTLPSpanExporter,
    )

    sampler = ParentBased(TraceIdRatioBased(sample_rate))
    provider = TracerProvider(sampler=sampler, resource=resource)
    provider.add_span_processor(BaggageSpanProcessor(_BAGGAGE_KEYS.__contains__))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return Tracing(provider)


def interceptors() -> Sequence[TracingInterceptor]:
    """Return the interceptors that carry a trace through Temporal; none before ``install``."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        return ()
    return (TracingInterceptor(tracer()),)


def tracer() -> Tracer:
    """Return the tracer; its spans cost next to nothing if nothing is traced."""
    return trace.get_tracer("pao", VERSION)


@contextmanager
def trace_tags(
    *, correlation_id: str | None = None, request_id: str | None = None
) -> Iterator[None]:
    """Put ids on every span that begins in this block, here and in what it causes elsewhere."""
    ids = {CORRELATION_ID: correlation_id, REQUEST_ID: request_id}
    present: Context = context.get_current()
    for name, value in ids.items():
        if value is not None:
            present = baggage.set_baggage(name, value, context=present)
    token = context.attach(present)
    try:
        for name, value in ids.items():
            if value is not None:
                trace.get_current_span().set_attribute(name, value)
        yield
    finally:
        context.detach(token)


@contextmanager
def server_span(
    method: str, headers: Mapping[str, str], *, correlation_id: str, request_id: str | None
) -> Iterator[Span]:
    """Open the span of one HTTP call, within the caller's trace where ``traceparent`` names one.

    ``request_id`` is that of the request that the call is about, where its path says so.

    It is named after the route once that is known (``record_response``); no address, query or
    body is on it, because those may carry signatures and secrets.
    """
    token = context.attach(_incoming.extract(dict(headers)))
    try:
        with (
            trace_tags(correlation_id=correlation_id, request_id=request_id),
            tracer().start_as_current_span(
                method, kind=SpanKind.SERVER, attributes={"http.request.method": method}
            ) as span,
        ):
            yield span
    finally:
        context.detach(token)


def record_response(span: Span, *, method: str, route: str, status: int) -> None:
    """Record a call's route and the status of its response."""
    span.update_name(f"{method} {route}")
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    if status >= _SERVER_ERROR:
        span.set_status(Status(StatusCode.ERROR))


@contextmanager
def collected_targets() -> Iterator[list[str]]:
    """Return the list of the targets that are called in this block, in their order."""
    targets: list[str] = []
    token = _targets.set(targets)
    try:
        yield targets
    finally:
        _targets.reset(token)


@contextmanager
def client_span(
    target: str, *, method: str, system: str, counted_as: str | None = None
) -> Iterator[Span]:
    """Open the span of one outside call to ``target``, an instance or host; it holds no address.

    In metrics, which everybody may read, it is ``counted_as`` another name where one is given.

    Raised errors mark it as failed by their type alone: their text may repeat what was sent.
    """
    noted = _targets.get()
    if noted is not None and len(noted) < _MOST_TARGETS:
        noted.append(counted_as or target)
    attributes = {"pao.target": target, "pao.system": system, "http.request.method": method}
    with tracer().start_as_current_span(
        f"{system} {method} {target}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise
