"""A worker for tests: the real one, on a task queue of its own, over real servers; no API."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import text
from temporalio.client import Client, WorkflowHandle

from activities.base import Action
from activities.metrics import WorkerMetrics
from db.repositories.requests import NewRequest, RequestsRepository
from pao.app import assembly
from pao.app.resumption import stored_input
from pao.app.worker import Workers, build_worker
from pao.clients.proofs import with_proof
from pao.clients.temporal import RequestWorkflows
from pao.clients.temporal_connection import connect
from pao.core.payloads.decisions import DecisionRecord
from pao.core.states import Decision
from pao.runtime.crypto import SecretBox, generate_key
from pao.settings import Settings, load_settings
from tests.support.jira import JiraSandbox
from tests.support.postgres import Database
from tests.support.requests import Request, new_request

SAMPLES = Path(__file__).parents[2] / "examples" / "catalog"
WAIT_SECONDS = 240.0
GRACE = timedelta(seconds=2)

Row = dict[str, Any]


def worker_environment(
    database: Database, temporal_address: str, jira: JiraSandbox
) -> dict[str, str]:
    """Return the environment of a worker process with its own task queue."""
    return {
        "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
        "DATABASE_URL": database.service_url,
        "DB_MAX_OPEN_CONNS": "10",
        "DB_MAX_IDLE_CONNS": "5",
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_TASK_QUEUE": f"test-{secrets.token_hex(6)}",
        "JIRA_BASE_URL": jira.url,
        "JIRA_USERNAME": jira.settings.username,
        "JIRA_API_TOKEN": jira.settings.token,
        "JIRA_FLAVOUR": "datacenter",
        "JIRA_DEFAULT_PROJECT": "PLATFORM",
        "JIRA_SEARCH_LAG": "1s",
        "CATALOG_PATH": str(SAMPLES),
        "CATALOG_WATCH": "false",
    }


class Workbench:
    """Temporal, Postgres and JIRA with a worker between them, and what a test asks of them."""

    def __init__(
        self,
        environ: Mapping[str, str],
        client: Client,
        jira: JiraSandbox,
        *,
        owner_url: str,
    ) -> None:
        self.environ = dict(environ)
        self._owner_url = owner_url
        self.settings: Settings = load_settings(environ, process="worker")
        self.client = client
        self.jira = jira
        self.task_queue = self.settings.temporal.task_queue
        self.workflows = RequestWorkflows(client, task_queue=self.task_queue)
        self.box: SecretBox = assembly.secret_box(self.settings)
        self.database = assembly.database(self.settings, application_name="tests")
        self.metrics = WorkerMetrics()
        self.types: dict[str, Action[Any]] | None = None
        self.installation: str | None = None
        self.worker: Workers | None = None
        self._connection: asyncpg.Connection | None = None
        self._asking = asyncio.Lock()

    async def start_worker(self) -> None:
        """Start a worker in this process; returns when it polls."""
        self._jira_clients = assembly.jira_instances(self.settings)
        self.worker = build_worker(
            self.client,
            self.settings,
            database=self.database,
            jira=self._jira_clients,
            grace=GRACE,
            types=self.types,
            metrics=self.metrics,
            installation=self.installation,
        )
        self._working = asyncio.create_task(self.worker.run())
        await eventually(lambda: self.worker is not None and self.worker.is_running)

    async def stop_worker(self) -> None:
        """End the worker; what it has in hand is cut after two seconds."""
        if self.worker is None:
            return
        await self.worker.shutdown()
        await self._working
        self._jira_clients.close()
        self.worker = None

    async def close(self) -> None:
        """End everything that was opened here."""
        await self.stop_worker()
        await self.close_connection()
        await self.database.close()

    async def close_connection(self) -> None:
        """Close the line by which ``rows`` asks; the next question opens a new one."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def submit(self, request: Request | None = None) -> Request:
        """Store a request and start its workflow, without waiting for anything."""
        request = await self.store(request or new_request(box=self.box))
        await self.workflows.start(request.given, summary=request.context.summary)
        return request

    async def store(self, request: Request) -> Request:
        """Store a request without starting its workflow."""
        async with self.database.unit_of_work() as session:
            new = NewRequest(context=request.context, plan=request.plan, metadata=request.metadata)
            await RequestsRepository(session).insert(new)
        return request

    async def reached(self, request: Request, status: str, *, attempt: int = 0) -> Row:
        """Wait until the row shows the state, at rest; ``attempt`` of any action if it is given."""

        async def there() -> Row | None:
            row = await self.row(request)
            actions = await self.actions(request) if attempt else []
            tried = max((action["attempt"] for action in actions), default=0)
            at_rest = row["status"] == status and not row["retrying"]
            return row if at_rest and tried >= attempt else None

        what = f"{request.id} is never {status} (attempt {attempt})"
        row: Row = await eventually(there, what)
        return row

    async def failed(self, request: Request | None = None, **fault: Any) -> Request:
        """Submit a request of which JIRA refuses the ticket, once unless told otherwise."""
        self.jira.fault("status", **{"status": 400, **fault})
        request = await self.submit(request)
        await self.reached(request, "failed")
        return request

    async def is_waiting(self, request: Request) -> None:
        """Wait until one of its actions waits for something."""

        async def there() -> bool:
            return "waiting" in {action["status"] for action in await self.actions(request)}

        await eventually(there, f"no action of {request.id} waits")

    async def all_wait(self, request: Request) -> bool:
        """Return whether each of its actions waits for something."""
        return {action["status"] for action in await self.actions(request)} == {"waiting"}

    async def has_logged(self, request: Request, text: str, *, times: int = 1) -> bool:
        """Return whether its execution log has said this so often."""
        rows = await self.rows(
            "SELECT data FROM request_events WHERE request_id = $1 AND kind = 'log'", request.id
        )
        return len([row for row in rows if text in str(row["data"]["message"])]) >= times

    async def decide(
        self, request: Request, decision: Decision | str, **payload: object
    ) -> DecisionRecord:
        """Decide as the API does; waits for the outcome, also of what closes the workflow."""
        decision_id = payload.setdefault("decisionId", secrets.token_hex(4))
        given = {"by": "ann", "via": "api", "reason": "a test", **payload}
        signed = with_proof(self.box, request.id, str(decision), given)
        await self.handle(request).signal(decision, signed)
        row = await eventually(lambda: self._settled_decision(request, decision_id))
        return DecisionRecord(
            **{
                key: row[key]
                for key in ("decision_id", "decision", "by", "via", "reason", "accepted")
            },
            at=row["at"].isoformat(),
            outcome=row["outcome"],
            message=row["message"],
            changes=row["changes"],
            code=row["code"],
            details=row["details"],
        )

    async def signal(self, request: Request, name: str, *args: object) -> None:
        """Send a signal with these inputs, whatever they are."""
        await self.handle(request).signal(name, args=list(args))

    async def proven_signal(self, request: Request, name: str, told: dict[str, Any]) -> None:
        """Send a signal as a process of PAO does."""
        await self.signal(request, name, with_proof(self.box, request.id, name, told))

    async def terminate(self, request: Request) -> None:
        """Terminate the request's workflow, as an operator does."""
        await self.handle(request).terminate(reason="a test")

    async def take_up(self, request: Request, reason: str) -> None:
        """Start a request again from its mirror; returns when the new run has written."""
        before = (await self.row(request))["run_id"]
        given = await stored_input(self.database, request.id, reason)
        assert await self.workflows.start(given, summary=request.context.summary)

        async def written() -> bool:
            return bool((await self.row(request))["run_id"] != before)

        await eventually(written)

    async def mirror_by_another(self, request: Request, *, at: datetime) -> None:
        """Have the row look as if another run had written it, at this moment."""
        async with self.owning() as owner:
            await owner.execute(
                "UPDATE requests SET mirror_at = $2, mirror_seq = 7, run_id = 'another',"
                " status = 'in_progress' WHERE id = $1",
                request.id,
                at,
            )

    def handle(self, request: Request) -> WorkflowHandle[Any, Any]:
        """Return Temporal's handle of the request's newest run."""
        return self.client.get_workflow_handle(request.workflow_id)

    async def rows(self, sql: str, *values: object) -> list[Row]:
        """Ask the database, as the service may."""
        async with self._asking:
            if self._connection is None:
                self._connection = await asyncpg.connect(self.environ["DATABASE_URL"])
                await self._connection.set_type_codec(
                    "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
                )
            return [dict(row) for row in await self._connection.fetch(sql, *values)]

    async def row(self, request: Request) -> Row:
        """Read the request's row."""
        [row] = await self.rows("SELECT * FROM requests WHERE id = $1", request.id)
        return row

    async def actions(self, request: Request) -> list[Row]:
        """Read its actions in order."""
        return await self.rows(
            "SELECT * FROM request_actions WHERE request_id = $1 ORDER BY action_index", request.id
        )

    async def decisions(self, request: Request) -> list[Row]:
        """Read its decisions in order."""
        return await self.rows(
            "SELECT * FROM decisions WHERE request_id = $1 ORDER BY at, mirror_seq", request.id
        )

    async def audit(self, request: Request) -> list[Row]:
        """Read its audit trail in order."""
        return await self.rows(
            "SELECT * FROM audit_logs WHERE request_id = $1 ORDER BY id", request.id
        )

    async def events(self, request: Request) -> list[str]:
        """Return the kinds of its audit events in order."""
        return [row["event_type"] for row in await self.audit(request)]

    @asynccontextmanager
    async def owning(self) -> AsyncIterator[asyncpg.Connection]:
        """Connect as superuser, as one who repairs by hand, or restores a copy, may be."""
        connection = await asyncpg.connect(self._owner_url)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def locked(self, request: Request) -> AsyncIterator[None]:
        """Hold the request's row, so that the mirror waits for as long as the block runs."""
        async with self.database.unit_of_work() as session:
            statement = text("SELECT 1 FROM requests WHERE id = :id FOR UPDATE")
            await session.execute(statement, {"id": request.id})
            yield

    async def times_scheduled(self, request: Request, activity: str) -> int:
        """Return how often the newest run has scheduled this activity as a regular one."""
        history = await self.handle(request).fetch_history()
        scheduled = (event.activity_task_scheduled_event_attributes for event in history.events)
        return [one.activity_type.name for one in scheduled].count(activity)

    async def inputs(self, request: Request, activity: str) -> str:
        """Return the inputs of an activity in the newest run, as JSON without blanks."""
        history = await self.handle(request).fetch_history()
        given = (event.activity_task_scheduled_event_attributes for event in history.events)
        return "".join(
            payload.data.decode()
            for one in given
            if one.activity_type.name == activity
            for payload in one.input.payloads
        )

    async def was_signalled(self, request: Request, name: str) -> bool:
        """Return whether the newest run has been handed this signal."""
        history = await self.handle(request).fetch_history()
        return any(
            event.workflow_execution_signaled_event_attributes.signal_name == name
            for event in history.events
        )

    def tickets(self, request: Request) -> list[Row]:
        """Return the tickets that name the request's correlation id: escalations, too."""
        wanted = request.context.correlation_id
        return [one for one in self.jira.tickets() if wanted in one["description"]]

    async def _settled_decision(self, request: Request, decision_id: object) -> Row | None:
        found = await self.rows(
            "SELECT * FROM decisions WHERE request_id = $1 AND decision_id = $2"
            " AND outcome <> 'open'",
            request.id,
            decision_id,
        )
        return found[0] if found else None


@asynccontextmanager
async def workbench(
    database: Database,
    temporal_address: str,
    folder: Path,
    *,
    environ: Mapping[str, str] | None = None,
    with_worker: bool = True,
) -> AsyncIterator[Workbench]:
    """Run a worker with all it needs for as long as the block runs."""
    with JiraSandbox(folder) as jira:
        usual = worker_environment(database, temporal_address, jira)
        settings = load_settings(usual | dict(environ or {}), process="worker")
        client = await connect(assembly.temporal_target(settings))
        bench = Workbench(
            usual | dict(environ or {}), client, jira, owner_url=database.superuser_url
        )
        try:
            if with_worker:
                await bench.start_worker()
            yield bench
        finally:
            await bench.close()


async def eventually(
    condition: Callable[[], Any],
    message: str = "this never came true",
    *,
    seconds: float = WAIT_SECONDS,
) -> Any:
    """Ask, and await what is a coroutine, until the answer is true; return it."""
    limit = time.monotonic() + seconds
    while True:
        answer = condition()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        assert time.monotonic() < limit, message
        await asyncio.sleep(0.02)
