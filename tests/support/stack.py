"""The full PAO stack for tests: the real API and worker in a thread, real servers, the stand-in."""

import asyncio
import contextlib
import json
import secrets
import socket
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import asyncpg
import httpx
import uvicorn
from starlette.types import ASGIApp
from temporalio.client import Client

from api import serving
from api.app import create_app
from api.auth.keys import NewKey
from api.services import Services
from catalog.sources.source import SourceUnavailableError
from db.installation import Installation
from pao.app import assembly
from pao.app.catalog_assembly import catalog_signals, catalog_sync
from pao.app.catalog_forges import forge
from pao.app.worker import Workers, build_worker
from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.jira.instances import JiraInstances
from pao.clients.temporal_connection import connect
from pao.core.errors import PaoError
from pao.core.names import workflow_id
from pao.runtime.crypto import generate_key
from pao.settings import Settings, load_settings
from tests.support.callers import DANA, PEOPLE, Person, Signature, issue_key
from tests.support.conformance import conformance
from tests.support.event_loop import EventLoop
from tests.support.jira import JiraSandbox
from tests.support.postgres import Database

SAMPLES = Path(__file__).parents[2] / "examples" / "catalog"
# What can be requested; a list only serves the forms of others.
SAMPLE_COUNT = len([one for one in SAMPLES.glob("*/*.yaml") if one.parent.name != "lists"])
WAIT_SECONDS = 240.0
GRACE = timedelta(seconds=2)

T = TypeVar("T")


