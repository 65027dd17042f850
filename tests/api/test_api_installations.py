"""Two installations that share a task queue by mistake: nothing is mixed up, nothing is silent."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from pao.app.local.postgres import PostgresAddress
from pao.app.schedules import MAINTENANCE, ensure_schedules
from pao.clients.inspection import WorkflowInspector
from pao.clients.installation import ForeignInstallationError
from pao.core.names import SNAPSHOT_QUERY, workflow_id
from pao.core.payloads.mirror import Snapshot
from tests.support.postgres import Database, cloned_database
from tests.support.stack import Stack, running_stack, wait_until

ITEM = {
    "catalogItemId": "network-dns-record",
    "fields": {"hostName": "a.example.com", "address": "10.0.0.7"},
}


async def _renew(database: Database) -> None:
    connection = await asyncpg.connect(database.owner_url)
    try:
        await connection.execute("UPDATE installation SET id = gen_random_uuid()")
    finally:
        await connection.close()


@pytest.fixture
def queue() -> str:
    return f"shared-{secrets.token_hex(6)}"


@pytest.fixture
def ours(database: Database, temporal_address: str, tmp_path: Path, queue: str) -> Iterator[Stack]:
    """One installation, whose worker does not run yet."""
    environ = {"TEMPORAL_TASK_QUEUE": queue}
    folder = tmp_path / "ours"
    folder.mkdir()
    with running_stack(
        database, temporal_address, folder, environ=environ, with_worker=False
    ) as stack:
        yield stack


@pytest.fixture
def theirs(
    postgres_address: PostgresAddress, temporal_address: str, tmp_path: Path, queue: str
) -> Iterator[Stack]:
    """Another one on the same task queue, whose worker runs."""
    environ = {"TEMPORAL_TASK_QUEUE": queue}
    folder = tmp_path / "theirs"
    folder.mkdir()
    with cloned_database(postgres_address) as database:
        asyncio.run(_renew(database))
        with running_stack(database, temporal_address, folder, environ=environ) as stack:
            yield stack


def installation(stack: Stack) -> str:
    return str(stack.anybody().get("/health").json()["installation"])


def submit(stack: Stack) -> str:
    answer = stack.caller().post("/requests", json=ITEM)
    assert answer.status_code in {201, 202}
    return str(answer.json()["id"])


def status(stack: Stack, request_id: str) -> str:
    return str(stack.caller().get(f"/requests/{request_id}").json()["status"])


def test_a_worker_of_another_installation_fails_the_task_and_says_whose_it_is(
    ours: Stack, theirs: Stack
) -> None:
    request_id = submit(ours)

    wait_until(lambda: "belongs to installation" in ours.history(request_id))
    history = ours.history(request_id)
    assert f"belongs to installation {installation(ours)}" in history
    assert f"this process belongs to installation {installation(theirs)}" in history
    assert "TEMPORAL_TASK_QUEUE" in history
    assert theirs.jira.tickets() == []

    # The installation's own worker carries it out as soon as Temporal offers it again.
    theirs.stop_worker()
    ours.start_worker()
    wait_until(lambda: status(ours, request_id) == "completed", seconds=200)
    assert len(ours.jira.tickets()) == 1
    assert theirs.jira.tickets() == []


def test_both_are_told_whose_workers_poll_their_queue(ours: Stack, theirs: Stack) -> None:
    said = ours.anybody().get("/health/ready").json()["problems"]
    assert any(installation(theirs) in problem for problem in said)

    ours.start_worker()

    for one, other in ((ours, theirs), (theirs, ours)):

        def is_told(one: Stack = one, other: Stack = other) -> bool:
            part = one.anybody().get("/health").json()["components"]["worker"]
            return part["status"] == "degraded" and installation(other) in part["error"]

        def is_ready(one: Stack = one) -> bool:
            return bool(one.anybody().get("/health/ready").json()["ready"])

        wait_until(is_told)
        wait_until(is_ready)


def test_every_request_of_both_ends_where_it_belongs(ours: Stack, theirs: Stack) -> None:
    ours.start_worker()
    asked = [(stack, submit(stack)) for stack in (ours, theirs) for _ in range(4)]

    def all_are_done() -> bool:
        return {status(stack, request_id) for stack, request_id in asked} == {"completed"}

    wait_until(all_are_done, seconds=200)
    assert len(ours.jira.tickets()) == len(theirs.jira.tickets()) == 4


def test_a_process_neither_asks_nor_tells_the_workflows_of_another(
    ours: Stack, theirs: Stack, queue: str
) -> None:
    ours.start_worker()
    request_id = submit(ours)
    handle = theirs.temporal.get_workflow_handle(workflow_id(request_id))

    async def ask() -> Snapshot:
        told: Snapshot = await handle.query(SNAPSHOT_QUERY, result_type=Snapshot)
        return told

    with pytest.raises(ForeignInstallationError, match=installation(ours)):
        theirs.run(ask())
    with pytest.raises(ForeignInstallationError):
        theirs.run(handle.signal("retry", {}))
    with pytest.raises(ForeignInstallationError):
        theirs.run(handle.describe())

    seen = WorkflowInspector(theirs.temporal, task_queue=queue, installation=installation(theirs))
    own = WorkflowInspector(ours.temporal, task_queue=queue, installation=installation(ours))
    wait_until(lambda: [one.request_id for one in ours.run(own.list_known())] == [request_id])
    assert theirs.run(seen.list_known()) == []


def test_a_schedule_stays_with_the_installation_that_made_it_and_the_other_gets_its_own(
    ours: Stack, theirs: Stack, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def introduce(stack: Stack, installation: str) -> None:
        await ensure_schedules(stack.temporal, task_queue=queue, installation=installation)

    async def schedules() -> dict[str, object]:
        known = await ours.temporal.list_schedules()
        return {one.id: one.schedule async for one in known if one.id.startswith(queue)}

    for one in (ours, theirs, theirs):
        one.run(introduce(one, installation(one)))

    def all_are_listed() -> bool:
        return len(ours.run(schedules())) == 2 * len(MAINTENANCE)

    wait_until(all_are_listed)
    assert f"{queue}-sweep-{installation(theirs)[:8]}" in ours.run(schedules())
    assert f"Schedule {queue}-sweep belongs to installation {installation(ours)}" in caplog.text
    for name in ours.run(schedules()):
        ours.run(ours.temporal.get_schedule_handle(name).delete())
