"""The worker process: client, workflows and activities put together; tests use it as well."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from prometheus_client import start_http_server
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities.base import Action
from activities.bookkeeping import Bookkeeper
from activities.choices import ChoicesFetcher
from activities.components import ComponentReader
from activities.conditions import Conditions
from activities.configuration_judges import models_of
from activities.corrections import Corrector
from activities.escalation import Escalator
from activities.execution import Executor
from activities.metrics import WorkerMetrics
from activities.registry import load_all
from activities.senders import SenderChecker
from activities.session_factory import Tools
from activities.ticket_links import TicketLinker
from db.installation import Installation
from db.living_processes import check_connections
from db.migrations.runner import MigrationError, check_ready
from db.session import Database
from db.unavailable import DatabaseUnavailableError, Trouble
from pao.app import assembly
from pao.app.action_tools import action_tools
from pao.app.catalog_assembly import catalog_signals, catalog_syncer
from pao.app.maintenance import maintenance_activities
from pao.app.schedules import MAINTENANCE, catalog_poll, ensure_schedules, retention
from pao.app.worker_log import RequestIds
from pao.app.workflow_sandbox import sandbox_for
from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.installation import WorkerGuard, worker_identity
from pao.clients.jira.instances import JiraInstances
from pao.clients.temporal_connection import connect
from pao.core.errors import ErrorCode, PaoError
from pao.core.names import RETENTION_DAYS, slow_queue, waits_queue
from pao.settings import Settings
from workflows.bundle import BundleWorkflow
from workflows.catalog_sync import CatalogSyncWorkflow
from workflows.look import ChoicesWorkflow, EvidenceWorkflow, LookWorkflow
from workflows.maintenance import MAINTENANCE_WORKFLOWS
from workflows.request import RequestWorkflow
from workflows.sweep import SweepWorkflow

_log = logging.getLogger(__name__)

# Actions in hand may finish within this time when the worker is told to end; without it they
# would be cancelled at once.
GRACE = timedelta(seconds=30)
# What is cached on a worker that is gone is waited for no longer than this.
STICKY_TIMEOUT = timedelta(seconds=1)
# A database that is away is asked again after so long.
DATABASE_SECONDS = 2.0


class Workers:
    """The pollers of one process: the usual queue, that of slow actions, and that of waits.

    Each has a pool of its own: a slow action or a wait never takes a place that a ticket needs.
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
        """The usual queue."""
        return self._all[0].task_queue

    @property
    def is_running(self) -> bool:
        """Return whether every queue is polled."""
        return all(worker.is_running for worker in self._all)

    async def run(self) -> None:
        """Poll until ``shutdown``; when one poller dies, so does the other, with its error."""
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
        """End in order: what is in hand may finish within the grace."""
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
) -> Workers:
    """Put a worker together; the caller runs it and closes what it has handed in.

    ``memory`` is how long Temporal remembers closed workflows; ``metrics`` counts what it does;
    ``types`` are the action types, those of the registry unless others are given; ``environ`` is
    the environment that the process was started with. What carries the id of another
    ``installation`` is refused.
    """
    measured = metrics or WorkerMetrics()
    guards = [WorkerGuard(installation)] if installation else []
    identity = worker_identity(installation) if installation else None
    queue = settings.temporal.task_queue
    tools = action_tools(settings, database=database, jira=jira, environ=environ)
    types = types or load_all()
    actions = Executor(types, tools).activities()
    models = models_of(types, tools.surroundings)
    bookkeeper = Bookkeeper(database)
    senders = SenderChecker(box=tools.box, temporal_approvals=settings.worker.temporal_approvals)
    components = ComponentReader(database, tools.box, tools.surroundings)
    escalator = Escalator(
        jira,
        target=assembly.escalation_target(settings),
        breakers=tools.network.breakers,
        database=database,
    )
    syncer = catalog_syncer(settings, database, CatalogSyncs(client, task_queue=queue))
    usual = Worker(
        client,
        task_queue=queue,
        workflows=[
            RequestWorkflow,
            BundleWorkflow,
            LookWorkflow,
            EvidenceWorkflow,
            ChoicesWorkflow,
            SweepWorkflow,
            CatalogSyncWorkflow,
            *MAINTENANCE_WORKFLOWS,
        ],
        activities=[
            *actions,
            bookkeeper.mirror,
            bookkeeper.make_row,
            Corrector(tools.box, models).check_correction,
            senders.check,
            senders.prove,
            components.prepare,
            components.read,
            Conditions(tools.box, tools.surroundings).condition,
            *_choices(types, tools),
            *maintenance_activities(
                client,
                task_queue=queue,
                database=database,
                jira=jira,
                box=tools.box,
                memory=memory,
                settling=settings.worker.sweep_after,
                installation=installation,
            ),
            TicketLinker(jira, breakers=tools.network.breakers).link,
            escalator.escalate,
            syncer.run,
            syncer.poll,
        ],
        interceptors=[measured, RequestIds(), *guards],
        identity=identity,
        workflow_runner=sandbox_for(client.data_converter),
        max_concurrent_activities=settings.worker.pool_size,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        graceful_shutdown_timeout=grace,
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
            interceptors=[measured, RequestIds(), *guards],
            identity=identity,
            max_concurrent_activities=size,
            graceful_shutdown_timeout=grace,
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        )
        for name, size in pools.items()
    ]
    return Workers(usual, *others, closes=[tools.network.client.close, syncer.sync.close])


