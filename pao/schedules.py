"""The Temporal schedules of an installation: made by any worker at its start, once."""

import logging
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
)

from pao.core import names

_log = logging.getLogger(__name__)

SWEEP_EVERY = timedelta(minutes=1)


async def ensure_schedules(client: Client, *, task_queue: str) -> None:
    """Make the schedules that are not there yet; those that exist are left as they are."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            names.SWEEP_WORKFLOW,
            id=f"{task_queue}-sweep",
            task_queue=task_queue,
            execution_timeout=timedelta(minutes=5),
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SWEEP_EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    try:
        await client.create_schedule(f"{task_queue}-sweep", schedule)
    except ScheduleAlreadyRunningError:
        _log.debug("the sweep is scheduled already")


async def retention(client: Client) -> timedelta:
    """Give how long Temporal remembers a closed workflow; warns when it is shorter than ours.

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
