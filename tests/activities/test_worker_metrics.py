"""What a worker counts of its activities, and where it shows it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from activities.call_origin import OTHERS
from activities.metrics import MOST_TARGETS, NOBODY, WorkerMetrics
from pao.app.local.ports import free_ports
from pao.app.worker.process import expose
from pao.core.errors import PaoError
from pao.runtime import tracing
from tests.support.postgres import Database
from tests.support.worker import Workbench, eventually, workbench


@pytest.fixture
async def bench(
    database: Database, temporal_address: str, tmp_path: Path
) -> AsyncIterator[Workbench]:
    async with workbench(database, temporal_address, tmp_path) as made:
        yield made


def count(registry: CollectorRegistry, **labels: str) -> float | None:
    return registry.get_sample_value("pao_activity_seconds_count", labels)


async def test_actions_are_counted_by_type_target_and_outcome(bench: Workbench) -> None:
    completed = await bench.submit()
    await bench.reached(completed, "completed")
    await bench.failed()
    bench.jira.fault("cut-after")
    unknown = await bench.submit()
    await bench.reached(unknown, "failed")
    registry = bench.metrics.registry

    def outcomes() -> dict[str, float | None]:
        return {
            outcome: count(registry, type="jira-ticket", target="default", outcome=outcome)
            for outcome in ("completed", "failed", "outcome_unknown")
        }

    def mirrored() -> float:
        return count(registry, type="mirror", target=NOBODY, outcome="completed") or 0

    # A row shows a state before the activity that has written it is counted as ended.
    await eventually(lambda: outcomes() == {"completed": 1, "failed": 1, "outcome_unknown": 1})
    await eventually(lambda: mirrored() >= 6)
    running = {"type": "jira-ticket"}
    await eventually(lambda: registry.get_sample_value("pao_activities_running", running) == 0)


def test_targets_that_templates_choose_do_not_grow_without_bound() -> None:
    metrics = WorkerMetrics()
    labels = {metrics.target([f"host-{number}"]) for number in range(MOST_TARGETS + 50)}
    assert len(labels) == MOST_TARGETS + 1
    assert OTHERS in labels
    assert metrics.target(["host-1"]) == "host-1"


async def test_targets_are_noted_for_the_work_that_called_them() -> None:
    async def work(name: str) -> list[str]:
        with tracing.collected_targets() as called:
            await asyncio.sleep(0)
            with tracing.client_span(name, method="GET", system="http"):
                await asyncio.sleep(0)
            return called

    first, second = await asyncio.gather(work("a"), work("b"))
    assert (first, second) == (["a"], ["b"])


async def test_metrics_are_served_where_the_operator_says(bench: Workbench) -> None:
    [port] = free_ports(1)
    with expose(bench.metrics, host="127.0.0.1", port=port):
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/metrics")
        assert "pao_activities_running" in answer.text
        with (
            pytest.raises(PaoError, match="WORKER_METRICS_PORT"),
            expose(bench.metrics, host="127.0.0.1", port=port),
        ):
            pass
    with expose(bench.metrics, host="127.0.0.1", port=port):
        pass
