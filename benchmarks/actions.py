"""What a further action costs, and what parallel ones save, against a bare workflow of as many.

Run as a program (`python -m benchmarks.actions`): a stack of its own, and both workers in this
process, so that they share everything but PAO. The action does nothing; what is left is PAO.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import BaseModel
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities.base import Action, ActionConfig, ActionContext
from benchmarks import aims
from benchmarks.bare_actions import BareActions, empty
from benchmarks.figures import figures, milliseconds
from benchmarks.report import verdict
from benchmarks.run import ANY_FREE
from catalog.model import CatalogItem
from catalog.planning import plan, snapshot_of
from db.repositories.requests import NewRequest, RequestsRepository
from db.session import Database
from pao.app import assembly
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import RunningStack, StackOptions, running_stack, sample_catalog
from pao.app.worker import build_worker
from pao.clients.temporal import RequestWorkflows
from pao.clients.temporal_connection import connect
from pao.core.names import workflow_id
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.context import RequestContext, Requester
from pao.core.payloads.requests import RequestInput
from pao.core.timestamps import timestamp
from pao.runtime.crypto import generate_key
from pao.settings import Settings, load_settings

QUEUE = "bench-actions"
BARE = "bench-bare-actions"
ROUNDS = 15
FURTHER = 20


class NothingConfig(ActionConfig):
    """Nothing to configure."""


class NothingOutputs(BaseModel):
    """No outputs."""


class Nothing(Action[NothingConfig]):
    """Does nothing, so that what is measured is the way to it."""

    type = "nothing"
    summary = "Does nothing."
    resource_type = "nothing"
    config = NothingConfig
    outputs = NothingOutputs
    examples = ({}, {})

    async def look(self, config: NothingConfig, context: ActionContext) -> ActionResult | None:
        """Find nothing."""
        del config, context
        return None

    async def execute(self, config: NothingConfig, context: ActionContext) -> ActionResult:
        """Do nothing."""
        del config, context
        return ActionResult()

    def cleanup(self, result: ActionResult) -> str:
        """Leave nothing."""
        del result
        return ""


class Runner:
    """Runs requests and bare workflows, and takes their time."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._database = database
        self._workflows = RequestWorkflows(client, task_queue=QUEUE)

    async def bare(self, count: int, *, parallel: bool = False) -> float:
        """Return the seconds of a bare workflow."""
        began = time.perf_counter()
        await self._client.execute_workflow(
            BareActions.run,
            args=[count, parallel],
            id=f"bare-{uuid4()}",
            task_queue=BARE,
            task_timeout=timedelta(seconds=3),
        )
        return time.perf_counter() - began

    async def pao(self, count: int, *, parallel: bool = False) -> float:
        """Return the seconds from the start of a request's workflow to its end."""
        given = request_of(count, parallel=parallel)
        async with self._database.unit_of_work() as session:
            new = NewRequest(context=given.context, plan=given.plan)
            await RequestsRepository(session).insert(new)
        began = time.perf_counter()
        await self._workflows.start(given, summary="measured")
        request_id = given.context.request_id
        result = await self._client.get_workflow_handle(workflow_id(request_id)).result()
        if result["status"] != "completed":
            raise RuntimeError(f"a request was {result['status']}")
        return time.perf_counter() - began


def request_of(count: int, *, parallel: bool) -> RequestInput:
    """Return a request with so many actions that do nothing."""
    actions = [{"id": f"a{number}", "type": "nothing", "config": {}} for number in range(count)]
    document = {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": {"id": "thing", "name": "Thing", "version": "1.0.0", "category": "things"},
        "fulfillment": {
            "strategy": {"mode": "automatic"},
            "automatic": {"parallel": parallel, "actions": actions},
        },
    }
    item = CatalogItem.model_validate(document)
    context = RequestContext(
        request_id=str(uuid4()),
        correlation_id=str(uuid4()),
        submitted_at=timestamp(datetime.now(UTC)),
        item=snapshot_of(item, document, None),
        requester=Requester(id="bench"),
    )
    return RequestInput(context=context.without_plan(), plan=plan(item))


