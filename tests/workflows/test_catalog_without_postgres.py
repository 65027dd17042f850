"""Postgres is away when a sync wants to store: it comes to its end by itself, once it is back."""

import asyncio
from collections.abc import Iterable, Mapping
from uuid import uuid4

import asyncpg
from temporalio import activity
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.catalog_sync import CatalogSyncer
from catalog.model import CatalogDocument
from catalog.validation import Finding
from db.repositories.catalog import CatalogRepository
from db.session import Database
from pao.app.catalog_sync import CatalogSync
from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.temporal_connection import TemporalTarget, connect
from pao.core import names
from pao.core.payloads.catalog import SyncRequest
from tests.pao.app.test_catalog_sources import KNOWN
from tests.support.catalog_source import Repository
from tests.support.postgres import Database as Given
from tests.support.worker import eventually
from workflows.catalog_sync import CatalogSyncWorkflow


class Outage:
    """A check that finds nothing; asked at the end of judging, it takes Postgres away."""

    def __init__(self, database: Given) -> None:
        self._database = database
        self.is_due = False
        self.judged: list[str] = []
        self.began = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def identity(self, _beside: Mapping[str, bytes]) -> str:
        return ""

    def findings(
        self, path: str, _document: CatalogDocument, _beside: Mapping[str, bytes]
    ) -> Iterable[Finding]:
        self.judged.append(path)
        return ()

    def own_findings(self, _beside: Mapping[str, bytes]) -> Iterable[Finding]:
        if self.is_due:
            self.is_due = False
            asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result()
        return ()

    async def _begin(self) -> None:
        await self._have("ALLOW_CONNECTIONS false")
        self.began.set()

    async def end(self) -> None:
        await self._have("ALLOW_CONNECTIONS true")

    async def _have(self, what: str) -> None:
        name = self._database.name
        url = self._database.superuser_url.replace(f"/{name}", "/postgres")
        connection = await asyncpg.connect(url)
        await connection.execute(f'ALTER DATABASE "{name}" {what}')
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
        )
        await connection.close()


@activity.defn(name=names.FORGET_RUNS_ACTIVITY)
async def forget(_workflow: str) -> int:
    return 0


async def versions(opened: Database) -> dict[str, str]:
    async with opened.reading() as session:
        repository = CatalogRepository(session)
        items = [await repository.get(key) for key in await repository.served_files()]
        return {item.id: item.version for item in items if item}


async def test_a_sync_that_cannot_store_does_so_when_postgres_is_back(
    database: Given, temporal_address: str
) -> None:
    opened, source, outage = Database(database.service_url), Repository(), Outage(database)
    source.put("tool-a-a", "tool-b-b")
    client = await connect(TemporalTarget(address=temporal_address))
    queue = f"sync-{uuid4().hex[:8]}"
    syncs = CatalogSyncs(client, task_queue=queue)
    syncer = CatalogSyncer(opened, CatalogSync(opened, source, KNOWN, check=outage), syncs)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[CatalogSyncWorkflow],
        activities=[syncer.run, forget],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        assert (await syncs.refresh(SyncRequest(), budget=60)) is not None
        source.put("tool-b-b", version="2.0.0")
        outage.is_due = True
        waiting = asyncio.create_task(syncs.refresh(SyncRequest(), budget=120))
        await asyncio.wait_for(outage.began.wait(), 60)
        # It is being tried, and cannot even begin.
        await eventually(lambda: _attempts(client, queue, least=2))
        await outage.end()
        report = await waiting
    assert report is not None
    assert (report.changed, report.problem) == (("tool-b-b",), None)
    assert await versions(opened) == {"tool-a-a": "1.0.0", "tool-b-b": "2.0.0"}
    # What was fetched and judged before Postgres went had been kept.
    assert outage.judged == [f"tools/tool-{one}.yaml" for one in ("a-a", "b-b", "b-b")]
    assert source.calls == ["listing", "contents", "listing", "contents", "listing"]
    await opened.close()


async def _attempts(client: object, queue: str, *, least: int) -> bool:
    handle = client.get_workflow_handle(names.catalog_sync_id(queue))  # type: ignore[attr-defined]
    pending = (await handle.describe()).raw_description.pending_activities
    return any(one.attempt >= least for one in pending)
