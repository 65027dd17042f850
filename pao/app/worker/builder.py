"""Builds a worker: workflows and activities on their queues; tests use it, too."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import (
    PollerBehaviorAutoscaling,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerDeploymentConfig,
)

from activities.base import Action
from activities.bookkeeping import Bookkeeper
from activities.choices import ChoicesFetcher
from activities.components import ComponentReader
from activities.conditions import Conditions
from activities.configuration_validators import action_models
from activities.corrections import Corrector
from activities.escalation import Escalator
from activities.execution import Executor
from activities.github.current_files import FilesReader
from activities.metrics import WorkerMetrics
from activities.registry import load_all
from activities.senders import SenderChecker
from activities.session_factory import Tools
from activities.ticket_links import TicketLinker
from db.session import Database
from pao.app import assembly
from pao.app.action_tools import action_tools
from pao.app.catalog_assembly import catalog_syncer
from pao.app.maintenance import maintenance_activities
from pao.app.worker.workflow_kinds import WORKFLOWS
from pao.app.worker_log import RequestIds
from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.installation import WorkerGuard, worker_identity
from pao.clients.jira.instances import JiraInstances
from pao.core.names import RETENTION_DAYS, slow_queue, waits_queue
from pao.settings import Settings

_log = logging.getLogger(__name__)

# Running actions may finish within this time when the worker is stopped; without it they
# would be cancelled at once.
GRACE = timedelta(seconds=30)
# How long Temporal waits for the cached workflow of a worker that is gone.
STICKY_TIMEOUT = timedelta(seconds=1)


class Workers:
    """The pollers of one process: the main queue, that of slow actions, and that of waits.

    Each has its own pool: a slow action or a wait never takes a slot that a ticket needs.
    """

    def __init__(
        self,
        worker: Worker,
        *others: Worker,
        closes: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._all: Sequence[Worker] = (worker, *others)
        self._closes = closes

    @property
    def task_queue(self) -> str:
        """The main queue."""
        return self._all[0].task_queue

    @property
    def is_running(self) -> bool:
        """Whether every queue is polled."""
        return all(worker.is_running for worker in self._all)

    async def run(self) -> None:
        """Poll until ``shutdown``; if one poller fails, all end with its error."""
        running = [asyncio.create_task(worker.run()) for worker in self._all]
        try:
            await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for close in self._closes:
                await close()

    async def shutdown(self) -> None:
        """Stop polling; running actions may finish within the grace period."""
        await asyncio.gather(*(worker.shutdown() for worker in self._all))


def build_worker(  # noqa: PLR0913 -- what a worker is made of, each part named.
    client: Client,
    settings: Settings,
    *,
    database: Database,
    jira: JiraInstances,
    grace: timedelta = GRACE,
    memory: timedelta = timedelta(days=RETENTION_DAYS),
    metrics: WorkerMetrics | None = None,
    types: Mapping[str, Action[Any]] | None = None,
    environ: Mapping[str, str] | None = None,
    installation: str | None = None,
    deployment: WorkerDeploymentConfig | None = None,
) -> Workers:
    """Build a worker; the caller runs it and closes the objects that it has passed.

    ``memory`` is how long Temporal remembers closed workflows; ``metrics`` counts what it does;
    ``types`` are the action types, by default those of the registry; ``environ`` is the environment
    that the process was started with. Workflows of another ``installation`` are refused.
    ``deployment`` says which build of the workers this is.
    """
    counted = metrics or WorkerMetrics()
    guards = [WorkerGuard(installation)] if installation else []
    identity = worker_identity(installation) if installation else None
    queue = settings.temporal.task_queue
    tools = action_tools(settings, database=database, jira=jira, environ=environ)
    types = types or load_all()
    actions = Executor(types, tools).activities()
    models = action_models(types, tools.scope_context)
    bookkeeper = Bookkeeper(database)
    senders = SenderChecker(box=tools.box, temporal_approvals=settings.worker.temporal_approvals)
    components = ComponentReader(database, tools.box, tools.scope_context)
    escalator = Escalator(
        jira,
        target=assembly.escalation_target(settings),
        breakers=tools.network.breakers,
        database=database,
    )
    syncer = catalog_syncer(settings, database, CatalogSyncs(client, task_queue=queue))
    counted.source.source = syncer.sync.calls
    main_worker = Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=[
            *actions,
            bookkeeper.mirror,
            bookkeeper.make_row,
            Corrector(tools.box, models).check_correction,
            senders.check,
            senders.prove,
            components.prepare,
            components.read,
            Conditions(tools.box, tools.scope_context).condition,
            *_choices(types, tools),
            *_files(types, tools),
            *maintenance_activities(
                client,
                task_queue=queue,
                database=database,
                jira=jira,
                box=tools.box,
                memory=memory,
                sweep_after=settings.worker.sweep_after,
                installation=installation,
            ),
            TicketLinker(jira, breakers=tools.network.breakers).link,
            escalator.escalate,
            syncer.run,
            syncer.poll,
            syncer.check_proposal,
        ],
        interceptors=[counted, RequestIds(), *guards],
        identity=identity,
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=settings.worker.pool_size,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        graceful_shutdown_timeout=grace,
        deployment_config=deployment,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )
    pools = {
        slow_queue(queue): settings.worker.slow_pool_size,
        waits_queue(queue): settings.worker.waits_pool_size,
    }
    others = [
        Worker(
            client,
            task_queue=name,
            activities=actions,
            interceptors=[counted, RequestIds(), *guards],
            identity=identity,
            max_concurrent_activities=size,
            graceful_shutdown_timeout=grace,
            deployment_config=deployment,
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        )
        for name, size in pools.items()
    ]
    return Workers(main_worker, *others, closes=[tools.network.client.close, syncer.close])


def _choices(types: Mapping[str, Action[Any]], tools: Tools) -> list[Callable[..., Any]]:
    """Return the activity that fetches choices, by the same calls as a rest-api action."""
    action = types.get("rest-api")
    return [ChoicesFetcher(action, tools).fetch] if action else []


def _files(types: Mapping[str, Action[Any]], tools: Tools) -> list[Callable[..., Any]]:
    """Return the activity that reads files of a commit, by the same calls as git-commit."""
    action = types.get("git-commit")
    return [FilesReader(action, tools).read] if action else []
