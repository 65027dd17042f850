"""The process of a worker: from its settings to an orderly shutdown."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from typing import TypeVar

from prometheus_client import start_http_server
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.metrics import WorkerMetrics
from db.availability import DatabaseProblem, DatabaseUnavailableError
from db.installation import Installation
from db.migrations.files import MigrationError
from db.migrations.runner import check_ready
from db.process_connections import check_connections
from db.session import Database
from pao.app import assembly
from pao.app.catalog_assembly import catalog_signals
from pao.app.schedules import MAINTENANCE, catalog_poll, ensure_schedules, retention
from pao.app.worker.builder import Workers, build_worker
from pao.app.worker.promotion import Promoter
from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.deployments import Deployment, VersioningUnavailableError
from pao.clients.queues import polled_queues
from pao.clients.temporal import SLOW
from pao.clients.temporal_connection import connect
from pao.core.errors import ErrorCode, PaoError
from pao.core.sentences import as_sentence
from pao.runtime.background import BackgroundTask
from pao.settings import Promotion, Settings

T = TypeVar("T")

_log = logging.getLogger(__name__)

# How long to wait before asking an unavailable database or a busy Temporal again.
RETRY_SECONDS = 2.0
# Transient errors: a server that has just started may take half a minute for its first answers.
TRANSIENT = SLOW | {RPCStatusCode.RESOURCE_EXHAUSTED}


class _NotReadyError(Exception):
    """What a start needs is not ready yet; retrying helps."""


async def run(settings: Settings, environ: Mapping[str, str]) -> None:
    """Run a worker until SIGTERM or SIGINT; raises if its polling fails.

    ``environ`` is the environment that the process was started with.
    """
    traces = assembly.traces(settings, service="pao-worker")
    name = assembly.process_name(settings, "pao-worker")
    password = assembly.database_password(settings, settings.database.url.get_secret_value())
    database = assembly.database(settings, application_name=str(name), password=password)
    metrics = WorkerMetrics()
    metrics.registry.pool.source = database.pool
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        installations = Installation(database)
        client = await connect(assembly.temporal_target(settings), installation=installations.id)
        refresh = assembly.secrets_refresh(settings, client)
        metrics.registry.secrets.source = assembly.secret_ages(refresh, password)
        async with refresh.task:
            installation = await _own_installation(installations, stop)
            if installation is None:
                return
            with contextlib.suppress(DatabaseUnavailableError):
                await check_connections(database, name)
            await _work(
                client,
                settings,
                database,
                installation,
                metrics=metrics,
                stop=stop,
                environ=environ,
            )
    finally:
        await database.close()
        await traces.close()


async def _work(  # noqa: PLR0913 -- what a worker is made of, each part named
    client: Client,
    settings: Settings,
    database: Database,
    installation: str,
    *,
    metrics: WorkerMetrics,
    stop: asyncio.Event,
    environ: Mapping[str, str],
) -> None:
    deployment = Deployment(client, settings.temporal.task_queue)
    introduction = await _introduce_until_ready(
        client, settings, deployment, installation=installation, stop=stop
    )
    if introduction is None:
        return
    memory, build_id = introduction
    jira = assembly.jira_instances(settings)
    metrics.registry.build_id(build_id or "")
    worker = build_worker(
        client,
        settings,
        database=database,
        jira=jira,
        memory=memory,
        metrics=metrics,
        environ=environ,
        installation=installation,
        deployment=deployment.config(build_id) if build_id else None,
    )
    promoter = Promoter(
        deployment,
        build_id,
        queues=polled_queues(settings.temporal.task_queue),
        automatic=settings.rollout.promote is Promotion.AUTO,
    )
    given = settings.worker
    syncs = CatalogSyncs(client, task_queue=settings.temporal.task_queue)
    try:
        with expose(metrics, host=given.metrics_host, port=given.metrics_port):
            async with catalog_signals(settings, syncs), BackgroundTask("promotion", promoter.run):
                await _run_until(worker, stop)
    finally:
        jira.close()


async def _usable_build_id(deployment: Deployment, build_id: str | None) -> str | None:
    """Return the build id to use; None if there is none or Temporal does not support builds.

    Raises ``PaoError`` if Temporal refuses, and ``_NotReadyError`` for transient errors.
    """
    if build_id is None:
        return None
    try:
        await deployment.routing()
    except VersioningUnavailableError as error:
        _log.warning(
            "this Temporal has no versions of workers (%s), so this one runs without: during a"
            " release old and new workers share the requests under way",
            error,
        )
        return None
    except RPCError as error:
        raise _refusal(
            error, f"Temporal did not say which build of the workers is current: {error.message}"
        ) from error
    return build_id


async def _require_schema(database: Database) -> None:
    """Raise ``PaoError`` unless the schema of the database can be used.

    An unavailable database is not an error here: its users wait for it, and log that.
    """
    try:
        async with database.reading() as session:
            newer = await check_ready(session)
    except DatabaseUnavailableError as error:
        if error.problem is not DatabaseProblem.UNAVAILABLE:
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


async def _own_installation(installations: Installation, stop: asyncio.Event) -> str | None:
    """Return the id of this installation once the database is available; None when stopped.

    Without it nothing is polled: the worker would not know which workflows it may run. Raises
    ``PaoError`` if waiting does not help.
    """

    async def ask() -> str:
        await _require_schema(installations.database)
        try:
            return await installations.id()
        except DatabaseUnavailableError as error:
            raise _NotReadyError(str(error)) from error

    return await _until_ready(ask, stop)


async def _introduce_until_ready(
    client: Client,
    settings: Settings,
    deployment: Deployment,
    *,
    installation: str,
    stop: asyncio.Event,
) -> tuple[timedelta, str | None] | None:
    """Introduce this worker to Temporal, with retries; None when stopped meanwhile.

    Returns how long Temporal keeps histories, and the build id to use. Raises ``PaoError`` if
    waiting does not help.
    """

    async def ask() -> tuple[timedelta, str | None]:
        memory = await _introduce(client, settings, installation=installation)
        return memory, await _usable_build_id(deployment, settings.rollout.build_id)

    return await _until_ready(ask, stop)


async def _until_ready(ask: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T | None:
    """Retry until it succeeds, and log the waiting once; None when stopped."""
    is_logged = False
    while not stop.is_set():
        try:
            return await ask()
        except _NotReadyError as error:
            if not is_logged:
                _log.warning("%s The worker polls once it can.", error)
            is_logged = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
    return None


async def _introduce(client: Client, settings: Settings, *, installation: str) -> timedelta:
    """Create the schedules; return how long Temporal keeps histories.

    Raises ``PaoError`` if not allowed, and ``_NotReadyError`` for transient errors.
    """
    schedules = (*MAINTENANCE, catalog_poll(settings.catalog.poll_interval))
    queue = settings.temporal.task_queue
    try:
        await ensure_schedules(
            client, task_queue=queue, schedules=schedules, installation=installation
        )
        return await retention(client)
    except RPCError as error:
        raise _refusal(
            error,
            f'Temporal refuses the namespace "{client.namespace}": {as_sentence(error.message)} '
            "Create it, or correct TEMPORAL_NAMESPACE and the credentials; then start the worker "
            "again.",
        ) from error


def _refusal(error: RPCError, message: str) -> Exception:
    """Return the error of a refused call: ``_NotReadyError`` if retrying helps."""
    if error.status in TRANSIENT:
        return _NotReadyError(f"Temporal is not ready ({error.message}).")
    return PaoError(ErrorCode.SERVICE_UNAVAILABLE, message)


@contextlib.contextmanager
def expose(metrics: WorkerMetrics, *, host: str, port: int | None) -> Iterator[None]:
    """Serve the metrics while the block runs, if a port is named; none is secret."""
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