def _choices(types: Mapping[str, Action[Any]], tools: Tools) -> list[Callable[..., Any]]:
    """Return the activity that fetches choices: it asks as a rest-api action does."""
    action = types.get("rest-api")
    return [ChoicesFetcher(action, tools).fetch] if action else []


async def run(settings: Settings, environ: Mapping[str, str]) -> None:
    """Run a worker until SIGTERM or SIGINT; raises when its polling dies: no zombie stays.

    ``environ`` is the environment that the process was started with.
    """
    traces = assembly.traces(settings, service="pao-worker")
    name = assembly.process_name(settings, "pao-worker")
    database = assembly.database(settings, application_name=str(name))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        known = Installation(database)
        client = await connect(assembly.temporal_target(settings), installation=known.id)
        installation = await _own_installation(known, stop)
        if installation is not None:
            with contextlib.suppress(DatabaseUnavailableError):
                await check_connections(database, name)
            await _work(client, settings, database, installation, stop=stop, environ=environ)
    finally:
        await database.close()
        await traces.close()


async def _work(  # noqa: PLR0913 -- what a worker is made of, each part named
    client: Client,
    settings: Settings,
    database: Database,
    installation: str,
    *,
    stop: asyncio.Event,
    environ: Mapping[str, str],
) -> None:
    memory = await _introduce(client, settings, installation=installation)
    jira = assembly.jira_instances(settings)
    metrics = WorkerMetrics()
    metrics.registry.pool.of = database.pool
    worker = build_worker(
        client,
        settings,
        database=database,
        jira=jira,
        memory=memory,
        metrics=metrics,
        environ=environ,
        installation=installation,
    )
    given = settings.worker
    syncs = CatalogSyncs(client, task_queue=settings.temporal.task_queue)
    try:
        with expose(metrics, host=given.metrics_host, port=given.metrics_port):
            async with catalog_signals(settings, syncs):
                await _run_until(worker, stop)
    finally:
        jira.close()


async def _require_schema(database: Database) -> None:
    """Raise ``PaoError`` unless the database can be used as it is, or will be once it answers.

    One that is away is waited for by whatever needs it, and the log says so.
    """
    try:
        async with database.reading() as session:
            newer = await check_ready(session)
    except DatabaseUnavailableError as error:
        if error.trouble is not Trouble.AWAY:
            raise
    except MigrationError as error:
        raise PaoError(ErrorCode.SERVICE_UNAVAILABLE, str(error)) from None
    else:
        if newer:
            _log.warning(
                "the database's schema is newer than this version of PAO: it has %s; upgrade this"
                " worker as well",
                ", ".join(newer),
            )


async def _own_installation(known: Installation, stop: asyncio.Event) -> str | None:
    """Return the id of this installation once the database gives it; None when told to end.

    Without it nothing is polled: nobody could say whose workflows this worker may carry out.
    Raises ``PaoError`` where waiting does not help.
    """
    told = False
    while not stop.is_set():
        await _require_schema(known.database)
        try:
            return await known.id()
        except DatabaseUnavailableError as error:
            if not told:
                _log.warning("%s The worker polls when it does.", error)
            told = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), DATABASE_SECONDS)
    return None


async def _introduce(client: Client, settings: Settings, *, installation: str) -> timedelta:
    """Create the schedules; return how long Temporal keeps histories. Raises if not allowed."""
    schedules = (*MAINTENANCE, catalog_poll(settings.catalog.poll_interval))
    queue = settings.temporal.task_queue
    try:
        await ensure_schedules(
            client, task_queue=queue, schedules=schedules, installation=installation
        )
        return await retention(client)
    except RPCError as error:
        raise PaoError(
            ErrorCode.SERVICE_UNAVAILABLE,
            f'Temporal refuses the namespace "{client.namespace}": {error.message} Create it, or '
            "correct TEMPORAL_NAMESPACE and the credentials; then start the worker again.",
        ) from error


@contextlib.contextmanager
def expose(metrics: WorkerMetrics, *, host: str, port: int | None) -> Iterator[None]:
    """Serve the metrics for as long as the block runs, where a port is named; none is secret."""
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, addr=host, registry=metrics.registry)
    except OSError as error:
        raise PaoError(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"The metrics cannot be served at {host}:{port} ({error.strerror}); "
            "set WORKER_METRICS_PORT to a free port.",
        ) from error
    _log.info("metrics are served at %s:%s", host, port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def _run_until(worker: Workers, stop: asyncio.Event) -> None:
    running = asyncio.create_task(worker.run())
    stopping = asyncio.create_task(stop.wait())
    _log.info("worker polls %s", worker.task_queue)
    await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        _log.info("worker stops polling; actions in hand may finish")
        await worker.shutdown()
    with contextlib.suppress(asyncio.CancelledError):
        await running
