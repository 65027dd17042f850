"""The Temporal schedules of an installation, which every worker ensures at startup."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from packaging.version import InvalidVersion, Version
from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from pao.clients.installation import MEMO, foreign_installation_message
from pao.core import names
from pao.runtime.version import VERSION

_log = logging.getLogger(__name__)

WRITTEN_BY = "writtenBy"
"""The memo of a schedule's workflows: the version of PAO that wrote it."""


@dataclass(frozen=True, slots=True)
class ScheduleDefinition:
    """A schedule: its name after the task queue's, its workflow, interval and time limit."""

    name: str
    workflow: str
    every: timedelta
    at_most: timedelta = timedelta(minutes=5)

    def schedule(
        self, task_queue: str, workflow_id: str, installation: str | None, *, version: str = VERSION
    ) -> Schedule:
        """Return the schedule for Temporal; no run starts while another one is active."""
        owner = {MEMO: installation} if installation else {}
        return Schedule(
            action=ScheduleActionStartWorkflow(
                self.workflow,
                id=workflow_id,
                task_queue=task_queue,
                execution_timeout=self.at_most,
                memo={**owner, WRITTEN_BY: version},
            ),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=self.every)]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
        )


MAINTENANCE = (
    ScheduleDefinition("sweep", names.SWEEP_WORKFLOW, timedelta(minutes=1)),
    ScheduleDefinition("reconcile", names.RECONCILE_WORKFLOW, timedelta(minutes=1)),
    ScheduleDefinition("ticket-status", names.TICKETS_WORKFLOW, timedelta(minutes=5)),
    ScheduleDefinition(
        "maintenance", names.MAINTENANCE_WORKFLOW, timedelta(days=1), timedelta(hours=1)
    ),
    ScheduleDefinition("audit-anchor", names.ANCHOR_WORKFLOW, timedelta(days=1)),
)


def catalog_poll(every: timedelta) -> ScheduleDefinition:
    """Return the schedule that polls the catalog's source."""
    return ScheduleDefinition(
        "catalog-poll", names.CATALOG_POLL_WORKFLOW, every, timedelta(minutes=1)
    )


async def ensure_schedules(
    client: Client,
    *,
    task_queue: str,
    schedules: Sequence[ScheduleDefinition] = MAINTENANCE,
    installation: str | None = None,
    version: str = VERSION,
) -> None:
    """Create missing schedules, and update those that differ.

    One that a newer ``version`` of PAO has written is left unchanged: during a release workers of
    both start. Only workflow and interval are updated: a schedule that an operator has paused stays
    paused. If another ``installation`` has taken a name, this one's id is appended to it.
    """
    for one in schedules:
        name = f"{task_queue}-{one.name}"
        owner = await _ensure(
            client, name, one.schedule(task_queue, name, installation, version=version)
        )
        if owner and installation:
            _log.error(
                "%s If that installation is gone, delete the schedule.",
                foreign_installation_message(f"Schedule {name}", theirs=owner, ours=installation),
            )
            own_name = f"{name}-{installation[:8]}"
            await _ensure(
                client, own_name, one.schedule(task_queue, own_name, installation, version=version)
            )


async def _ensure(client: Client, name: str, wanted: Schedule) -> str | None:
    """Create or update a schedule; return its owner if that is another installation."""
    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:
        return await _bring_up_to_date(client, name, wanted)
    return None


async def _bring_up_to_date(client: Client, name: str, wanted: Schedule) -> str | None:
    handle = client.get_schedule_handle(name)
    found = (await handle.describe()).schedule
    owner, ours = await _memo_value(client, found, MEMO), await _memo_value(client, wanted, MEMO)
    before, now = await _version(client, found), await _version(client, wanted)
    if ours and owner not in {None, ours}:
        return owner
    if before > now or (
        _own_settings(wanted) == _own_settings(found) and (owner, before) == (ours, now)
    ):
        return None

    def change(current: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(schedule=replace(wanted, state=current.description.schedule.state))

    await handle.update(change)
    _log.info("the schedule %s was brought up to date", name)
    return None


async def _version(client: Client, schedule: Schedule) -> Version:
    """Return the version of PAO that wrote a schedule; the lowest one if it does not say."""
    try:
        return Version(await _memo_value(client, schedule, WRITTEN_BY) or "0")
    except InvalidVersion:
        return Version("0")


async def _memo_value(client: Client, schedule: Schedule, name: str) -> str | None:
    """Return the memo of this name of a schedule's workflows; None if there is none."""
    action = schedule.action
    memo = action.memo if isinstance(action, ScheduleActionStartWorkflow) else None
    raw = (memo or {}).get(name)
    if isinstance(raw, Payload):
        [raw] = await client.data_converter.decode([raw], [str])
    return None if raw is None else str(raw)


def _own_settings(schedule: Schedule) -> tuple[object, ...]:
    """Return the settings of a schedule that PAO manages, if Temporal returns them unchanged."""
    action = schedule.action
    if not isinstance(action, ScheduleActionStartWorkflow):
        return ()
    return (
        action.workflow,
        action.task_queue,
        action.execution_timeout,
        [(interval.every, interval.offset) for interval in schedule.spec.intervals],
        schedule.spec.cron_expressions,
        schedule.policy.overlap,
    )


async def retention(client: Client) -> timedelta:
    """Return how long Temporal remembers a closed workflow; warns when it is shorter than ours.

    After it Temporal no longer knows a workflow's id and would run it again.
    """
    request = DescribeNamespaceRequest(namespace=client.namespace)
    answer = await client.workflow_service.describe_namespace(request)
    found = answer.config.workflow_execution_retention_ttl.ToTimedelta()
    if found < timedelta(days=names.RETENTION_DAYS):
        _log.warning(
            "the namespace keeps closed workflows for %s only; set its retention to %s days",
            found,
            names.RETENTION_DAYS,
        )
    return found
