"""Readiness and health, each broken once: pollers, search attributes, migrations, the end."""

import asyncio
import logging
import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from db.repositories.maintenance_runs import MaintenanceRunsRepository
from pao.app import assembly
from tests.support.postgres import Database
from tests.support.stack import Stack, running_stack, wait_until


async def register(address: str, name: str) -> None:
    """Register a namespace that nobody has given search attributes."""
    client = await Client.connect(address)
    retention = Duration()
    retention.FromTimedelta(timedelta(days=3))
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=retention)
    )


@pytest.fixture
def unprepared(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    """A PAO in a namespace of its own, without search attributes and without a worker."""
    name = f"bare-{secrets.token_hex(4)}"
    asyncio.run(register(temporal_address, name))
    environ = {"TEMPORAL_NAMESPACE": name}
    with running_stack(
        database, temporal_address, tmp_path, environ=environ, with_worker=False
    ) as stack:
        yield stack


@pytest.fixture
def idle(database: Database, temporal_address: str, tmp_path: Path) -> Iterator[Stack]:
    with running_stack(database, temporal_address, tmp_path, with_worker=False) as stack:
        yield stack


def problems(stack: Stack) -> list[str]:
    answer = stack.anybody().get("/health/ready")
    found: dict[str, Any] = answer.json()
    assert (answer.status_code == 503) == bool(found["problems"])
    return list(found["problems"])


def test_probes_are_not_logged_but_a_change_of_what_they_hear_is(
    idle: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        problems(idle)
        idle.anybody().get("/health")
        idle.anybody().get("/metrics")
    idle.anybody().get("/version")

    # The line of a call is written once its answer is on its way.
    wait_until(lambda: any("/version" in record.getMessage() for record in caplog.records))
    said = [record.getMessage() for record in caplog.records]
    assert [line for line in said if line.startswith("GET ")] == ["GET /api/v1/version 200"]
    assert said.count("not ready: no worker is polling the task queue") == 1


async def run_as_owner(database: Database, statement: str) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(statement)
    finally:
        await owner.close()


def test_a_namespace_without_search_attributes_is_named(unprepared: Stack) -> None:
    def told() -> bool:
        return any("PaoItem" in problem for problem in problems(unprepared))

    assert wait_until(told)


def test_pollers_and_migrations_that_are_missing_are_named(idle: Stack) -> None:
    assert problems(idle) == ["no worker is polling the task queue"]
    assert idle.anybody().get("/health").json()["components"]["worker"]["status"] == "down"
    idle.start_worker()
    wait_until(lambda: problems(idle) == [])
    newest = (
        "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)"
    )
    asyncio.run(run_as_owner(idle.database, newest))
    [problem] = problems(idle)
    assert "pending" in problem or "migrat" in problem


def test_a_process_that_is_ending_is_not_ready(idle: Stack) -> None:
    idle.services.health.stopping = True
    assert problems(idle) == ["this process is shutting down"]


def test_a_process_is_ready_by_itself_while_what_all_share_is_away(idle: Stack) -> None:
    anybody, own = idle.anybody(), "/health/ready?scope=process"
    wait_until(lambda: anybody.get(own).status_code == 200)

    assert problems(idle) == ["no worker is polling the task queue"]
    assert anybody.get(own).json() == {"ready": True, "problems": []}
    assert anybody.get("/health/ready?scope=host").status_code == 400

    idle.services.health.stopping = True
    ending = anybody.get(own)
    assert (ending.status_code, ending.json()["problems"]) == (
        503,
        ["this process is shutting down"],
    )
    assert anybody.get("/health/live").json() == {"alive": True}


def test_a_process_that_is_newer_than_the_schema_never_becomes_ready_by_itself(
    database: Database, temporal_address: str, tmp_path: Path
) -> None:
    newest = (
        "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)"
    )
    asyncio.run(run_as_owner(database, newest))
    with running_stack(database, temporal_address, tmp_path, with_worker=False) as stack:
        [problem] = stack.anybody().get("/health/ready?scope=process").json()["problems"]

    assert "migrat" in problem


def test_what_the_reconciler_left_as_it_was_degrades_health_and_is_counted(idle: Stack) -> None:
    async def note(unrepaired: int) -> None:
        database = assembly.database(idle.settings, application_name="tests")
        try:
            async with database.unit_of_work() as session:
                counts = {"lost": 2, "behind": 1, "unrepaired": unrepaired}
                await MaintenanceRunsRepository(session).note("reconciler", counts)
        finally:
            await database.close()

    def mirror() -> dict[str, Any]:
        found: dict[str, Any] = idle.anybody().get("/health").json()["components"]["mirror"]
        return found

    assert (mirror()["status"], mirror()["reconciledAt"]) == ("ok", None)
    idle.run(note(1))
    told = mirror()
    assert (told["status"], told["disagreements"], told["repaired"]) == ("degraded", 1, 3)
    idle.run(note(0))
    told = mirror()
    assert (told["status"], told["disagreements"], told["repaired"]) == ("ok", 0, 6)
    idle.services.measures.forget()
    lines = idle.anybody().get("/metrics").text.splitlines()
    assert 'pao_mirror_repaired_total{kind="lost"} 4.0' in lines
    assert 'pao_mirror_repaired_total{kind="behind"} 2.0' in lines
    assert "pao_mirror_unrepaired_total 1.0" in lines