Timed = Callable[[], Awaitable[float]]


async def _measure(runner: Runner) -> dict[str, float]:
    """Return the median seconds of each kind, all of them by turns."""
    many = FURTHER + 1
    kinds: dict[str, Timed] = {
        "bare one": lambda: runner.bare(1),
        "PAO one": lambda: runner.pao(1),
        "bare many": lambda: runner.bare(many),
        "PAO many": lambda: runner.pao(many),
        "bare 20 sequential": lambda: runner.bare(FURTHER),
        "PAO 20 sequential": lambda: runner.pao(FURTHER),
        "bare 20 parallel": lambda: runner.bare(FURTHER, parallel=True),
        "PAO 20 parallel": lambda: runner.pao(FURTHER, parallel=True),
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(ROUNDS + 1):
        for name, timed in kinds.items():
            seconds = await timed()
            if number:  # The first round fills caches.
                times[name].append(seconds)
    return {name: figures(found).p50 for name, found in times.items()}


def settings_of(stack: RunningStack) -> Settings:
    """Return the settings of a worker on the measured stack, on a queue of its own."""
    return load_settings(
        {
            "DATABASE_URL": stack.postgres.service_url,
            "TEMPORAL_ADDRESS": stack.temporal.address,
            "TEMPORAL_NAMESPACE": stack.temporal.namespace,
            "TEMPORAL_TASK_QUEUE": QUEUE,
            # A worker must have one; this one's queue has no schedule that reads it.
            "CATALOG_PATH": str(sample_catalog()),
            "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
            "JIRA_BASE_URL": stack.jira_url,
            "JIRA_USERNAME": "bench",
            "JIRA_API_TOKEN": "bench",
            "JIRA_DEFAULT_PROJECT": "PLATFORM",
        },
        process="worker",
    )


@asynccontextmanager
async def running(stack: RunningStack) -> AsyncIterator[tuple[Client, Database]]:
    """Run both workers for as long as the block runs."""
    settings = settings_of(stack)
    client = await connect(assembly.temporal_target(settings))
    database = assembly.database(settings, application_name="bench")
    jira = assembly.jira_instances(settings)
    types: dict[str, Action[Any]] = {"nothing": Nothing()}
    ours = build_worker(client, settings, database=database, jira=jira, types=types)
    bare = Worker(
        client,
        task_queue=BARE,
        workflows=[BareActions],
        activities=[empty],
        max_concurrent_activities=settings.worker.pool_size,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
    )
    work = [asyncio.create_task(ours.run()), asyncio.create_task(bare.run())]
    try:
        yield client, database
    finally:
        await asyncio.gather(ours.shutdown(), bare.shutdown())
        await asyncio.gather(*work, return_exceptions=True)
        jira.close()
        await database.close()


async def _run(stack: RunningStack) -> dict[str, float]:
    async with running(stack) as (client, database):
        return await _measure(Runner(client, database))


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="pao-bench-") as folder:
        options = StackOptions(home=Path(folder) / "home", ports=ANY_FREE)
        with running_stack(
            options, progress=ProgressReporter(), sink=lambda _name, _line: None
        ) as stack:
            found = asyncio.run(_run(stack))
    for name, value in found.items():
        print(f"{name:<20} {milliseconds(value)}")
    bare, ours = ((found[f"{who} many"] - found[f"{who} one"]) / FURTHER for who in ("bare", "PAO"))
    print(f"a further action     {milliseconds(ours)}, bare {milliseconds(bare)}")
    more = ours - bare
    for check in (
        aims.at_most("A further action against an empty activity", ours / bare, aims.FURTHER),
        aims.at_most("What it costs more", more, aims.FURTHER_MS, unit=" ms"),
    ):
        print(verdict(check))
    for who in ("bare", "PAO"):
        ratio = found[f"{who} 20 parallel"] / found[f"{who} 20 sequential"]
        print(f"{who} 20 parallel against 20 sequential: {ratio:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
