"""What a bundle of three costs against three requests: `python -m benchmarks.bundles`.

A stack of its own, the worker in this process, an action that does nothing: what is left is PAO.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.client import Client

from activities.base import Action
from benchmarks import aims
from benchmarks.actions import QUEUE, Nothing, request_of, settings_of
from benchmarks.figures import figures, milliseconds
from benchmarks.report import verdict
from benchmarks.run import ANY_FREE
from db.repositories.requests import NewRequest, RequestsRepository
from db.session import Database
from pao.app import assembly
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import RunningStack, StackOptions, running_stack
from pao.app.worker import build_worker
from pao.clients.temporal import RequestWorkflows
from pao.clients.temporal_connection import connect
from pao.core.components import COMPONENT, component_action
from pao.core.names import workflow_id
from pao.core.payloads.context import ItemSnapshot
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import RequestInput

ROUNDS = 20
THREE = 3


class Bundles:
    """Runs three requests, or a bundle of three, and takes the time from start to end."""

    def __init__(self, client: Client, database: Database) -> None:
        self._client = client
        self._database = database
        self._workflows = RequestWorkflows(client, task_queue=QUEUE)

    async def in_turn(self) -> float:
        """Return the seconds of three requests, each after the one before."""
        began = time.perf_counter()
        for _ in range(THREE):
            await self._one()
        return time.perf_counter() - began

    async def at_once(self) -> float:
        """Return the seconds of three requests at once."""
        began = time.perf_counter()
        await asyncio.gather(*(self._one() for _ in range(THREE)))
        return time.perf_counter() - began

    async def bundle(self, *, parallel: bool) -> float:
        """Return the seconds of a bundle of three."""
        began = time.perf_counter()
        whole, parts = _bundle(parallel=parallel)
        await self._store(whole, parts)
        await self._wait_until_finished(whole)
        return time.perf_counter() - began

    async def _one(self) -> None:
        given = request_of(1, parallel=False)
        await self._store(given, {})
        await self._wait_until_finished(given)

    async def _store(self, request_input: RequestInput, parts: dict[str, RequestInput]) -> None:
        whole = request_input.context.request_id
        async with self._database.unit_of_work() as session:
            requests = RequestsRepository(session)
            await requests.insert(
                NewRequest(context=request_input.context, plan=request_input.plan)
            )
            for name, part in parts.items():
                new = NewRequest(
                    context=part.context, plan=part.plan, parent_id=whole, component_id=name
                )
                await requests.insert(new)

    async def _wait_until_finished(self, request_input: RequestInput) -> None:
        await self._workflows.start(request_input, summary="measured")
        handle = self._client.get_workflow_handle(workflow_id(request_input.context.request_id))
        result = await handle.result()
        if result["status"] != "completed":
            raise RuntimeError(f"a request was {result['status']}: {result}")


def _bundle(*, parallel: bool) -> tuple[RequestInput, dict[str, RequestInput]]:
    parts = {f"c{number}": request_of(1, parallel=False) for number in range(THREE)}
    planned: list[PlannedAction] = []
    for number, (name, part) in enumerate(parts.items()):
        waits = [] if parallel or not planned else [planned[-1].id]
        config = {"component": name, "requestId": part.context.request_id, "waiting": []}
        planned.append(
            PlannedAction(
                id=component_action(name),
                index=number,
                type=COMPONENT,
                name=name,
                alias=name,
                config=config,
                depends_on=waits,
            )
        )
    document = _document(parts)
    item = ItemSnapshot(id="bundle", version="1.0.0", name="Bundle", definition=document)
    first = parts["c0"].context
    context = replace(first, request_id=str(uuid4()), item=item)
    return RequestInput(context=context.without_plan(), plan=planned), parts


def _document(parts: dict[str, RequestInput]) -> dict[str, Any]:
    return {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogBundle",
        "metadata": {"id": "bundle", "name": "Bundle", "version": "1.0.0", "category": "bundles"},
        "components": [{"id": name, "catalogItem": "thing"} for name in parts],
    }


Timed = Callable[[], Awaitable[float]]


async def _measure(bundles: Bundles) -> dict[str, float]:
    """Return the median seconds of each kind, all of them by turns."""
    kinds: dict[str, Timed] = {
        "three requests in turn": bundles.in_turn,
        "a bundle, sequential": lambda: bundles.bundle(parallel=False),
        "three requests at once": bundles.at_once,
        "a bundle, parallel": lambda: bundles.bundle(parallel=True),
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(ROUNDS + 1):
        for name, timed in kinds.items():
            seconds = await timed()
            if number:  # The first round fills caches.
                times[name].append(seconds)
    return {name: figures(found).p50 for name, found in times.items()}


async def _run(stack: RunningStack) -> dict[str, float]:
    settings = settings_of(stack)
    client = await connect(assembly.temporal_target(settings))
    database = assembly.database(settings, application_name="bench")
    jira = assembly.jira_instances(settings)
    types: dict[str, Action[Any]] = {"nothing": Nothing()}
    worker = build_worker(client, settings, database=database, jira=jira, types=types)
    running = asyncio.create_task(worker.run())
    try:
        return await _measure(Bundles(client, database))
    finally:
        await worker.shutdown()
        await asyncio.gather(running, return_exceptions=True)
        jira.close()
        await database.close()


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="pao-bench-") as folder:
        options = StackOptions(home=Path(folder) / "home", ports=ANY_FREE)
        with running_stack(
            options, progress=ProgressReporter(), sink=lambda _name, _line: None
        ) as stack:
            found = asyncio.run(_run(stack))
    for name, value in found.items():
        print(f"{name:<24} {milliseconds(value)}")
    values = list(found.values())
    for number, name in enumerate(("in turn", "at once")):
        ratio = values[2 * number + 1] / values[2 * number]
        print(verdict(aims.at_most(f"A bundle against three requests {name}", ratio, aims.BUNDLE)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
