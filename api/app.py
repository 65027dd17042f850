"""Assembles the API process: settings in, ASGI application out. No routes or rules here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from starlette.types import Receive, Scope, Send
from temporalio.client import Client

from activities.registry import action_schemas, load_all
from api import docs, index, openapi
from api import error_responses as errors
from api.access import Access
from api.audit.service import AuditService
from api.auth.keys import KeysIdentity
from api.catalog.cache import CacheSettings
from api.catalog.options import OptionsService
from api.catalog.service import CatalogService
from api.catalog.watcher import CatalogWatcher
from api.connections import ConnectionLimits, bounded_protocol
from api.drafts.service import DraftService
from api.gate import Gate, GateSettings, route_of
from api.health.measures import Measures, Sources
from api.health.service import HealthService, Parts
from api.incoming import BodyLimits
from api.keys.service import KeysService
from api.metrics import ApiMetrics
from api.pagination import Cursors
from api.queries import refuse_unknown_parameters
from api.ratelimit import RateLimiter
from api.requests.cleanups import CleanupService
from api.requests.decisions import DecisionService, DecisionSettings
from api.requests.item_preparation import ItemPreparer
from api.requests.listing import ListingService
from api.requests.preparation import Preparer
from api.requests.prepared import SubmissionSettings
from api.requests.reading import ReadingService, ReadingSettings
from api.requests.references import ReferenceService
from api.requests.streams import StreamLimits, Streams
from api.requests.submission import SubmissionService
from api.routes.audit import router as audit_router
from api.routes.catalog import router as catalog_router
from api.routes.decisions import router as decisions_router
from api.routes.document_schemas import router as document_schemas_router
from api.routes.forms import router as forms_router
from api.routes.health import router as health_router
from api.routes.keys import router as keys_router
from api.routes.request_list import router as request_list_router
from api.routes.requests import router as requests_router
from api.routes.terraform import router as terraform_router
from api.routes.tools import router as tools_router
from api.routes.web_sessions import router as web_sessions_router
from api.services import Services
from api.serving import open_files
from api.sessions.address import WebAddress
from api.sessions.service import SessionService
from api.signed_calls import BASE, SignedCalls
from api.stores import PostgresAudit, PostgresKeyStore, PostgresReplayStore
from api.terraform.service import TerraformStatesService
from api.tools.service import ToolsService
from api.web.app import create_web_app
from api.web.gate import Pages
from catalog.configuration_checks import ActionModels
from catalog.planning import ActionTraits
from catalog.sources.local import LocalFolder
from db.installation import Installation
from db.notifications import RequestNotifications
from db.repositories.catalog import CHANNEL
from db.session import Database
from pao.app import assembly
from pao.app.catalog_sync import CatalogSync
from pao.app.resuming import LostRequests, Resumer
from pao.clients.inspection import Inspector
from pao.clients.queues import TaskQueues, polled_queues
from pao.clients.temporal import RequestWorkflows
from pao.clients.temporal_connection import connect
from pao.runtime.version import VERSION
from pao.settings import Settings

DESCRIPTION = """Platform Automation Orchestrator: platform teams describe services as YAML
documents, developers request them, every failure is decided by a person.

