"""Builds the catalog's source, its sync and its watcher from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from activities.catalog_sync import CatalogSyncer
from activities.registry import action_schemas
from catalog.sources.local import LocalFolder
from catalog.sources.source import CatalogSource
from catalog.sources.verdict import VerdictReporter
from db.session import Database
from pao.app.catalog_forges import CatalogForge, forge, git_source, owners_check
from pao.app.catalog_sync import CatalogSync
from pao.app.catalog_sync.proposals import Proposals
from pao.app.catalog_sync.watcher import CatalogWatcher
from pao.clients.catalog_sync import CatalogSyncs
from pao.core.payloads.catalog import FOLDER, START, SyncSignal
from pao.settings import Settings


def catalog_source(settings: Settings) -> CatalogSource:
    """Return where the catalog is read from."""
    if settings.catalog.source == "local":
        return LocalFolder(catalog_folder(settings))
    found = forge(settings)
    return found.source if found else git_source(settings)


def catalog_folder(settings: Settings) -> Path:
    """Return the folder of a local catalog."""
    return settings.catalog.path or Path("catalog")


def catalog_sync(settings: Settings, database: Database, found: CatalogForge | None) -> CatalogSync:
    """Return the sync of the catalog, from a forge or another source."""
    if found is not None:
        return _sync(settings, database, found.source, found.reporter)
    return _sync(settings, database, catalog_source(settings))


def catalog_syncer(settings: Settings, database: Database, syncs: CatalogSyncs) -> CatalogSyncer:
    """Return the activities of the sync."""
    found = forge(settings)
    sync = catalog_sync(settings, database, found)
    proposals = Proposals(sync, found.source, found.reporter) if found else None
    return CatalogSyncer(database, sync, syncs, proposals)


def _sync(
    settings: Settings,
    database: Database,
    source: CatalogSource,
    reporter: VerdictReporter | None = None,
) -> CatalogSync:
    return CatalogSync(
        database, source, action_schemas(), check=owners_check(settings), reporter=reporter
    )


@asynccontextmanager
async def catalog_signals(settings: Settings, syncs: CatalogSyncs) -> AsyncIterator[None]:
    """Signal a sync now, and whenever the folder changes while the block runs.

    A process that has just started may have other rules, by which everything is checked again.
    """
    watch = settings.catalog.source == "local" and settings.catalog.watch
    signal = SyncSignal(FOLDER if watch else START)
    async with CatalogWatcher(catalog_folder(settings), partial(syncs.signal, signal), watch=watch):
        yield