class Stack:
    """A running PAO; use it as a context manager.

    ``environ`` is what differs from the usual configuration, by the documented names; ``around``
    may look at what the application gets and answers; ``grace`` is what an action in hand has when
    the worker is stopped.
    """

    def __init__(  # noqa: PLR0913 -- what a stack stands on, each part named
        self,
        database: Database,
        temporal_address: str,
        *,
        folder: Path,
        catalog: Path = SAMPLES,
        environ: Mapping[str, str] | None = None,
        with_worker: bool = True,
        grace: timedelta = GRACE,
        around: Callable[[ASGIApp], ASGIApp] = lambda app: app,
    ) -> None:
        self.database = database
        self.task_queue = f"test-{secrets.token_hex(6)}"
        self.jira = JiraSandbox(folder)
        self._temporal_address = temporal_address
        self.catalog = catalog
        self._given = dict(environ or {})
        self._with_worker = with_worker
        self._grace = grace
        self._around = around
        self._worker: Workers | None = None
        self._people: dict[tuple[str, bool], httpx.Client] = {}
        self._signals = contextlib.AsyncExitStack()

    def __enter__(self) -> Self:
        self.jira.start()
        self.environ = self._environment()
        self.settings = load_settings(self.environ, process="api")
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._loop = EventLoop()
        self.run(self._start())
        if self._with_worker:
            self.start_worker()
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._people.values():
            client.close()
        self.run(self._stop())
        self._loop.close()
        self._socket.close()
        self.jira.stop()

    def run(self, work: Coroutine[Any, Any, T], *, seconds: float = 60.0) -> T:
        """Run a coroutine in the loop in which this stack lives."""
        return self._loop.run(work, seconds=seconds)

    @property
    def services(self) -> Services:
        """The parts that the API's routes call; use them by ``run``."""
        services: Services = self._application.app.state.services
        return services

    def caller(self, person: Person = DANA) -> httpx.Client:
        """Return the client of a person: every call is signed, with a signature of its own."""
        return self._client(person.name, Signature(*self.key(person)))

    def client_of(self, key: tuple[str, str]) -> httpx.Client:
        """Return a client that signs with an access key, given as its id and its secret."""
        return self._client(key[0], Signature(*key))

    def careless_caller(self, person: Person = DANA) -> httpx.Client:
        """Return a client whose equal calls are signed alike within a second, as curl's are."""
        return self._client(person.name, Signature(*self.key(person), unique=False))

    def anybody(self) -> httpx.Client:
        """Return a client that signs nothing."""
        return self._client("", None)

    def key(self, person: Person) -> tuple[str, str]:
        """Return a person's access key: its id and its secret."""
        made = self._keys[person.name]
        return made.access_key_id, made.secret

    def new_key(self, person: Person) -> tuple[str, str]:
        """Issue a person one more access key; returns its id and its secret."""
        made = self.run(self._issue(person))
        return made.access_key_id, made.secret

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Ask the database, as superuser."""
        return self.run(self._rows(sql, values))

    def tamper(self, sql: str, *values: object) -> None:
        """Change the database as superuser, with no trigger in the way."""
        self.run(self._rows(sql, values, role="replica"))

    def history(self, request_id: str) -> str:
        """Return everything that Temporal holds of a request's workflow, as JSON."""
        return self.run(self._history(workflow_id(request_id)))

    def start_worker(self) -> None:
        """Start polling; returns when Temporal has seen it."""
        self.run(self._start_worker())

    def stop_worker(self) -> None:
        """End the worker, with the stack's grace for what it has in hand."""
        self.run(self._stop_worker())

    def stop_api(self) -> None:
        """End the API as a deploy does: what is open is told, and ends."""
        self.run(self._end_serving())

    def start_api(self, **environ: str) -> None:
        """Serve again at the same address; ``environ`` is what differs until the next start."""
        self._socket = socket.create_server(("127.0.0.1", self.port))
        self.run(self._serve(load_settings(self.environ | environ, process="api")))

    def _client(self, name: str, auth: Signature | None) -> httpx.Client:
        key = (name, auth is None or auth.unique)
        if key not in self._people:
            self._people[key] = httpx.Client(
                base_url=f"{self.url}/api/v1",
                auth=auth,
                event_hooks={"response": [self._conforms]},
                trust_env=False,
                timeout=60.0,
            )
        return self._people[key]

    def _environment(self) -> dict[str, str]:
        usual = {
            "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
            "PAO_ADMIN_TEAMS": "pao-admins",
            "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000000",
            "DATABASE_URL": self.database.service_url,
            "DB_MAX_OPEN_CONNS": "20",
            "DB_MAX_IDLE_CONNS": "10",
            "TEMPORAL_ADDRESS": self._temporal_address,
            "TEMPORAL_TASK_QUEUE": self.task_queue,
            "TEMPORAL_UI_URL": "http://127.0.0.1:8233",
            "JIRA_BASE_URL": self.jira.url,
            "JIRA_USERNAME": self.jira.settings.username,
            "JIRA_API_TOKEN": self.jira.settings.token,
            "JIRA_FLAVOUR": "datacenter",
            "JIRA_DEFAULT_PROJECT": "PLATFORM",
            "JIRA_SEARCH_LAG": "1s",
            # On a busy machine an answer comes late; tests of the budget have stacks of their own.
            "PAO_SUBMISSION_BUDGET": "15s",
            # Tests of one stack fail JIRA again and again; breakers have tests of their own.
            "PAO_BREAKER_FAILURES": "1000",
            "CATALOG_PATH": str(self.catalog),
            # Tests say themselves when a changed catalog is read.
            "CATALOG_WATCH": "false",
        }
        return usual | self._given

    async def _read_catalog(self) -> None:
        """Have the catalog in Postgres as if a worker had read it: the API reads none."""
        database = assembly.database(self.settings, application_name="tests")
        # Away is away: a stack is told later what to do without it.
        sync = catalog_sync(self.settings, database, forge(self.settings))
        with contextlib.suppress(PaoError, SourceUnavailableError):
            await sync.run()
        await sync.close()
        await database.close()

    async def _start(self) -> None:
        await self._read_catalog()
        await self._serve()
        self._conforms = conformance(self._application.app.openapi)
        # Lazily, so that a stack can be told what to do while its Temporal is away.
        target = assembly.temporal_target(self.settings)
        self.temporal: Client = await connect(target, lazy=True)
        self._parts = assembly.database(self.settings, application_name="tests")
        self._installation = Installation(self._parts)
        self._keys = {person.name: await self._issue(person) for person in PEOPLE}

    async def _serve(self, settings: Settings | None = None) -> None:
        self._application = create_app(settings or self.settings)
        application, proxies = self._application, self.settings.http.trusted_proxies
        config = serving.config(
            self._around(application), application.protocol, proxies=proxies, lifespan="on"
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            assert not self._serving.done(), "the API ended before it served"
            await asyncio.sleep(0.005)

    async def _end_serving(self) -> None:
        self._application.end_streams()
        self._server.should_exit = True
        await self._serving

    async def _issue(self, person: Person) -> NewKey:
        return await issue_key(self._parts, assembly.secret_box(self.settings), person)

    async def _stop(self) -> None:
        await self._stop_worker()
        if not self._serving.done():
            await self._end_serving()
        await self._parts.close()

    async def _start_worker(self) -> None:
        self.temporal = await connect(
            assembly.temporal_target(self.settings), installation=self._installation.id
        )
        self._instances: JiraInstances = assembly.jira_instances(self.settings)
        self._worker = build_worker(
            self.temporal,
            self.settings,
            database=self._parts,
            jira=self._instances,
            grace=self._grace,
            installation=await self._installation.id(),
        )
        self._working = asyncio.create_task(self._worker.run())
        while not self._worker.is_running:
            assert not self._working.done(), "the worker ended before it polled"
            await asyncio.sleep(0.005)
        if self.settings.catalog.watch:
            syncs = CatalogSyncs(self.temporal, task_queue=self.task_queue)
            await self._signals.enter_async_context(catalog_signals(self.settings, syncs))

    async def _stop_worker(self) -> None:
        if self._worker is None:
            return
        await self._signals.aclose()
        await self._worker.shutdown()
        await self._working
        self._instances.close()
        self._worker = None

    async def _rows(
        self, sql: str, values: tuple[object, ...], *, role: str = "origin"
    ) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(
            self.database.superuser_url, server_settings={"session_replication_role": role}
        )
        try:
            await connection.set_type_codec(
                "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
            )
            return [dict(row) for row in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    async def _history(self, workflow: str) -> str:
        handle = self.temporal.get_workflow_handle(workflow)
        return (await handle.fetch_history()).to_json()


@contextmanager
def running_stack(
    database: Database, temporal_address: str, folder: Path, **options: Any
) -> Iterator[Stack]:
    """Run PAO whole for as long as the block runs; ``options`` are those of ``Stack``."""
    with Stack(database, temporal_address, folder=folder, **options) as stack:
        yield stack


def wait_until(condition: Callable[[], T], *, seconds: float = WAIT_SECONDS) -> T:
    """Ask until the answer is true, and return it."""
    limit = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < limit, f"this never came true: {condition}"
        time.sleep(0.02)
    return answer