Every call but health, readiness, version and metrics is signed with AWS Signature Version 4
(service `execute-api`), for example by `curl --aws-sigv4`."""


def create_app(settings: Settings) -> "Application":
    """Return the application; its parts start and stop with the ASGI lifespan."""
    app = FastAPI(
        title="Platform Automation Orchestrator",
        version=VERSION,
        description=DESCRIPTION,
        license_info=openapi.LICENSE,
        openapi_url=f"{BASE}/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=openapi.operation_id,
        # A redirect would answer under another path than the one that was signed.
        redirect_slashes=False,
        # The gate makes the span: it sees calls that no route takes, and FastAPI's own would put
        # queries on it and take over whatever baggage a caller sends.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=partial(_lifespan, settings=settings),
    )
    routers = (
        catalog_router,
        forms_router,
        document_schemas_router,
        requests_router,
        request_list_router,
        decisions_router,
        terraform_router,
        tools_router,
        web_sessions_router,
        keys_router,
        audit_router,
        health_router,
    )
    for router in routers:
        strict = [] if router is health_router else [Depends(refuse_unknown_parameters)]
        app.include_router(router, prefix=BASE, dependencies=strict)
    errors.install(app)
    docs.install(app)
    index.install(app, has_pages=settings.web.enabled)
    openapi.install(app, routers)
    return Application(app, settings)


class Application:
    """The application behind its gate; what the gate needs lives as long as the process."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        self.app = app
        self._metrics = ApiMetrics()
        self.protocol = bounded_protocol(_connection_limits(settings), self._metrics.refused)
        self._database = assembly.database(settings, application_name="pao-api")
        app.state.metrics = self._metrics
        app.state.database = self._database
        app.state.identity = _identity(settings, self._database)
        bodies = BodyLimits(
            most=settings.http.max_request_size,
            seconds=settings.http.api_timeout.total_seconds(),
        )
        limiter = RateLimiter(settings.http.rate_limit_per_minute, replicas=settings.http.replicas)
        self._gate = Gate(
            api=SignedCalls(app, identity=app.state.identity, limiter=limiter, bodies=bodies),
            web=_pages(app, settings, bodies) if settings.web.enabled else None,
            settings=GateSettings(
                max_head=settings.http.max_header_size,
                max_headers=settings.http.max_headers,
                correlation_header=settings.http.correlation_id_header,
            ),
            observe=self._observe,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "http":
            await self._gate(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def stopping(self) -> None:
        """Answer readiness with 503 from now on, and close each connection after its answer.

        Everything else goes on.
        """
        self._gate.stopping = True
        if (services := self._services()) is not None:
            services.health.stopping = True

    def ending(self) -> None:
        """End all streams and tell their clients to reconnect, to another process."""
        if (services := self._services()) is not None:
            services.streams.end()

    def _services(self) -> Services | None:
        return getattr(self.app.state, "services", None)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        self._metrics.http.labels(scope["method"], route_of(scope), status).observe(seconds)


@asynccontextmanager
async def _lifespan(app: FastAPI, *, settings: Settings) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        traces = assembly.traces(settings, service="pao-api")
        stack.push_async_callback(traces.close)
        database: Database = app.state.database
        stack.push_async_callback(database.close)
        notifications = RequestNotifications(settings.database.url.get_secret_value())
        jira = assembly.jira_instances(settings)
        stack.callback(jira.close)
        target = assembly.temporal_target(settings)
        client = await connect(target, lazy=True, installation=Installation(database).id)
        services = _services(app, settings, notifications=notifications, jira=jira, client=client)
        app.state.services = services
        stack.push_async_callback(services.health.close)
        notifications.hear(CHANNEL, services.catalog.changed)
        await stack.enter_async_context(notifications)
        await stack.enter_async_context(services.catalog)
        watcher = await stack.enter_async_context(_watcher(services.catalog, settings))
        services.health.tasks += [notifications.task, services.catalog.following, *watcher.tasks]
        if not services.catalog.is_fresh:
            watcher.now()
        yield


def _services(
    app: FastAPI,
    settings: Settings,
    *,
    notifications: RequestNotifications,
    jira: Any,
    client: Client,
) -> Services:
    database: Database = app.state.database
    queue = settings.temporal.task_queue
    workflows = RequestWorkflows(client, task_queue=queue)
    box = assembly.secret_box(settings)
    access = Access(admin_teams=frozenset(settings.auth.admin_teams))
    budget = settings.http.submission_budget.total_seconds()
    surroundings = assembly.surroundings(settings)
    actions = load_all()
    targets = {name: action.targets for name, action in actions.items()}
    catalog = _catalog(settings, database)
    options = OptionsService(
        catalog=catalog, database=database, surroundings=surroundings, workflows=workflows
    )
    cursors = Cursors(box)
    references = ReferenceService(access=access, database=database)
    reading = ReadingService(
        access=access,
        cursors=cursors,
        database=database,
        jira=jira,
        notifications=notifications,
        settings=ReadingSettings(
            ui_url=str(settings.temporal.ui_url) if settings.temporal.ui_url else None,
            namespace=settings.temporal.namespace,
        ),
    )
    judges = {name: one.judge for name, one in action_schemas().items() if one.judge}
    readers = {name: one.reader for name, one in action_schemas().items() if one.reader}
    submission_settings = SubmissionSettings(
        budget=budget,
        surroundings=surroundings,
        targets=targets,
        judges=judges,
        readers=readers,
        traits=_traits(),
        longest_wait=settings.http.api_timeout.total_seconds() - 5,
    )
    return Services(
        access=access,
        audit=AuditService(
            access=access, cursors=cursors, database=database, references=references
        ),
        catalog=catalog,
        cursors=cursors,
        identity=app.state.identity,
        options=options,
        keys=KeysService(access=access, box=box, cursors=cursors, database=database),
        reading=reading,
        drafts=DraftService(database, box),
        sessions=SessionService(database),
        web_address=WebAddress(settings.web.public_url) if settings.web.enabled else None,
        references=references,
        listing=ListingService(access=access, cursors=Cursors(box), database=database),
        submission=SubmissionService(
            box=box,
            database=database,
            notifications=notifications,
            preparer=Preparer(
                ItemPreparer(access=access, box=box, settings=submission_settings),
                catalog,
                options,
            ),
            settings=submission_settings,
            workflows=workflows,
        ),
        decisions=DecisionService(
            box=box,
            database=database,
            options=options,
            reading=reading,
            settings=DecisionSettings(
                budget=budget,
                judging=ActionModels(surroundings, judges, targets),
                readers=readers,
            ),
            workflows=workflows,
            lost=LostRequests(
                database, Inspector(client, task_queue=queue), Resumer(database, workflows)
            ),
        ),
        cleanups=CleanupService(database=database, reading=reading),
        terraform_states=TerraformStatesService(access=access, database=database, reading=reading),
        streams=Streams(
            StreamLimits(
                most=settings.http.max_streams,
                most_per_caller=settings.http.max_streams_per_caller,
            )
        ),
        tools=ToolsService(action_schemas(), surroundings),
        health=HealthService(
            Parts(
                database=database,
                installation=Installation(database),
                notifications=notifications,
                workflows=workflows,
                jira=jira,
                catalog=catalog,
                # Three times without a look at the source is no chance any more.
                catalog_age=3 * settings.catalog.poll_interval.total_seconds(),
            )
        ),
        measures=Measures(
            Sources(
                metrics=app.state.metrics,
                database=database,
                queues=TaskQueues(client, polled_queues(queue)),
                catalog=catalog,
            )
        ),
        metrics=app.state.metrics,
    )


def _pages(app: FastAPI, settings: Settings, bodies: BodyLimits) -> Pages:
    return Pages(
        create_web_app(app.state),
        address=WebAddress(settings.web.public_url),
        bodies=bodies,
        per_minute=settings.web.rate_limit_per_minute,
        replicas=settings.http.replicas,
        sessions=SessionService(app.state.database),
    )


def _connection_limits(settings: Settings) -> ConnectionLimits:
    given = settings.http
    return ConnectionLimits(
        most=given.max_connections,
        most_per_address=given.max_connections_per_address,
        head_bytes=given.max_header_size,
        head_seconds=given.header_timeout.total_seconds(),
        idle_seconds=given.idle_timeout.total_seconds(),
        write_seconds=given.api_timeout.total_seconds(),
        proxies=given.trusted_proxies,
    ).within(open_files())


def _catalog(settings: Settings, database: Database) -> CatalogService:
    sync = CatalogSync(database, LocalFolder(_catalog_path(settings)), action_schemas())
    return CatalogService(
        database,
        sync,
        record=PostgresAudit(database).record,
        cache=CacheSettings(max_memory=settings.catalog.cache_max_memory),
    )


def _watcher(catalog: CatalogService, settings: Settings) -> CatalogWatcher:
    return CatalogWatcher(
        _catalog_path(settings),
        catalog.refresh,
        poll=settings.catalog.poll_interval.total_seconds(),
        watch=settings.catalog.watch,
    )


def _identity(settings: Settings, database: Database) -> KeysIdentity:
    return KeysIdentity(
        PostgresKeyStore(database),
        assembly.secret_box(settings),
        PostgresReplayStore(database),
        region=settings.auth.region,
        service=settings.auth.service_name,
    )


def _traits() -> dict[str, ActionTraits]:
    return {
        name: ActionTraits(timeout=action.default_timeout, slow=action.slow, waits=action.waits)
        for name, action in load_all().items()
    }


def _catalog_path(settings: Settings) -> Path:
    return settings.catalog.path or Path("catalog")
