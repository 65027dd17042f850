"""Assembles the API process: settings in, ASGI application out. No routes or rules here."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from api import docs, index, openapi
from api import error_responses as errors
from api.connections import ConnectionLimits, bounded_protocol
from api.gate import Gate, GateSettings, method_of, route_of
from api.identity_assembly import aws_people, identities, sign_in_methods
from api.metrics import ApiMetrics
from api.queries import refuse_unknown_parameters
from api.ratelimit import RateLimiter, Replicas
from api.replicas import ReplicaCounter
from api.request_body import BodyLimits
from api.routes.audit import router as audit_router
from api.routes.catalog import router as catalog_router
from api.routes.decisions import router as decisions_router
from api.routes.document_schemas import router as document_schemas_router
from api.routes.forms import router as forms_router
from api.routes.health import router as health_router
from api.routes.insights import router as insights_router
from api.routes.keys import router as keys_router
from api.routes.request_list import router as request_list_router
from api.routes.request_log import router as request_log_router
from api.routes.requests import router as requests_router
from api.routes.terraform import router as terraform_router
from api.routes.tools import router as tools_router
from api.routes.web_sessions import router as web_sessions_router
from api.routes.webhooks import router as webhooks_router
from api.service_assembly import assemble_services
from api.services import Services
from api.serving import open_files
from api.sessions.address import WebAddress
from api.sessions.service import SessionService
from api.signed_calls import BASE, SignedCalls
from api.web.app import create_web_app
from api.web.gate import GatedPages
from db.installation import Installation
from db.notifications import RequestNotifications
from db.repositories.catalog_state import CHANNEL
from db.session import Database
from pao.app import assembly
from pao.clients.bounded_http import BoundedHttp
from pao.clients.temporal_connection import connect
from pao.runtime.version import VERSION
from pao.settings import Settings

DESCRIPTION = """Platform Automation Orchestrator: platform teams describe services as YAML
documents, developers request them, every failure is decided by a person.

