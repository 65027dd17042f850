"""The schedules of an installation: made once, brought up to date, and left paused when paused."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.client import Client, ScheduleActionStartWorkflow, ScheduleOverlapPolicy

from pao.app.schedules import MAINTENANCE, ScheduleDefinition, ensure_schedules
from pao.clients.temporal_connection import TemporalTarget, connect
from workflows.maintenance import MAINTENANCE_WORKFLOWS
from workflows.sweep import SweepWorkflow

QUEUE = f"test-{secrets.token_hex(6)}"
# Far apart, so that none begins while a test looks.
RARE = tuple(replace(one, every=timedelta(days=300)) for one in MAINTENANCE)


@pytest.fixture
async def client(temporal_address: str) -> AsyncIterator[Client]:
    connected = await connect(TemporalTarget(address=temporal_address))
    yield connected
    for one in MAINTENANCE:
        await connected.get_schedule_handle(f"{QUEUE}-{one.name}").delete()


async def test_every_schedule_is_made_and_a_repeat_changes_nothing(client: Client) -> None:
    for _ in range(2):
        await ensure_schedules(client, task_queue=QUEUE, schedules=RARE)
    updates = set()
    for one in RARE:
        found = await client.get_schedule_handle(f"{QUEUE}-{one.name}").describe()
        assert found.schedule.policy.overlap == ScheduleOverlapPolicy.SKIP
        updates.add(found.info.last_updated_at)
    assert updates == {None}


async def test_a_changed_interval_reaches_an_installation_and_a_pause_stays(
    client: Client,
) -> None:
    await ensure_schedules(client, task_queue=QUEUE, schedules=RARE)
    handle = client.get_schedule_handle(f"{QUEUE}-reconcile")
    await handle.pause(note="for the night")
    changed = tuple(replace(one, every=timedelta(days=200)) for one in RARE)
    await ensure_schedules(client, task_queue=QUEUE, schedules=changed)
    found = (await handle.describe()).schedule
    assert [interval.every for interval in found.spec.intervals] == [timedelta(days=200)]
    assert (found.state.paused, found.state.note) == (True, "for the night")


async def test_an_older_worker_leaves_alone_what_a_newer_one_has_written(client: Client) -> None:
    async def interval(version: str, days: int) -> list[int]:
        wanted = tuple(replace(one, every=timedelta(days=days)) for one in RARE)
        await ensure_schedules(client, task_queue=QUEUE, schedules=wanted, version=version)
        found = await client.get_schedule_handle(f"{QUEUE}-reconcile").describe()
        return [one.every.days for one in found.schedule.spec.intervals]

    assert await interval("0.9.0", 300) == [300]
    assert await interval("0.10.0", 200) == [200]
    assert await interval("0.9.0", 300) == [200]
    assert await interval("0.10.0", 250) == [250]


@pytest.mark.parametrize("one", MAINTENANCE, ids=lambda one: one.name)
def test_what_is_scheduled_exists_in_the_worker(one: ScheduleDefinition) -> None:
    action = one.schedule(QUEUE, "any", None).action
    assert isinstance(action, ScheduleActionStartWorkflow)
    known = [SweepWorkflow, *MAINTENANCE_WORKFLOWS]
    assert action.workflow in {kind.__name__ for kind in known}
