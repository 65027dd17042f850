"""The Temporal schedules of an installation, which every worker ensures at startup."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

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

from pao.core import names

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Schedules:
    """One schedule: its name behind the task queue's, what it starts, how often, for how long."""

    name: str
    workflow: str
    every: timedelta
    at_most: timedelta = timedelta(minutes=5)

    def schedule(self, task_queue: str) -> Schedule:
        """Return the schedule as Temporal should have it; no turn begins while another one runs."""
        return Schedule(
            action=ScheduleActionStartWorkflow(
                self.workflow,
                id=f"{task_queue}-{self.name}",
                task_queue=task_queue,
                execution_timeout=self.at_most,
            ),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=self.every)]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
        )


MAINTENANCE = (
    Schedules("sweep", names.SWEEP_WORKFLOW, timedelta(minutes=1)),
    Schedules("reconcile", names.RECONCILE_WORKFLOW, timedelta(minutes=1)),
    Schedules("ticket-status", names.TICKETS_WORKFLOW, timedelta(minutes=5)),
    Schedules("maintenance", names.MAINTENANCE_WORKFLOW, timedelta(days=1), timedelta(hours=1)),
    Schedules("audit-anchor", names.ANCHOR_WORKFLOW, timedelta(days=1)),
)


async def ensure_schedules(
    client: Client, *, task_queue: str, schedules: Sequence[Schedules] = MAINTENANCE
) -> None:
    """Make the schedules that are not there, and change those that say something else.

    Only what they start and how often is ours: a schedule that an operator has paused stays so.
    """
    for one in schedules:
        try:
            await client.create_schedule(f"{task_queue}-{one.name}", one.schedule(task_queue))
        except ScheduleAlreadyRunningError:
            await _bring_up_to_date(client, one, task_queue)


async def _bring_up_to_date(client: Client, one: Schedules, task_queue: str) -> None:
    handle = client.get_schedule_handle(f"{task_queue}-{one.name}")
    wanted = one.schedule(task_queue)
    if _core(wanted) == _core((await handle.describe()).schedule):
        return

    def change(current: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(schedule=replace(wanted, state=current.description.schedule.state))

    await handle.update(change)
    _log.info("the schedule %s-%s was brought up to date", task_queue, one.name)


def _core(schedule: Schedule) -> tuple[object, ...]:
    """Return what of a schedule is ours, as far as Temporal returns it unchanged."""
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
