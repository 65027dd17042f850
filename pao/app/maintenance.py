"""The maintenance activities of a worker; their code is in activities/."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio.client import Client

from activities.audit_anchors import AuditAnchors
from activities.completed_runs import CompletedRuns
from activities.reconciler import Reconciler, RunLimits
from activities.retention import Retention
from activities.sweeper import SWEEP_AFTER, Sweeper
from activities.ticket_status import TicketUpdater
from db.session import Database
from pao.clients.inspection import WorkflowInspector
from pao.clients.jira.instances import JiraInstances
from pao.clients.temporal import RequestWorkflows
from pao.runtime.crypto import SecretBox


def maintenance_activities(  # noqa: PLR0913 -- what maintenance works with, each part named
    client: Client,
    *,
    task_queue: str,
    database: Database,
    jira: JiraInstances,
    box: SecretBox,
    memory: timedelta,
    sweep_after: timedelta = SWEEP_AFTER,
    installation: str | None = None,
) -> list[Callable[..., Any]]:
    """Return what the schedules run.

    ``memory`` is how long Temporal remembers closed workflows, ``sweep_after`` how long the sweep
    leaves a stored request to its submission.
    """
    requests = RequestWorkflows(client, task_queue=task_queue)
    inspector = WorkflowInspector(client, task_queue=task_queue, installation=installation)
    rotation = RunLimits(memory=memory / 2)
    return [
        Sweeper(database, requests, memory=memory / 2, sweep_after=sweep_after).sweep,
        Reconciler(database, requests, inspector, rotation).reconcile,
        TicketUpdater(database, inspector, jira, box=box).update,
        Retention(database).maintain,
        AuditAnchors(database).anchor,
        CompletedRuns(client, task_queue).forget,
    ]
