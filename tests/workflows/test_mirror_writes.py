"""The mirror when Postgres is away, refuses, or has heard of another run."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from temporalio.api.enums.v1 import EventType

from pao.app.local.ports import free_ports
from pao.app.local.postgres import FOR_TESTS, EmbeddedPostgres
from pao.app.local.postgres_files import delete_files
from pao.core.payloads.requests import WorkflowTimeouts
from tests.support.postgres import Database, migrate_template
from tests.support.requests import new_request
from tests.support.worker import Workbench, eventually, workbench


@pytest.mark.outage
async def test_a_request_goes_on_when_postgres_is_away_and_is_told_when_it_is_back(
    temporal_address: str, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    postgres = EmbeddedPostgres(tmp_path / "postgres", port=port, settings=FOR_TESTS)
    address = postgres.start()
    try:
        await asyncio.to_thread(migrate_template, address)
        database = Database(
            name="pao",
            owner_url=address.owner_url,
            service_url=address.service_url,
            superuser_url=address.owner_url,
        )
        async with workbench(database, temporal_address, tmp_path) as bench:
            bench.jira.fault("slow", seconds=3.0, when="before")
            request = await bench.submit(new_request(waits=WorkflowTimeouts(mirror=0.5)))
            await bench.reached(request, "in_progress")
            await bench.close_connection()
            postgres.stop()
            await eventually(lambda: bench.tickets(request))
            await eventually(lambda: bench.times_scheduled(request, "mirror"))
            postgres.start()
            await bench.reached(request, "completed")
            assert len(bench.tickets(request)) == 1
            assert (await bench.events(request)).count("request.completed") == 1
    finally:
        postgres.stop()
        delete_files(tmp_path / "postgres")


async def test_a_state_that_the_database_refuses_fails_the_task_and_heals_with_the_database(
    bench: Workbench, database: Database
) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(
            "ALTER TABLE requests ADD CONSTRAINT nonsense CHECK (status <> 'completed')"
        )
        request = await bench.submit()
        message = await eventually(lambda: task_failure(bench, request.workflow_id))
        assert "Postgres rejected this state" in message
        description = await bench.handle(request).describe()
        assert description.status is not None
        assert description.status.name == "RUNNING"
        await owner.execute("ALTER TABLE requests DROP CONSTRAINT nonsense")
    finally:
        await owner.close()
    await bench.reached(request, "completed")
    assert len(bench.tickets(request)) == 1


async def task_failure(bench: Workbench, workflow: str) -> str | None:
    history = await bench.client.get_workflow_handle(workflow).fetch_history()
    failed = [
        event.workflow_task_failed_event_attributes.failure.message
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]
    return failed[0] if failed else None


async def test_a_run_whose_request_is_not_stored_does_nothing(bench: Workbench) -> None:
    request = new_request()
    await bench.workflows.start(request.given, summary="a thing")
    outcome = await bench.handle(request).result()
    assert outcome["status"] == "in_progress"
    assert "ended without acting" in outcome["note"]
    assert bench.tickets(request) == []


async def test_the_settled_answer_comes_when_postgres_shows_the_state(
    idle_bench: Workbench,
) -> None:
    await idle_bench.start_worker()
    stored = await idle_bench.store(new_request())
    settled = await idle_bench.workflows.start_and_wait(stored.given, summary="s", budget=10.0)
    assert settled is not None
    assert settled.status == (await idle_bench.row(stored))["status"] == "completed"