Every call but health, readiness, version and metrics is signed with AWS Signature Version 4
(service `execute-api`), for example by `curl --aws-sigv4`; or, where it is switched on, proven by
AWS credentials or a token. `POST /sessions` gives an access key for an hour to either."""

COMPRESSED_FROM = 16_384
COMPRESSION = 4

ROUTERS = (
    catalog_router,
    forms_router,
    document_schemas_router,
    requests_router,
    request_list_router,
    request_log_router,
    decisions_router,
    terraform_router,
    tools_router,
    web_sessions_router,
    webhooks_router,
    keys_router,
    audit_router,
    insights_router,
    health_router,
)


@cache
def _routes() -> Sequence[BaseRoute]:
    """Return the routes, the same for every application: FastAPI takes a second to prepare them."""
    routes = APIRouter(generate_unique_id_function=openapi.operation_id)
    for router in ROUTERS:
        strict = [] if router is health_router else [Depends(refuse_unknown_parameters)]
        routes.include_router(router, prefix=BASE, dependencies=strict)
    return routes.routes


def create_app(settings: Settings) -> "Application":
    """Return the application; its parts start and stop with the ASGI lifespan."""
    app = FastAPI(
        routes=[*_routes()],
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
    # For lists of hundreds of rows; compressing what fits into a few packets is not worth the time.
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM, compresslevel=COMPRESSION)
    errors.install(app)
    docs.install(app)
    index.install(app, has_pages=settings.web.enabled)
    openapi.install(app, ROUTERS)
    return Application(app, settings)


class Application:
    """The application behind its gate; what the gate needs lives as long as the process."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        self.app = app
        self._metrics = ApiMetrics()
        self.protocol = bounded_protocol(
            _connection_limits(settings), self._metrics.count_refused_connection
        )
        name = assembly.process_name(settings, "pao-api")
        password = assembly.database_password(settings, settings.database.url.get_secret_value())
        self._database = assembly.database(settings, application_name=str(name), password=password)
        app.state.database_password = password
        self._metrics.registry.pool.source = self._database.pool
        replicas = Replicas(settings.http.replicas)
        app.state.replicas = ReplicaCounter(self._database, replicas, name)
        app.state.metrics = self._metrics
        app.state.database = self._database
        http = app.state.identity_http = BoundedHttp(ca_bundle=settings.directory.ca_bundle)
        people = aws_people(settings)
        app.state.identity = identities(settings, http, self._database, people)
        sign_in = app.state.sign_in_methods = sign_in_methods(settings, http, self._database)
        app.state.web_sessions = SessionService(
            self._database,
            assembly.secret_box(settings),
            teams=people.teams if people else None,
            accepts=lambda source: app.state.identity.accepts(source) or sign_in.accepts(source),
            count=self._metrics.count_sign_in,
        )
        bodies = BodyLimits(
            most=settings.http.max_request_size,
            seconds=settings.http.api_timeout.total_seconds(),
        )
        limiter = RateLimiter(settings.http.rate_limit_per_minute, replicas=replicas)
        app.state.webhook_limiter = RateLimiter(
            settings.catalog.webhook_rate_per_minute, replicas=replicas
        )
        self._gate = Gate(
            api=SignedCalls(
                app,
                identity=app.state.identity,
                limiter=limiter,
                bodies=bodies,
                count=self._metrics.count_identification,
            ),
            web=_pages(app, settings, bodies, replicas) if settings.web.enabled else None,
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

    def start_draining(self) -> None:
        """Answer readiness with 503 from now on, and close each connection after its answer.

        Everything else continues.
        """
        self._gate.stopping = True
        if (services := self._services()) is not None:
            services.health.stopping = True

    def end_streams(self) -> None:
        """End all streams and tell their clients to reconnect, to another process."""
        if (services := self._services()) is not None:
            services.streams.end()

    def _services(self) -> Services | None:
        return getattr(self.app.state, "services", None)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        self._metrics.http.labels(method_of(scope), route_of(scope), status).observe(seconds)


@asynccontextmanager
async def _lifespan(app: FastAPI, *, settings: Settings) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        traces = assembly.traces(settings, service="pao-api")
        stack.push_async_callback(traces.close)
        database: Database = app.state.database
        stack.push_async_callback(database.close)
        stack.push_async_callback(app.state.identity_http.close)
        notifications = RequestNotifications(
            settings.database.url.get_secret_value(), password=app.state.database_password
        )
        jira = assembly.jira_instances(settings)
        stack.callback(jira.close)
        target = assembly.temporal_target(settings)
        client = await connect(target, lazy=True, installation=Installation(database).id)
        refresh = assembly.secrets_refresh(settings, client)
        metrics: ApiMetrics = app.state.metrics
        metrics.registry.secrets.source = assembly.secret_ages(refresh, app.state.database_password)
        app.state.refresh = refresh
        services = assemble_services(
            app.state, settings, notifications=notifications, jira=jira, client=client
        )
        app.state.services = services
        stack.push_async_callback(services.health.close)
        notifications.subscribe(CHANNEL, services.catalog.mark_changed)
        await stack.enter_async_context(notifications)
        await stack.enter_async_context(services.catalog)
        counting = await stack.enter_async_context(app.state.replicas.task)
        services.health.tasks += [notifications.task, services.catalog.follower, counting]
        services.health.tasks.append(await stack.enter_async_context(refresh.task))
        yield


def _pages(app: FastAPI, settings: Settings, bodies: BodyLimits, replicas: Replicas) -> GatedPages:
    return GatedPages(
        create_web_app(app.state),
        address=WebAddress(settings.web.public_url),
        balancer=app.state.sign_in_methods.alb,
        bodies=bodies,
        per_minute=settings.web.rate_limit_per_minute,
        replicas=replicas,
        sessions=app.state.web_sessions,
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
