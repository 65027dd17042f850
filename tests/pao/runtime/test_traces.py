"""A request is one trace, from the HTTP call through the workflow into JIRA, with its ids on it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from pao.app.local.ports import free_ports
from pao.app.local.postgres import PostgresAddress
from tests.support.callers import DANA, Signature, issue_key
from tests.support.otlp import ReceivedSpan, Receiver, otlp_receiver
from tests.support.postgres import cloned_database
from tests.support.stack import SAMPLES
from tests.support.worker import Workbench, eventually, workbench

SENTINEL = "S3ntinel-Pa55word-of-the-traces"
HEADER = "authorization=Token-of-the-receiver"


@asynccontextmanager
async def pao(command: str, environ: dict[str, str]) -> AsyncIterator[list[str]]:
    """Run ``pao COMMAND`` as a process; SIGTERM ends it, and what it printed is left in a list."""
    said: list[str] = []
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pao",
        command,
        env={"PATH": os.environ["PATH"], **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield said
    finally:
        running.send_signal(signal.SIGTERM)
        printed, _ = await running.communicate()
        said.append(printed.decode())


class Traced:
    """API and worker as processes that send their traces to a receiver, and what they did."""

    def __init__(self, bench: Workbench, client: httpx.AsyncClient, receiver: Receiver) -> None:
        self.bench = bench
        self.client = client
        self.receiver = receiver

    async def submit(self, **headers: str) -> dict[str, Any]:
        fields = {"secretPath": f"orders/{uuid4().hex[:8]}", "secretValue": SENTINEL}
        body = {"catalogItemId": "secret-vault-static", "fields": fields}
        answer = await self.client.post("/requests", json=body, headers=headers)
        document: dict[str, Any] = answer.json()
        return document

    async def trace(self, correlation_id: str, *, last: str) -> list[ReceivedSpan]:
        """Wait until the span ``last`` of a request has arrived; give all of its trace."""

        def arrived() -> str | None:
            found = [s.trace_id for s in self.receiver.named(last) if s.names(correlation_id)]
            return found[0] if found else None

        trace_id = await eventually(arrived, f"no {last} of {correlation_id} was received")
        return [span for span in self.receiver.spans if span.trace_id == trace_id]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Traced]:
    folder = tmp_path_factory.mktemp("traces")
    with cloned_database(postgres_address) as database, otlp_receiver() as receiver:
        async with (
            workbench(database, temporal_address, folder, with_worker=False) as bench,
            traced(bench, receiver) as made,
        ):
            yield made


@asynccontextmanager
async def traced(bench: Workbench, receiver: Receiver) -> AsyncIterator[Traced]:
    port, metrics = free_ports(2)
    environ = environment(bench.environ, receiver, port=port)
    environ["WORKER_METRICS_PORT"] = str(metrics)
    key = await issue_key(bench.database, bench.box, DANA)
    auth = Signature(key.access_key_id, key.secret)
    base = f"http://127.0.0.1:{port}/api/v1"
    async with (
        pao("worker", environ) as worker_said,
        pao("api", environ) as api_said,
        httpx.AsyncClient(base_url=base, auth=auth, trust_env=False, timeout=60) as client,
    ):
        ready = "/health/ready"
        await eventually(lambda: answers(client, ready), "PAO is never ready")
        yield Traced(bench, client, receiver)
        for url in ("/metrics", f"http://127.0.0.1:{metrics}/metrics"):
            counted = (await client.get(url)).text
            assert "pao_build_info" in counted
            assert "temporal_request_latency_bucket" in counted
            assert SENTINEL not in counted
    for said in (*worker_said, *api_said):
        assert SENTINEL not in said
        assert "Token-of-the-receiver" not in said


def environment(environ: dict[str, str], receiver: Receiver, *, port: int) -> dict[str, str]:
    return {
        **environ,
        "PAO_PORT": str(port),
        "CATALOG_PATH": str(SAMPLES),
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_EXPORTER_OTLP_HEADERS": HEADER,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }


async def answers(client: httpx.AsyncClient, path: str) -> bool:
    try:
        return (await client.get(path)).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.asyncio(loop_scope="module")
async def test_a_request_is_one_trace_from_the_call_to_the_ticket(running: Traced) -> None:
    document = await running.submit()
    assert document["status"] == "completed"
    # Two processes send what they have at times of their own.
    for last in ("CompleteWorkflow:RequestWorkflow", "POST /requests"):
        trace = await running.trace(document["correlationId"], last=last)
    assert {
        "POST /requests",
        "StartUpdateWithStartWorkflow:RequestWorkflow",
        "RunWorkflow:RequestWorkflow",
        "StartActivity:jira-ticket",
        "RunActivity:jira-ticket",
        "jira POST default",
        "RunActivity:mirror",
    } <= {span.name for span in trace}
    assert {span.service for span in trace} == {"pao-api", "pao-worker"}
    assert_all_hang_together(trace)
    assert all(span.names(document["correlationId"]) for span in trace)
    inside = [span for span in trace if span.service == "pao-worker"]
    assert {span.attributes.get("pao.request_id") for span in inside} == {document["id"]}
    received = running.receiver.headers
    assert {headers["authorization"] for headers in received} == {"Token-of-the-receiver"}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_callers_trace_goes_on_and_its_baggage_does_not(running: Traced) -> None:
    trace_id = uuid4().hex
    document = await running.submit(
        traceparent=f"00-{trace_id}-00f067aa0ba902b7-01",
        baggage="pao.request_id=forged,secret=forged",
    )
    trace = await running.trace(document["correlationId"], last="RunActivity:jira-ticket")
    assert {span.trace_id for span in trace} == {trace_id}
    assert b"forged" not in b"".join(running.receiver.raw)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_decision_is_a_trace_of_its_own_that_the_requests_trace_links_to(
    running: Traced,
) -> None:
    running.bench.jira.fault("status", status=400, message=f"cannot take {SENTINEL}")
    document = await running.submit()
    assert document["status"] == "failed"
    path = f"/requests/{document['id']}/retry"
    decided = await running.client.post(path, json={"reason": "fixed"})
    assert decided.json()["status"] == "completed"
    last = "CompleteWorkflow:RequestWorkflow"
    trace = await running.trace(document["correlationId"], last=last)
    retried = await running.trace(
        decided.headers["X-Correlation-ID"], last="POST /requests/{request_id}/retry"
    )
    [signalled] = [span for span in trace if span.name == "HandleSignal:retry"]
    assert signalled.links == (retried[0].trace_id,)
    assert {span.attributes.get("pao.request_id") for span in retried} == {document["id"]}
    runs = [span for span in trace if span.name == "RunActivity:jira-ticket"]
    assert [span.failed for span in runs] == [True, False]
    everything = b"".join(running.receiver.raw)
    assert SENTINEL.encode() not in everything
    assert running.bench.environ["JIRA_API_TOKEN"].encode() not in everything


@pytest.mark.asyncio(loop_scope="module")
async def test_log_lines_name_the_trace_and_what_waits_is_sent_at_the_end(
    running: Traced,
) -> None:
    [port] = free_ports(1)
    with otlp_receiver() as receiver:
        environ = environment(running.bench.environ, receiver, port=port)
        environ["OTEL_BSP_SCHEDULE_DELAY"] = "60000"
        url = f"http://127.0.0.1:{port}/api/v1/version"
        async with pao("api", environ) as said, httpx.AsyncClient(trust_env=False) as client:
            await eventually(lambda: answers(client, url))
            assert receiver.spans == []
    [span] = receiver.named("GET /version")
    lines = [json.loads(line) for line in said[0].splitlines() if line.startswith("{")]
    [line] = [line for line in lines if line.get("path") == "/api/v1/version"]
    assert (line["traceId"], line["spanId"]) == (span.trace_id, span.span_id)


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_is_sent_of_what_is_not_sampled(running: Traced) -> None:
    [port] = free_ports(1)
    with otlp_receiver() as receiver:
        environ = environment(running.bench.environ, receiver, port=port)
        environ["TRACING_SAMPLE_RATE"] = "0"
        url = f"http://127.0.0.1:{port}/api/v1/version"
        async with pao("api", environ), httpx.AsyncClient(trust_env=False) as client:
            await eventually(lambda: answers(client, url))
    assert receiver.raw == []


def assert_all_hang_together(trace: list[ReceivedSpan]) -> None:
    """Every span but the first has its parent in the trace."""
    ids = {span.span_id for span in trace}
    assert [span.name for span in trace if span.parent_id not in ids] == ["POST /requests"]
