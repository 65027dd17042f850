"""Builds what reads the catalog from the settings: the source, its sync, and what it watches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from activities.catalog_sync import CatalogSyncer
from activities.registry import action_schemas
from catalog.sources.local import LocalFolder
from catalog.sources.source import Source
from db.session import Database
from pao.app.catalog_sync import CatalogSync
from pao.app.catalog_sync.watcher import CatalogWatcher
from pao.clients.catalog_sync import CatalogSyncs
from pao.core.payloads.catalog import FOLDER, START, SyncSignal
from pao.settings import Settings


def catalog_source(settings: Settings) -> Source:
    """Return where the catalog is read from."""
    return LocalFolder(catalog_folder(settings))


def catalog_folder(settings: Settings) -> Path:
    """Return the folder of a local catalog."""
    return settings.catalog.path or Path("catalog")


def catalog_sync(settings: Settings, database: Database) -> CatalogSync:
    """Return what brings the catalog up to date."""
    return CatalogSync(database, catalog_source(settings), action_schemas())


def catalog_syncer(settings: Settings, database: Database, syncs: CatalogSyncs) -> CatalogSyncer:
    """Return the activities of the sync."""
    return CatalogSyncer(database, catalog_sync(settings, database), syncs)


@asynccontextmanager
async def catalog_signals(settings: Settings, syncs: CatalogSyncs) -> AsyncIterator[None]:
    """Have the source looked at now, and for as long as the block runs whenever a folder changes.

    A process that has just started may bring other rules, by which everything is judged again.
    """
    watch = settings.catalog.source == "local" and settings.catalog.watch
    signal = SyncSignal(FOLDER if watch else START)
    async with CatalogWatcher(catalog_folder(settings), partial(syncs.signal, signal), watch=watch):
        yield
