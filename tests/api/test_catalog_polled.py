"""The catalog in memory follows Postgres also where no notification is ever heard."""

from pathlib import Path

from activities.registry import action_schemas
from api.catalog.cache import CacheSettings
from api.catalog.service import CatalogService
from catalog.sources.local import LocalFolder
from db.repositories.audit import AuditEntry
from db.repositories.catalog import CatalogRepository
from db.session import Database
from pao.app.catalog_sync import CatalogSync
from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.temporal_connection import TemporalTarget, connect
from tests.support.postgres import Database as Given
from tests.support.stack import SAMPLES


async def record(_entry: AuditEntry) -> None:
    """Take a line of the audit trail; nothing is refreshed on anybody's word here."""


async def test_a_change_is_seen_without_a_notification(
    database: Given, temporal_address: str
) -> None:
    opened = Database(database.service_url)
    await CatalogSync(opened, LocalFolder(Path(SAMPLES)), action_schemas()).run()
    client = await connect(TemporalTarget(address=temporal_address), lazy=True)
    syncs = CatalogSyncs(client, task_queue="nobody-polls")
    service = CatalogService(opened, syncs, record=record, cache=CacheSettings(look=0.05))
    async with service:
        before = service.state.index.generation
        await _another_removes_one(opened)
        while service.state.index.generation == before:
            await opened.ping()
    await opened.close()


async def _another_removes_one(opened: Database) -> None:
    async with opened.unit_of_work() as session:
        repository = CatalogRepository(session)
        generation = await repository.next_generation()
        [item, *_] = await repository.served_files()
        await repository.remove({item}, generation=generation)
